"""Generate docs/settings.md, the run-time settings, from their registry."""

import json
from collections.abc import Iterator
from typing import Any

from medianest.core.envelope import RequestModel
from medianest.system_config.registry import SETTINGS, Setting
from medianest.system_config.service import CACHE_SECONDS

_PAGE = """\
# Settings

Generated from `medianest/system_config/registry.py` by `make docs`; do not edit.

An admin can change these settings while the service runs, without a deployment. Each has a key and a JSON object as its value.
The default applies until an admin changes it.

| Key | Value | Default | Meaning |
|---|---|---|---|
{rows}

Each policy has separate bounds, so that an admin cannot lock users out by mistake, and a fixed policy limits the two routes of this
page. A `limit` of `null` means no limit. `absoluteDays` must be at least `tokenDays` and `idleDays`. Existing sessions keep their expiry,
except for the idle one. The sign-in page offers at least one kind of account.

## Changing a setting

You need the address of the API and an admin's token (the README's walk has both):

    curl -s $API/api/admin/config -H "Authorization: Bearer $ALICE"
    curl -s -X PUT $API/api/admin/config/rateLimit.search -H "Authorization: Bearer $ALICE" \\
      -H 'Content-Type: application/json' -d '{{"value": {{"limit": 60, "window": 60}}}}'

The first call lists every setting with its value, its default, and the time and author of its last change. The second replaces the
whole value and writes an audit row (`config.changed`, with the previous and the new value). It takes effect at once in the environment
that handled the call, and everywhere else within {seconds:.0f} seconds. To undo it, set the default.

Values are rows of `system_config`. If no admin can sign in, use a database client:

    INSERT INTO system_config (key, value) VALUES ('rateLimit.admin', '{{"limit": 100, "window": 60}}')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now(), updated_by = NULL;

An invalid row is logged (`setting_ignored`) and ignored: the default applies.
"""


def settings_page() -> str:
    """Return the page with every run-time setting."""
    return _PAGE.format(
        rows="\n".join(_row(setting) for _, setting in sorted(SETTINGS.items())),
        seconds=CACHE_SECONDS,
    )


def _row(setting: Setting[Any]) -> str:
    fields = ", ".join(
        f"`{name}`: {_range(*setting.bounds[name]) if name in setting.bounds else bounds}"
        for name, bounds in _fields(setting.default)
    )
    default = json.dumps(setting.default.model_dump(by_alias=True))
    return f"| `{setting.key}` | {fields} | `{default}` | {setting.description} |"


def _fields(value: RequestModel) -> Iterator[tuple[str, str]]:
    """Yield each field of a value, dotted if nested, and its allowed values."""
    properties = type(value).model_json_schema()["properties"]
    for (_, item), (name, schema) in zip(value, properties.items(), strict=True):
        if isinstance(item, RequestModel):
            yield from ((f"{name}.{inner}", bounds) for inner, bounds in _fields(item))
        else:
            yield name, _bounds(schema)


def _range(minimum: int, maximum: int) -> str:
    return f"{minimum} to {maximum}"


def _bounds(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_bounds(choice) for choice in schema["anyOf"])
    if "minimum" in schema:
        return _range(schema["minimum"], schema["maximum"])
    if schema["type"] == "string":
        return f"{schema['minLength']} to {schema['maxLength']} characters"
    return {"null": "`null`", "boolean": "`true` or `false`"}[schema["type"]]
