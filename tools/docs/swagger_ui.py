"""Swagger UI's files for the API page, copied from the locked package that carries them."""

from importlib.metadata import distribution
from pathlib import Path

# A package for Flask, which nothing here imports. It carries the files and licence of each release.
_PACKAGE = "flask-swagger-ui"
ASSETS = ("LICENSE", "VERSION", "swagger-ui-bundle.js", "swagger-ui.css")


def asset(name: str) -> str:
    """Return a file of Swagger UI as the package has it."""
    path = Path(str(distribution(_PACKAGE).locate_file(f"flask_swagger_ui/dist/{name}")))
    return path.read_text(encoding="utf-8")
