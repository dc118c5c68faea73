"""List the pages that are generated from the code."""

from collections.abc import Callable, Mapping
from functools import partial

from tools.docs.environment import env_example, environment_page
from tools.docs.errors import errors_page
from tools.docs.events import events
from tools.docs.openapi import openapi_page
from tools.docs.rate_limits import rate_limits_page
from tools.docs.route_table import readme_page
from tools.docs.settings import settings_page
from tools.docs.swagger_ui import ASSETS, asset
from tools.docs.template import template_page

# Keys are paths relative to the project. README.md and template.yaml are generated in part.
PAGES: Mapping[str, Callable[[], str]] = {
    ".env.example": env_example,
    "README.md": readme_page,
    "docs/environment.md": environment_page,
    "docs/errors.md": errors_page,
    "docs/rate-limits.md": rate_limits_page,
    "docs/settings.md": settings_page,
    # Inside the function's folder, because only that folder and the layers are deployed with it.
    "functions/health/openapi.json": openapi_page,
    **{f"functions/health/swagger-ui/{name}": partial(asset, name) for name in ASSETS},
    "template.yaml": template_page,
}


def texts() -> dict[str, str]:
    """Return the text of every page and sample event, by its path within the project."""
    return {name: page() for name, page in PAGES.items()} | events()
