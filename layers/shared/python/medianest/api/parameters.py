"""Parts of the web framework that routes are declared with, so that only `api` imports it."""

from fastapi import Depends, Header, Path, Query, Response
from fastapi.responses import HTMLResponse

__all__ = ["Depends", "HTMLResponse", "Header", "Path", "Query", "Response"]
