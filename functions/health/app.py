"""GET /api/health."""

from medianest.core.envelope import ApiResponse, ok
from medianest.core.web import create_app, lambda_handler
from medianest.health import service
from medianest.health.schemas import HealthOut

app = create_app("DATABASE_URL", "REDIS_URL")


@app.get("/api/health")
async def health() -> ApiResponse[HealthOut]:
    """Tell whether the service can work."""
    return ok(service.check())


handler = lambda_handler(app)
