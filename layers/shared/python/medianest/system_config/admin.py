"""The run-time settings as admins see and change them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_fields
from medianest.core.validation import invalid_value
from medianest.system_config import registry, repository
from medianest.system_config.admin_schemas import SettingField, SettingOut
from medianest.system_config.service import by_key, current_value, invalidate
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medianest.core.caller import Caller
    from medianest.core.envelope import RequestModel
    from medianest.system_config.admin_schemas import SettingIn
    from medianest.system_config.models import ConfigRow
    from medianest.system_config.registry import Setting
    from medianest.users.models import Principal


def list_settings() -> list[SettingOut]:
    """Return every setting with its current value, sorted by key."""
    rows = by_key(database().read(repository.named_rows))
    return [_out(setting, rows) for _, setting in sorted(registry.SETTINGS.items())]


def find(key: str) -> Setting[Any]:
    """Return a setting by its key; raises NOT_FOUND."""
    setting = registry.SETTINGS.get(key)
    if setting is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return setting


def change(key: str, body: SettingIn, admin: Principal, caller: Caller) -> SettingOut:
    """Change a setting; raises NOT_FOUND or VALIDATION_ERROR, or as `lock_admin` does.

    Raises EDIT_CONFLICT if the setting has another value than the caller expects, unless it has the
    new one already: a repeated call succeeds.

    The change applies in this environment at once, and in others when their cache expires.
    """
    setting = find(key)
    try:
        new = _wire(setting.read(body.value))
    except ValidationError as error:
        raise invalid_value(error.errors(), "body", "value") from error
    _check_bounds(setting, new)
    with database().transaction() as connection:
        lock_admin(connection, admin)
        # Serialise writers, so that each audit row has the value of the previous writer.
        repository.lock(connection)
        rows = by_key(repository.named_rows(connection))
        old, current_row = current_value(setting, rows)
        if new != _wire(old) and body.expected not in (None, _wire(old)):
            raise AppError(ErrorCode.EDIT_CONFLICT, details=_conflict(_out(setting, rows)))
        # Skip an unchanged value, unless it replaces an invalid row.
        if new == _wire(old) and rows.get(key) is current_row:
            return _out(setting, rows)
        row = repository.put(connection, key, new, admin.user_id)
        audit_repository.record(
            connection,
            Action.CONFIG_CHANGED,
            caller,
            user_id=admin.user_id,
            target=("config", key),
            details={"from": _wire(old), "to": new},
        )
    invalidate()
    return _out(setting, {key: row})


def fields_of(setting: Setting[Any]) -> list[SettingField]:
    """Return the fields of a value with their bounds, those of nested ones as `outer.inner`."""
    model: type[RequestModel] = type(setting.default)
    return [
        each.model_copy(update={"minimum": bounds[0], "maximum": bounds[1]})
        if (bounds := setting.bounds.get(each.name))
        else each
        for each in _fields_of_model(model)
    ]


def _conflict(current: SettingOut) -> dict[str, Any]:
    """Return the details of a refusal: the current value, and who set it when."""
    fields = {"value", "updated_at", "updated_by_name"}
    return current.model_dump(mode="json", by_alias=True, exclude_none=True, include=fields)


def _check_bounds(setting: Setting[Any], new: dict[str, Any]) -> None:
    problems = [
        (f"body.value.{name}", f"Must be from {minimum} to {maximum} for {setting.key}")
        for name, (minimum, maximum) in setting.bounds.items()
        if not minimum <= new[name] <= maximum
    ]
    if problems:
        raise invalid_fields(problems)


def _out(setting: Setting[Any], rows: Mapping[str, ConfigRow]) -> SettingOut:
    value, row = current_value(setting, rows)
    return SettingOut(
        key=setting.key,
        value=_wire(value),
        default=_wire(setting.default),
        updated_at=None if row is None else row.updated_at,
        updated_by=None if row is None else row.updated_by,
        updated_by_name=None if row is None else row.updated_by_name,
        fields=fields_of(setting),
    )


def _wire(value: RequestModel) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)


@cache
def _fields_of_model(model: type[RequestModel]) -> list[SettingField]:
    schema = model.model_json_schema()
    return _fields_of_schema(schema, schema.get("$defs", {}), "")


def _fields_of_schema(
    schema: dict[str, Any], models: dict[str, Any], prefix: str
) -> list[SettingField]:
    found: list[SettingField] = []
    for name, own in schema["properties"].items():
        options = own.get("anyOf", [own])
        field_schema = next(each for each in options if each.get("type") != "null")
        if "$ref" in field_schema:
            nested = models[field_schema["$ref"].rpartition("/")[2]]
            found += _fields_of_schema(nested, models, f"{prefix}{name}.")
            continue
        unit = "Length" if field_schema["type"] == "string" else "imum"
        found.append(
            SettingField(
                name=f"{prefix}{name}",
                type=field_schema["type"],
                minimum=field_schema.get(f"min{unit}"),
                maximum=field_schema.get(f"max{unit}"),
                nullable=len(options) > 1,
            )
        )
    return found
