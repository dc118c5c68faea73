"""Load a CloudFormation template from YAML."""

from pathlib import Path
from typing import Any, cast

import yaml


class TemplateError(Exception):
    """An error in the template, or a feature that the local emulation does not support."""


class _Loader(yaml.CSafeLoader):
    """CSafeLoader that also reads the short form of intrinsic functions."""


def _construct_intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        value = loader.construct_sequence(cast("yaml.SequenceNode", node), deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _construct_intrinsic)


def load(path: Path) -> dict[str, Any]:
    """Read a template; the short form `!Ref x` becomes the long form `{"Ref": "x"}`."""
    try:
        document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, yaml.YAMLError) as error:
        raise TemplateError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError(f"{path.name} is not a template")
    return document


def is_intrinsic(value: object) -> bool:
    """Return whether a value is an intrinsic function in its long form."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = next(iter(value))
    return name in {"Ref", "Condition"} or (isinstance(name, str) and name.startswith("Fn::"))
