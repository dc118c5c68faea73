"""Convert pydantic's JSON Schemas to the older dialect of OpenAPI 3.0."""

import re
from collections.abc import Mapping
from copy import copy
from typing import Any

type Schema = dict[str, Any]

_REF = "#/components/schemas/"
_COPIED = {
    *("additionalProperties", "default", "enum", "format", "items", "maxItems", "maxLength"),
    *("maxProperties", "minItems", "minLength", "minProperties", "pattern", "type", "uniqueItems"),
}
# Bounds of whole numbers: each keyword of JSON Schema, or of pydantic for a field with a validator,
# with the keyword of OpenAPI and the number to add.
_BOUNDS = {
    "minimum": ("minimum", 0),
    "ge": ("minimum", 0),
    "exclusiveMinimum": ("minimum", 1),
    "gt": ("minimum", 1),
    "maximum": ("maximum", 0),
    "le": ("maximum", 0),
    "exclusiveMaximum": ("maximum", -1),
    "lt": ("maximum", -1),
}
_CONVERTED = {
    *("$ref", "additionalProperties", "anyOf", "const", "description", "examples", "properties"),
    "required",
}
# A title only repeats the name.
_DROPPED = {"title"}
_SNAKE = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")


class Converter:
    """Converts schemas to OpenAPI 3.0; raises ValueError for keywords that it cannot express.

    A reference to anything but an object is replaced by its target.
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def sent(self, schema: Schema) -> Schema:
        """Convert a schema of responses and parameters, where an absent key replaces null."""
        return self._convert(schema, is_sent=True)

    def received(self, schema: Schema) -> Schema:
        """Convert a schema of request bodies, where null can mean an absent key."""
        return self._convert(schema, is_sent=False)

    def _convert(self, schema: Schema, *, is_sent: bool, is_item: bool = False) -> Schema:
        _refuse_unknown(schema)
        converted: Schema = {}
        for key, value in schema.items():
            match key:
                case "$ref":
                    converted |= self._reference(value, is_sent=is_sent)
                case "anyOf":
                    converted |= self._choice(value, is_sent=is_sent, is_item=is_item)
                case "properties":
                    converted |= self._properties(schema, is_sent=is_sent)
                case "items" | "additionalProperties" if isinstance(value, dict):
                    converted[key] = self._convert(value, is_sent=is_sent, is_item=True)
                case "const" | "description" | "examples":
                    converted |= _older_keyword(key, value)
                case bound if bound in _BOUNDS:
                    name, distance = _BOUNDS[bound]
                    converted[name] = _whole(schema, value) + distance
                case keyword if keyword in _COPIED:
                    converted |= {} if value is None else {keyword: copy(value)}
        return converted

    def _properties(self, schema: Schema, *, is_sent: bool) -> Schema:
        properties: Schema = {}
        required = set(schema.get("required", ()))
        for name, each in schema["properties"].items():
            properties[name] = self._convert(each, is_sent=is_sent)
            # OpenAPI ignores keywords beside a $ref, so the model has the description.
            if "$ref" not in properties[name] and "description" not in properties[name]:
                raise ValueError(f"{schema['title']}.{name} has no description")
            # Fields with a default are always in a response.
            if is_sent and properties[name].pop("default", None) is not None:
                required.add(name)
        converted: Schema = {"properties": properties}
        if required:
            converted["required"] = [name for name in properties if name in required]
        return converted

    def _reference(self, reference: str, *, is_sent: bool) -> Schema:
        name = reference.removeprefix(_REF)
        target = self._definitions[name]
        if "properties" in target:
            return {"$ref": _REF + public_name(name)}
        return self._convert(target, is_sent=is_sent)

    def _choice(self, choices: list[Schema], *, is_sent: bool, is_item: bool) -> Schema:
        others = [each for each in choices if each != {"type": "null"}]
        can_be_null = len(others) < len(choices) and (is_item or not is_sent)
        convert = self._convert_nullable if can_be_null else self._convert
        converted = [convert(each, is_sent=is_sent) for each in others]
        return converted[0] if len(converted) == 1 else {"anyOf": converted}

    def _convert_nullable(self, schema: Schema, *, is_sent: bool) -> Schema:
        # OpenAPI ignores keywords beside a $ref, so the target is inlined.
        target = self._definitions.get(schema.get("$ref", "").removeprefix(_REF), schema)
        converted = self._convert(target, is_sent=is_sent)
        if "enum" in converted:
            converted["enum"].append(None)
        return converted | {"nullable": True}


def public_name(name: str) -> str:
    """Return the document's name of a model: User for `UserOut`, UserPage for a page of them."""
    if page := re.fullmatch(r"PageResponse_(\w+)_", name):
        return f"{public_name(page[1])}Page"
    if items := re.fullmatch(r"ApiResponse_list_(\w+)__", name):
        return f"{public_name(items[1])}List"
    if one := re.fullmatch(r"ApiResponse_(\w+)_", name):
        return f"{public_name(one[1])}Response"
    return {"RequestOut": "MediaRequest"}.get(name, name.removesuffix("Out"))


def camel_cased(text: str) -> str:
    """Return a docstring with the names of fields in camelCase, as callers know them."""
    return _SNAKE.sub(lambda match: f"`{_camel(match[1])}`", text)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _older_keyword(key: str, value: Any) -> Schema:
    match key:
        case "const":
            return {"enum": [value]}
        case "examples":
            if len(value) != 1:
                raise ValueError("OpenAPI 3.0 allows only one example of a value")
            return {"example": value[0]}
    return {key: camel_cased(value)}


def _refuse_unknown(schema: Schema) -> None:
    unknown = sorted(schema.keys() - _COPIED - _BOUNDS.keys() - _CONVERTED - _DROPPED)
    if unknown:
        raise ValueError(f"unsupported in OpenAPI 3.0 or by this converter: {', '.join(unknown)}")


def _whole(schema: Schema, value: float) -> int:
    if schema.get("type") != "integer":
        raise ValueError("only whole numbers can have bounds")
    return int(value)
