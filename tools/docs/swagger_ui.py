"""Copy Swagger UI's files for the API page from the locked package that contains them."""

from importlib.metadata import distribution
from pathlib import Path

# A package for Flask, used only for its files: it contains each release with its licence.
_PACKAGE = "flask-swagger-ui"
ASSETS = ("LICENSE", "VERSION", "swagger-ui-bundle.js", "swagger-ui.css")


def asset(name: str) -> str:
    """Return the content of a file of Swagger UI."""
    path = Path(str(distribution(_PACKAGE).locate_file(f"flask_swagger_ui/dist/{name}")))
    return path.read_text(encoding="utf-8")
