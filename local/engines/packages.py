"""Find the packages that bring the engines' programs."""

import importlib.util
from pathlib import Path

from local.engines.errors import EngineError


def package_folder(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if not spec or not spec.origin:
        raise EngineError(f"the package {name} is not installed")
    return Path(spec.origin).parent
