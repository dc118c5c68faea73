"""Placeholders for values that exist only on AWS, so that a template can be read without them.

They are strings. Code that needs the real value checks `placeholder_origin` and raises an error.
"""

import re

_PLACEHOLDER = re.compile(r"<no (parameter|resource) (\w+)>")


def parameter_placeholder(name: str) -> str:
    """Return the placeholder for a parameter without a value."""
    return f"<no parameter {name}>"


def resource_placeholder(name: str) -> str:
    """Return the placeholder for a resource that is not emulated, such as a secret."""
    return f"<no resource {name}>"


def placeholder_resource(value: str) -> str:
    """Return the name of the resource for which a placeholder is."""
    match = _PLACEHOLDER.fullmatch(value)
    if match is None or match[1] != "resource":
        raise ValueError(f"{value!r} is not a reference to a resource of the template")
    return match[2]


def placeholder_origin(value: str) -> str | None:
    """Return the missing parameter or resource in `value`; None if nothing is missing."""
    match = _PLACEHOLDER.search(value)
    if match is None:
        return None
    kind, name = match.groups()
    if kind == "parameter":
        return f"the parameter {name}, which has no value"
    return f"{name}, which exists only on AWS"
