"""Administration of the servers that fetch titles, of the rules that choose one, and of jobs."""

from http import HTTPStatus
from typing import Annotated

from medianest.api.app import create_app, documented_errors, lambda_handler
from medianest.api.dependencies import Admin, TestingAdmin
from medianest.api.parameters import Path, Query
from medianest.api.rate_limiting import ClientDep
from medianest.core import drivers
from medianest.core.envelope import ApiResponse, EmptyIn, Id, PageResponse, ok
from medianest.core.error_codes import ErrorCode
from medianest.core.examples import JOB_ID, SERVER_ID
from medianest.fulfilment import adopt as fulfilment_adopt
from medianest.fulfilment.adopt_schemas import AdoptedOut, AdoptIn
from medianest.fulfilment.hooks import HANDOVER
from medianest.jobs import admin as jobs_admin
from medianest.jobs import runners
from medianest.jobs.schemas import JobOut, JobQuery, JobsRetryIn, JobsRetryOut
from medianest.servers import service as servers_service
from medianest.servers import testing
from medianest.servers.rule_schemas import InventoryOut, RuleOut, RulesIn, TestOut
from medianest.servers.schemas import ServerChangeIn, ServerIn, ServerOut

drivers.load("psycopg", "redis")
app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "ENCRYPTION_KEY",
)

runners.register_hooks("handover", HANDOVER)

_JobId = Annotated[Id, Path(description="Id of the job", examples=[JOB_ID])]
_ServerId = Annotated[Id, Path(description="Id of the server", examples=[SERVER_ID])]


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
async def retry_job(
    id: _JobId, admin: Admin, caller: ClientDep, body: EmptyIn = EmptyIn()
) -> ApiResponse[JobOut]:
    """Run a job as soon as possible, unless it is done.

    If another job has taken the place of a dead or cancelled one, that one is retried and returned.
    """
    return ok(jobs_admin.retry(id, admin, caller))


@app.post("/api/admin/jobs/{id}/cancel", openapi_extra=documented_errors(ErrorCode.INVALID_STATE))
async def cancel_job(
    id: _JobId, admin: Admin, caller: ClientDep, body: EmptyIn = EmptyIn()
) -> ApiResponse[JobOut]:
    """Cancel a queued job."""
    return ok(jobs_admin.cancel(id, admin, caller))


@app.post("/api/admin/servers", status_code=HTTPStatus.CREATED)
async def create_server(body: ServerIn, admin: Admin, caller: ClientDep) -> ApiResponse[ServerOut]:
    """Add a server; its profiles, folders and tags are read soon after. There are 10 at most."""
    return ok(ServerOut.of(servers_service.add(body, admin, caller)))


@app.get("/api/admin/servers/{id}")
async def get_server(id: _ServerId, admin: Admin) -> ApiResponse[ServerOut]:
    """Return a server, without its secrets."""
    return ok(ServerOut.of(servers_service.get(id)))


@app.patch("/api/admin/servers/{id}")
async def change_server(
    id: _ServerId, body: ServerChangeIn, admin: Admin, caller: ClientDep
) -> ApiResponse[ServerOut]:
    """Change a server, which also frees a misconfigured one.

    Another address removes the API key and the headers, unless a new key comes with it.
    """
    return ok(ServerOut.of(servers_service.change(id, body, admin, caller)))


@app.delete(
    "/api/admin/servers/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=documented_errors(ErrorCode.SERVER_IN_USE),
)
async def delete_server(id: _ServerId, admin: Admin, caller: ClientDep) -> None:
    """Delete a server with its rules; nothing changes on the server itself."""
    servers_service.delete(id, admin, caller)


@app.post("/api/admin/servers/{id}/test")
async def check_server(
    id: _ServerId, admin: TestingAdmin, caller: ClientDep, body: EmptyIn = EmptyIn()
) -> ApiResponse[TestOut]:
    """Call a server now, in 8 seconds at most; a success frees a misconfigured one."""
    return ok(testing.test(id, admin, caller))


@app.get("/api/admin/servers/{id}/inventory")
async def show_inventory(id: _ServerId, admin: Admin) -> ApiResponse[InventoryOut]:
    """Return the profiles, folders and tags of a server, as they were last read."""
    server = servers_service.get(id)
    stored = server.inventory or {}
    return ok(InventoryOut.model_validate({**stored, "readAt": server.inventory_at}))


@app.get("/api/admin/routing-rules")
async def list_routing_rules(admin: Admin) -> ApiResponse[list[RuleOut]]:
    """List the rules in their order; the first one whose conditions all hold decides."""
    return ok([RuleOut.model_validate(rule) for rule in servers_service.rules()])


@app.put("/api/admin/routing-rules", openapi_extra=documented_errors(ErrorCode.EDIT_CONFLICT))
async def replace_routing_rules(
    body: RulesIn, admin: Admin, caller: ClientDep
) -> ApiResponse[list[RuleOut]]:
    """Replace all rules.

    With `expected`, a change of another admin in the meantime is not overwritten.
    """
    rules = servers_service.replace_rules(body, admin, caller)
    return ok([RuleOut.model_validate(rule) for rule in rules])


@app.post("/api/admin/fulfilment/adopt")
async def adopt_titles(
    admin: Admin, caller: ClientDep, body: AdoptIn = AdoptIn()
) -> ApiResponse[AdoptedOut]:
    """Hand over the approved titles that no server has taken yet, up to 2,000 in one call."""
    return ok(fulfilment_adopt.adopt(admin, caller))


handler = lambda_handler(app)
