"""GET /api/health, and the API document with its page."""

from pathlib import Path

import aws_lambda_powertools
from fastapi import Response
from fastapi.responses import HTMLResponse

from medianest.core.envelope import ApiResponse, ok
from medianest.core.errors import AppError, ErrorCode
from medianest.core.web import answers, create_app, lambda_handler
from medianest.health import service
from medianest.health.schemas import HealthOut

_OWN = Path(__file__).parent
# Swagger UI comes with Powertools, whose modules beside it are none of ours to import.
_SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler/openapi/swagger_ui"
_ASSETS = {
    "page.css": (_OWN / "page.css", "text/css"),
    "page.js": (_OWN / "page.js", "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI / "swagger-ui.min.css", "text/css"),
    "swagger-ui.js": (_SWAGGER_UI / "swagger-ui-bundle.min.js", "text/javascript"),
}
_FOR_MINUTES = {"Cache-Control": "public, max-age=300"}
_FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}

# Monitors and browsers add a parameter of no meaning, so that no cache answers.
app = create_app("DATABASE_URL", "REDIS_URL", any_query=True)


@app.get("/api/health", openapi_extra=answers(ErrorCode.DATABASE_CONNECTION_ERROR))
async def health() -> ApiResponse[HealthOut]:
    """Tell whether the service can work."""
    return ok(service.check())


@app.get("/api/openapi.json")
async def openapi_document() -> Response:
    """Return this document, which has no envelope: OpenAPI 3.0, of all functions."""
    document = (_OWN / "openapi.json").read_bytes()
    return Response(document, media_type="application/json", headers=_FOR_MINUTES)


@app.get("/api/docs", response_class=HTMLResponse)
async def docs_page() -> HTMLResponse:
    """Return the page that shows this document."""
    return HTMLResponse((_OWN / "page.html").read_bytes(), headers=_FOR_MINUTES)


@app.get(
    "/api/docs/{asset}",
    response_class=Response,
    responses={200: {"content": {media: {} for _, media in _ASSETS.values()}}},
)
async def docs_asset(asset: str) -> Response:
    """Return a script or a style sheet of that page."""
    if asset not in _ASSETS:
        raise AppError(ErrorCode.NOT_FOUND)
    path, media_type = _ASSETS[asset]
    return Response(path.read_bytes(), media_type=media_type, headers=_FOR_A_DAY)


handler = lambda_handler(app)
