"""Compare the API document with that of another commit: `make api-check`.

A breaking change needs a new major version, or before 1.0 a new minor version. Calls that were
valid must stay valid. Responses may gain fields and errors, but must not lose fields or have new
values.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

DOCUMENT = Path("functions/health/openapi.json")

type Node = Mapping[str, Any]
# A place in the document, a keyword there, and its old and new value.
type Change = tuple[str, str, object, object]

_FIRST_ERROR = 400
# Keywords with which a schema accepts less if the value grows, or if it shrinks.
_LOWER_BOUNDS = {"minimum", "minItems", "minLength", "minProperties"}
_UPPER_BOUNDS = {"maximum", "maxItems", "maxLength"}
# Keywords whose values have no order: any change except a removal counts as breaking.
_FIXED = {"format", "pattern", "type", "uniqueItems"}


class Side(Enum):
    """The part of a call that a schema describes, which decides which changes break clients."""

    CALL = auto()
    RESPONSE = auto()
    ERROR = auto()


def breaking_changes(old: Node, new: Node) -> list[str]:
    """Return the breaking changes from one document to another, each as a sentence."""
    return [
        f"{place}: {keyword} was {_as_json(before)} and is {_as_json(after)}"
        for place, keyword, before, after in _Comparison(old, new).changes()
    ]


def may_break(old: str, new: str) -> bool:
    """Return whether the version change announces breaking changes."""
    old_major, old_minor, *_ = map(int, old.split("."))
    new_major, new_minor, *_ = map(int, new.split("."))
    if old_major or new_major:
        return new_major > old_major
    return new_minor > old_minor


@dataclass(frozen=True, slots=True)
class _Comparison:
    old: Node
    new: Node

    def changes(self) -> Iterator[Change]:
        """Yield each breaking change of an operation."""
        for path, operations in self.old["paths"].items():
            for method, operation in operations.items():
                place = f"{method.upper()} {path}"
                new_operation = self.new["paths"].get(path, {}).get(method)
                if new_operation is None:
                    yield place, "operation", "there", "absent"
                    continue
                yield from self._security(place, operation, new_operation)
                yield from self._parameters(place, operation, new_operation)
                yield from self._body(place, operation, new_operation)
                yield from self._responses(place, operation, new_operation)
                if operation["operationId"] != new_operation["operationId"]:
                    yield (
                        place,
                        "operationId",
                        operation["operationId"],
                        new_operation["operationId"],
                    )

    def _security(self, place: str, old: Node, new: Node) -> Iterator[Change]:
        missing = [each for each in old["security"] if each not in new["security"]]
        if new["security"] and (missing or not old["security"]):
            yield place, "security", old["security"], new["security"]

    def _parameters(self, place: str, old: Node, new: Node) -> Iterator[Change]:
        before, after = _by_name(old), _by_name(new)
        for name in sorted(before.keys() - after.keys()):
            yield f"{place} {name}", "parameter", "there", "absent"
        for name, parameter in after.items():
            known = before.get(name)
            if parameter["required"] and not (known and known["required"]):
                yield f"{place} {name}", "required", bool(known and known["required"]), True
            if known:
                yield from self._schemas(
                    f"{place} {name}", known["schema"], parameter["schema"], side=Side.CALL
                )

    def _body(self, place: str, old: Node, new: Node) -> Iterator[Change]:
        before, after = old.get("requestBody", {}), new.get("requestBody", {})
        if after.get("required") and not before.get("required"):
            yield f"{place} body", "required", False, True
        yield from self._contents(f"{place} body", before, after, side=Side.CALL)

    def _responses(self, place: str, old: Node, new: Node) -> Iterator[Change]:
        for status, response in old["responses"].items():
            where = f"{place} {status}"
            if status not in new["responses"]:
                if int(status) < _FIRST_ERROR:
                    yield where, "status", "there", "absent"
                continue
            before = _resolved(self.old, response)
            after = _resolved(self.new, new["responses"][status])
            for name in sorted(before.get("headers", {}).keys() - after.get("headers", {}).keys()):
                yield f"{where} {name}", "header", "there", "absent"
            side = Side.ERROR if int(status) >= _FIRST_ERROR else Side.RESPONSE
            yield from self._contents(where, before, after, side=side)

    def _contents(self, place: str, old: Node, new: Node, *, side: Side) -> Iterator[Change]:
        after = new.get("content", {})
        for media_type, content in old.get("content", {}).items():
            if media_type not in after:
                yield place, "media type", media_type, "absent"
                continue
            yield from self._schemas(
                place, content["schema"], after[media_type]["schema"], side=side
            )

    def _schemas(self, place: str, old: Node, new: Node, *, side: Side) -> Iterator[Change]:
        """Compare alternatives of the same name, or the only ones."""
        before, after = _alternatives(old), _alternatives(new)
        if len(before) == len(after) == 1:
            after = dict(zip(before, after.values(), strict=True))
        # Clients branch on the error codes that they know, so errors may be added and removed.
        if side is Side.CALL:
            for name in sorted(before.keys() - after.keys()):
                yield place, "alternative", name, "absent"
        if side is Side.RESPONSE:
            for name in sorted(after.keys() - before.keys()):
                yield place, "alternative", "absent", name
        for name in sorted(before.keys() & after.keys()):
            yield from self._schema(
                place,
                _resolved(self.old, before[name]),
                _resolved(self.new, after[name]),
                side=side,
            )

    def _schema(self, place: str, old: Node, new: Node, *, side: Side) -> Iterator[Change]:
        for keyword in sorted(_LOWER_BOUNDS | _UPPER_BOUNDS | _FIXED | {"enum", "nullable"}):
            values = old.get(keyword), new.get(keyword)
            if _accepts_less(keyword, *(values if side is Side.CALL else values[::-1])):
                yield place, keyword, *values
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in sorted(before.keys() - after.keys()):
            yield f"{place} {name}", "property", "there", "absent"
        for name in sorted(before.keys() | after.keys()):
            was, now = (name in each.get("required", ()) for each in (old, new))
            if now > was if side is Side.CALL else was > now and name in after:
                yield f"{place} {name}", "required", was, now
        for name in sorted(before.keys() & after.keys()):
            yield from self._schemas(f"{place} {name}", before[name], after[name], side=side)
        if side is Side.CALL and new.get("additionalProperties") is False is not old.get(
            "additionalProperties"
        ):
            yield place, "additionalProperties", True, False
        for keyword in ("items", "additionalProperties"):
            inner, now_inner = old.get(keyword), new.get(keyword)
            if isinstance(inner, Mapping) and isinstance(now_inner, Mapping):
                yield from self._schemas(f"{place} {keyword}", inner, now_inner, side=side)


def _accepts_less(keyword: str, wide: Any, narrow: Any) -> bool:
    """Return whether the second value of a keyword rejects something that the first accepts."""
    if keyword == "nullable":
        return bool(wide) and not narrow
    if wide is None or narrow is None:
        return narrow is not None
    if keyword == "enum":
        return not set(wide) <= set(narrow)
    if keyword in _LOWER_BOUNDS:
        return bool(narrow > wide)
    return bool(narrow < wide if keyword in _UPPER_BOUNDS else narrow != wide)


def _alternatives(schema: Node) -> dict[str, Node]:
    alternatives: list[Node] = schema.get("oneOf") or schema.get("anyOf") or []
    if not alternatives:
        return {schema.get("$ref", ""): schema}
    return {each.get("$ref") or json.dumps(each, sort_keys=True): each for each in alternatives}


def _resolved(document: Node, node: Node) -> Node:
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    found: Node = document["components"][kind][name]
    return found


def _by_name(operation: Node) -> dict[str, Node]:
    return {f"{each['in']} {each['name']}": each for each in operation.get("parameters", ())}


def _as_json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def main(base: str) -> int:
    """Compare the working copy's document with that of a commit; return the exit code."""
    git = shutil.which("git")
    if git is None:
        raise SystemExit("git is not installed")
    completed = subprocess.run(
        [git, "show", f"{base}:{DOCUMENT.as_posix()}"],
        check=False,
        capture_output=True,
        timeout=60,
    )
    if completed.returncode:
        reason = completed.stderr.decode(errors="replace").strip()
        raise SystemExit(f"{base} has no API document ({reason}): name another commit, BASE=COMMIT")
    old, new = json.loads(completed.stdout), json.loads(DOCUMENT.read_bytes())
    changes = breaking_changes(old, new)
    print(*changes or ["No breaking changes."], sep="\n")
    before, after = old["info"]["version"], new["info"]["version"]
    if not changes or may_break(before, after):
        return 0
    print(f"These changes break clients of {before}, and {after} is not a breaking version.")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
