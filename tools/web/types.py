"""Write web/types/api.d.ts: the types of the API, made from its document."""

import hashlib

from local.run_config import PROJECT
from tools.web.node import checked, node, packages

DOCUMENT = PROJECT / "functions/health/openapi.json"
TYPES = PROJECT / "web/types/api.d.ts"


def header() -> str:
    """Return the lines above the types, with the hash of the document that they come from."""
    digest = hashlib.sha256(DOCUMENT.read_bytes()).hexdigest()
    return f"// Made by `make docs` from the API document with the SHA-256 hash\n// {digest}\n\n"


def write() -> None:
    """Write the types of the API document, unless the file has them already."""
    if TYPES.exists() and TYPES.read_text(encoding="utf-8").startswith(header()):
        return
    command = packages("types") / "openapi-typescript/bin/cli.js"
    text = checked(
        node(command, DOCUMENT, "--alphabetize", "--root-types", "--root-types-no-schema-prefix")
    )
    TYPES.parent.mkdir(exist_ok=True)
    TYPES.write_text(header() + text.partition("*/")[2].lstrip(), encoding="utf-8")
