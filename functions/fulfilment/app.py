"""Administration of the servers that fetch titles, and of jobs."""

from typing import Annotated

from medianest.api.app import create_app, documented_errors, lambda_handler
from medianest.api.dependencies import Admin
from medianest.api.parameters import Path, Query
from medianest.api.rate_limiting import ClientDep
from medianest.core import drivers
from medianest.core.envelope import ApiResponse, Id, PageResponse, ok
from medianest.core.error_codes import ErrorCode
from medianest.core.examples import JOB_ID
from medianest.jobs import admin as jobs_admin
from medianest.jobs.schemas import JobOut, JobQuery, JobsRetryIn, JobsRetryOut
from medianest.servers import service as servers_service
from medianest.servers.schemas import ServerOut

drivers.load("psycopg", "redis")
app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
)

_JobId = Annotated[Id, Path(description="Id of the job", examples=[JOB_ID])]


@app.get("/api/admin/servers")
async def list_servers(admin: Admin) -> ApiResponse[list[ServerOut]]:
    """List the servers that fetch titles, without their secrets."""
    return ok([ServerOut.of(server) for server in servers_service.every()])


@app.get("/api/admin/jobs")
async def list_jobs(query: Annotated[JobQuery, Query()], admin: Admin) -> PageResponse[JobOut]:
    """List the jobs, the newest first."""
    return jobs_admin.page(query)


@app.post("/api/admin/jobs/retry")
async def retry_jobs(
    admin: Admin, caller: ClientDep, body: JobsRetryIn = JobsRetryIn()
) -> ApiResponse[JobsRetryOut]:
    """Retry up to 500 dead jobs, those that died first first."""
    return ok(jobs_admin.retry_dead(body, admin, caller))


@app.get("/api/admin/jobs/{id}")
async def get_job(id: _JobId, admin: Admin) -> ApiResponse[JobOut]:
    """Return a job."""
    return ok(jobs_admin.get(id))


@app.post("/api/admin/jobs/{id}/retry", openapi_extra=documented_errors(ErrorCode.INVALID_STATE))
async def retry_job(id: _JobId, admin: Admin, caller: ClientDep) -> ApiResponse[JobOut]:
    """Run a job as soon as possible, unless it is done.

    If another job has taken the place of a dead or cancelled one, that one is retried and returned.
    """
    return ok(jobs_admin.retry(id, admin, caller))


@app.post("/api/admin/jobs/{id}/cancel", openapi_extra=documented_errors(ErrorCode.INVALID_STATE))
async def cancel_job(id: _JobId, admin: Admin, caller: ClientDep) -> ApiResponse[JobOut]:
    """Cancel a queued job."""
    return ok(jobs_admin.cancel(id, admin, caller))


handler = lambda_handler(app)
