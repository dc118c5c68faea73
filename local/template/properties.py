"""Reject the parts of a template that the emulation does not support."""

from collections.abc import Mapping
from typing import Any

from local.template.loader import TemplateError


def refuse_unknown(where: str, mapping: Mapping[str, Any], known: set[str]) -> None:
    """Raise TemplateError for a key that is not in `known`: it could change the behaviour."""
    unknown = sorted(set(mapping) - known)
    if unknown:
        raise TemplateError(f"{where}: the local runtime does not support {', '.join(unknown)}")
