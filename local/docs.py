"""The pages of docs/ that are made from the code: `make docs` writes them, a test holds them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from medianest.core.errors import REGISTRY

DOCS = Path(__file__).parents[1] / "docs"
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


PAGES: Mapping[str, Callable[[], str]] = {"errors.md": errors_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
