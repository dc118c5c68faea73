"""The pages that are generated from the code."""

from collections.abc import Callable, Mapping

from medianest.core.error_codes import REGISTRY
from tools.docs.costs import costs_figure, operations_page
from tools.docs.environment import env_example, environment_page
from tools.docs.openapi import openapi_page
from tools.docs.rate_limits import rate_limits_page
from tools.docs.settings import settings_page

_ERRORS = """\
# Errors

Made from `medianest/core/error_codes.py` by `make docs`; do not edit.

Every error has the envelope `{"success": false, "error": {"code", "message", "details"?}}`.
Branch on `code`: it is fixed, while the message is for people. With the answer's `X-Request-Id`
an operator finds its log lines.

| Code | HTTP | Message | What to do |
|---|---|---|---|
"""


def errors_page() -> str:
    """Return the error reference."""
    return _ERRORS + "".join(
        f"| `{code}` | {spec.status} | {spec.message} | {spec.what_to_do} |\n"
        for code, spec in REGISTRY.items()
    )


# By their paths within the project.
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
