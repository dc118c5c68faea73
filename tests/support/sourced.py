"""`python -m local` that reads the address of a caller from a header, one for each test."""

import sys
from functools import partial
from unittest import mock

from aiohttp import web

from local import __main__ as command
from local.service import running

SOURCE_HEADER = "X-Test-Source"


def source_ip(request: web.BaseRequest) -> str:
    """Return the address of the caller that the test chose, or that of the connection."""
    chosen = request.headers.get(SOURCE_HEADER)
    return chosen or (request.remote or "127.0.0.1")


if __name__ == "__main__":
    with mock.patch.object(command, "running", partial(running, source_ip=source_ip)):
        sys.exit(command.main())
