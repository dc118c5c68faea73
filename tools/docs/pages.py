"""The pages that are generated from the code."""

from collections.abc import Callable, Mapping

from medianest.core.errors import REGISTRY
from tools.docs.costs import costs_figure, operations_page
from tools.docs.environment import env_example, environment_page
from tools.docs.openapi import openapi_page
from tools.docs.rate_limits import rate_limits_page
from tools.docs.settings import settings_page

_ERRORS = """\
# Errors

Generated from `medianest/core/errors.py` by `make docs`; do not edit.

Every error has the envelope `{"success": false, "error": {"code", "message", "details"?}}`.
Branch on `code`, which is stable; the message is for users and may change. With the
`X-Request-Id` of the response, an operator finds the log lines.

| Code | HTTP | Message | Solution |
|---|---|---|---|
"""


def errors_page() -> str:
    """Return the error reference."""
    return _ERRORS + "".join(
        f"| `{code}` | {spec.status} | {spec.message} | {spec.what_to_do} |\n"
        for code, spec in REGISTRY.items()
    )


# Keys are paths relative to the project.
PAGES: Mapping[str, Callable[[], str]] = {
    ".env.example": env_example,
    "docs/costs.svg": costs_figure,
    "docs/environment.md": environment_page,
    "docs/errors.md": errors_page,
    "docs/openapi.json": openapi_page,
    "docs/operations.md": operations_page,
    "docs/rate-limits.md": rate_limits_page,
    "docs/settings.md": settings_page,
    # As it is deployed: a function has nothing but its own folder and the layers.
    "functions/health/openapi.json": openapi_page,
}
