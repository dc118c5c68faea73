"""Serve Lambda's Runtime API to the workers."""

import asyncio
from functools import partial

from aiohttp import web

from local.lambda_.worker import Worker

_MAX_POSTED = 64 * 1024 * 1024  # more than Lambda's limit, to report an excess as Lambda does


class RuntimeApi:
    """Serves all workers, each on a separate port."""

    def __init__(self) -> None:
        self._workers: dict[int, Worker] = {}
        self._sites: dict[Worker, web.TCPSite] = {}
        loop = asyncio.get_running_loop()
        make_request = partial(web.BaseRequest, loop=loop, client_max_size=_MAX_POSTED)
        self._runner = web.ServerRunner(web.Server(self._serve, request_factory=make_request))

    async def start(self) -> None:
        """Set up the server; `open` adds ports."""
        await self._runner.setup()

    async def stop(self) -> None:
        """Close every port."""
        await self._runner.cleanup()

    async def open(self, worker: Worker) -> str:
        """Open a port for a worker and return the address that it must call."""
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._workers[site.port] = worker
        self._sites[worker] = site
        return f"127.0.0.1:{site.port}"

    async def close(self, worker: Worker) -> None:
        """Close the port of a worker that has ended."""
        site = self._sites.pop(worker)
        del self._workers[site.port]
        await site.stop()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        port = transport.get_extra_info("sockname")[1] if transport else 0
        worker = self._workers.get(port)
        return await worker.serve(request) if worker else web.Response(status=410)
