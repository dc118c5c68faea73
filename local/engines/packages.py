"""Find the installed packages that contain the engines' programs."""

import importlib.util
from pathlib import Path

from local.engines.errors import EngineError


def package_folder(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if not spec or not spec.origin:
        raise EngineError(f"The package {name} is not installed: remove .venv, then run make again")
    return Path(spec.origin).parent
