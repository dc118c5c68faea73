"""Placeholders for values that exist on AWS alone, so that a template can be read without them.

They are texts. Code that needs the real value asks `placeholder_origin` and refuses to go on.
"""

import re

_PLACEHOLDER = re.compile(r"<no (parameter|resource) (\w+)>")


def parameter_placeholder(name: str) -> str:
    """Return the placeholder for a parameter without a value."""
    return f"<no parameter {name}>"


def resource_placeholder(name: str) -> str:
    """Return the placeholder for a resource that is not emulated, such as a secret."""
    return f"<no resource {name}>"


def placeholder_origin(value: str) -> str | None:
    """Name the missing parameter or resource that `value` is made from; None if it is complete."""
    found = _PLACEHOLDER.search(value)
    if found is None:
        return None
    kind, name = found.groups()
    if kind == "parameter":
        return f"the parameter {name}, which has no value"
    return f"{name}, which only AWS has"
