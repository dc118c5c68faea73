"""Names of FastAPI that routes need, re-exported so that only `api` imports the framework."""

from fastapi import Depends, Header, Path, Query, Response
from fastapi.responses import HTMLResponse

__all__ = ["Depends", "HTMLResponse", "Header", "Path", "Query", "Response"]
