"""The pages that are made from the code: `make docs` writes them, a test holds them."""

from collections.abc import Callable, Mapping

from local.config import PROJECT
from local.docs_costs import costs_figure, operations_page
from local.docs_environment import env_example, environment_page
from local.docs_openapi import openapi_page
from local.docs_rate_limits import rate_limits_page
from local.docs_settings import settings_page
from medianest.core.errors import REGISTRY

_ERRORS = """\
# Errors

Made from `medianest/core/errors.py` by `make docs`; do not edit.

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


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (PROJECT / name).write_text(page(), encoding="utf-8")
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
