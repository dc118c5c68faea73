"""Health check, and the API document with its page."""

from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from medianest import VERSION
from medianest.api.app import create_app, documented_errors, lambda_handler
from medianest.api.parameters import Header, HTMLResponse, Response
from medianest.api.parameters import Path as PathParameter
from medianest.api.rate_limiting import rate_limited_by_address
from medianest.core.envelope import ApiResponse, ok
from medianest.core.error_codes import DATABASE_FAILURES, ErrorCode
from medianest.core.errors import AppError
from medianest.core.examples import Examples
from medianest.health import service
from medianest.health.schemas import HealthOut

_FOLDER = Path(__file__).parent
# The files of Swagger UI are copies that `make docs` writes, with their licence.
_ASSETS = {
    "page.css": (_FOLDER / "page.css", "text/css"),
    "page.js": (_FOLDER / "page.js", "text/javascript"),
    "swagger-ui.css": (_FOLDER / "swagger-ui/swagger-ui.css", "text/css"),
    "swagger-ui.js": (_FOLDER / "swagger-ui/swagger-ui-bundle.js", "text/javascript"),
}
_EXAMPLES = {
    "text/css": "main { max-width: 60em }",
    "text/javascript": 'SwaggerUIBundle({ dom_id: "#api", url: "openapi.json" });',
}
_FOR_MINUTES = "public, max-age=300"
# The page adds the ETag of each asset to its URL (`?v=…`), so a new version has a new URL.
_FOR_EVER = "public, max-age=31536000, immutable"
_CACHED = ("ETag",)
_IF_NONE_MATCH = Annotated[str | None, Header(include_in_schema=False)]
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified"}}


def _documented(examples: Examples) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route without an envelope: an example by media type."""
    return {
        200: {"content": {key: {"example": each} for key, each in examples.items()}},
        **_NOT_MODIFIED,
    }


# Monitors and browsers add a meaningless parameter to bypass caches.
app = create_app("DATABASE_URL", "REDIS_URL", any_query=True)


@cache
def _tag(path: Path) -> str:
    """Return the ETag of a file: a digest of its content."""
    return sha256(path.read_bytes()).hexdigest()[:16]


def _document(
    tag: str, content: bytes, media_type: str, cache_control: str, if_none_match: str | None
) -> Response:
    """Respond with a document, or with 304 if the caller has it (RFC 9110, section 13.1.2)."""
    headers = {"Cache-Control": cache_control, "ETag": f'"{tag}"'}
    # A proxy or a browser may mark the ETag as weak (`W/`), which is equal here (section 8.8.3.2).
    if if_none_match is not None and tag in {
        each.strip(' "W/') for each in if_none_match.split(",")
    }:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


@app.get(
    "/api/health",
    openapi_extra=documented_errors(*DATABASE_FAILURES, throttle=(50, 100)),
)
async def health() -> ApiResponse[HealthOut]:
    """Check the database and the cache."""
    return ok(service.check())


@app.get(
    "/api/openapi.json",
    dependencies=[rate_limited_by_address("docs")],
    responses=_documented(
        {
            "application/json": {
                "openapi": "3.0.3",
                "info": {"title": "MediaNest", "version": VERSION},
                "paths": {},
            }
        }
    ),
    openapi_extra=documented_errors(headers=_CACHED),
)
async def openapi_document(if_none_match: _IF_NONE_MATCH = None) -> Response:
    """Return the OpenAPI 3.0 document of all functions, without an envelope."""
    path = _FOLDER / "openapi.json"
    content = path.read_bytes()
    return _document(_tag(path), content, "application/json", _FOR_MINUTES, if_none_match)


@app.get(
    "/api/docs",
    response_class=HTMLResponse,
    dependencies=[rate_limited_by_address("docs")],
    responses=_documented({"text/html": "<!doctype html>"}),
    openapi_extra=documented_errors(headers=_CACHED),
)
async def docs_page(if_none_match: _IF_NONE_MATCH = None) -> Response:
    """Return a web page that shows the API document."""
    page = (_FOLDER / "page.html").read_text(encoding="utf-8")
    for name, (path, _) in _ASSETS.items():
        page = page.replace(f"docs/{name}", f"docs/{name}?v={_tag(path)}")
    content = page.encode()
    tag = sha256(content).hexdigest()[:16]
    return _document(tag, content, "text/html", _FOR_MINUTES, if_none_match)


@app.get(
    "/api/docs/{asset}",
    response_class=Response,
    dependencies=[rate_limited_by_address("docs")],
    responses=_documented(_EXAMPLES),
    openapi_extra=documented_errors(headers=_CACHED, throttle=(20, 40)),
)
async def docs_asset(
    asset: Annotated[str, PathParameter(description="Name of the file", examples=["page.js"])],
    if_none_match: _IF_NONE_MATCH = None,
) -> Response:
    """Return a script or a style sheet of the API page."""
    if asset not in _ASSETS:
        raise AppError(ErrorCode.NOT_FOUND)
    path, media_type = _ASSETS[asset]
    return _document(_tag(path), path.read_bytes(), media_type, _FOR_EVER, if_none_match)


handler = lambda_handler(app)
