"""docs/settings.md: what can change while the service runs, from the registry of settings."""

import json
from collections.abc import Iterator
from typing import Any

from medianest.core.envelope import RequestModel
from medianest.system_config.registry import SETTINGS, Setting
from medianest.system_config.service import CACHE_SECONDS

_PAGE = """\
# Settings

Made from `medianest/system_config/registry.py` by `make docs`; do not edit.

What an admin can change while the service runs, without a deployment. Each is a key with a JSON object; without a word from
anybody the default holds.

| Key | Value | Default | Meaning |
|---|---|---|---|
{rows}

A limit has bounds of its own for each policy, so that no admin locks people out by mistake, and the two routes of this page are
limited by a policy that cannot be changed. A `limit` of `null` is no limit. `absoluteDays` must be at least `tokenDays` and `idleDays`. Sessions that exist keep the ends they
were made with, but for the idle one.

## Changing one

With an address of the API and an admin's token (the README's walk has both):

    curl -s $API/api/admin/config -H "Authorization: Bearer $ALICE"
    curl -s -X PUT $API/api/admin/config/rateLimit.search -H "Authorization: Bearer $ALICE" \\
      -H 'Content-Type: application/json' -d '{{"value": {{"limit": 60, "window": 60}}}}'

The first lists every setting with its value, its default, and who changed it when. The second replaces the whole value and is
written to the audit log (`config.changed`, with the former value and the new one). It holds at once where the change was made
and everywhere else within {seconds:.0f} seconds. To go back, set the default.

Values are rows of `system_config`, so a database client will do when nobody can sign in as an admin:

    INSERT INTO system_config (key, value) VALUES ('rateLimit.admin', '{{"limit": 100, "window": 60}}')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now(), updated_by = NULL;

A row that cannot be understood is told to the log (`setting_ignored`) and left out: the default holds.
"""  # noqa: E501 - lines of the page are long


def settings_page() -> str:
    """Return the reference of the settings."""
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
    """Return the fields of a value, dotted where they are nested, and what each may be."""
    properties = type(value).model_json_schema()["properties"]
    for (_, item), (name, schema) in zip(value, properties.items(), strict=True):
        if isinstance(item, RequestModel):
            yield from ((f"{name}.{inner}", bounds) for inner, bounds in _fields(item))
        else:
            yield name, _bounds(schema)


def _range(least: int, most: int) -> str:
    return f"{least} to {most}"


def _bounds(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_bounds(choice) for choice in schema["anyOf"])
    if "minimum" in schema:
        return _range(schema["minimum"], schema["maximum"])
    return {"null": "`null`", "boolean": "`true` or `false`"}[schema["type"]]
