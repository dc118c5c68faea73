"""Administration of the servers that fetch titles."""

from medianest.api.app import create_app, lambda_handler
from medianest.api.dependencies import Admin
from medianest.core import drivers
from medianest.core.envelope import ApiResponse, ok
from medianest.servers import service as servers_service
from medianest.servers.schemas import ServerOut

drivers.load("psycopg", "redis")
app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "ENCRYPTION_KEY",
)


@app.get("/api/admin/servers")
async def list_servers(admin: Admin) -> ApiResponse[list[ServerOut]]:
    """List the servers that fetch titles, without their secrets."""
    return ok([ServerOut.of(server) for server in servers_service.every()])


handler = lambda_handler(app)
