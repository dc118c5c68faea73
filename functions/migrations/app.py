"""Brings the database up to date."""

from typing import Any

from medianest.core.config import require
from medianest.migrations.runner import run

require("DATABASE_URL")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Apply the migrations that are missing and return their names."""
    return {"applied": run()}
