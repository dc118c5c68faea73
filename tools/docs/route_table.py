"""Generate the table of routes in README.md, between marks."""

from collections.abc import Iterator, Mapping
from typing import Any

from local.run_config import PROJECT
from local.template.reader import read_template
from tools.docs.marked import with_part
from tools.docs.openapi import openapi
from tools.docs.routes import served_routes


def readme_page() -> str:
    """Return the README with its table of routes."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    return with_part(text, "routes", "\n".join(_rows()))


def _rows() -> Iterator[str]:
    document = openapi()
    yield "| Route | For | Takes | Does |"
    yield "|---|---|---|---|"
    template = read_template(PROJECT / "template.yaml", opt=PROJECT / ".venv" / "opt")
    for served in served_routes(template):
        operation = document["paths"][served.path][served.method.lower()]
        inputs = _inputs(operation, document["components"]["schemas"])
        yield (
            f"| `{served.method} {served.path}` | {served.callers} | {inputs or '-'} |"
            f" {operation['summary']} |"
        )


def _inputs(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return the fields of the body, the query parameters and the headers of an operation."""
    parameters = [
        f"`{parameter['name']}`"
        for parameter in operation.get("parameters", ())
        if parameter["in"] in {"query", "header"} and parameter["name"] != "If-None-Match"
    ]
    if "requestBody" not in operation:
        return ", ".join(parameters)
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = schemas[reference.rpartition("/")[2]]
    required = schema.get("required", ())
    fields = [name if name in required else f"{name}?" for name in schema.get("properties", ())]
    return ", ".join([f"`{{{', '.join(fields)}}}`", *parameters])
