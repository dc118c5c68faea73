"""Errors in TMDB's format."""

from aiohttp import web


def not_found() -> web.Response:
    """Respond 404 as TMDB does."""
    return refuse(404, 34, "The resource you requested could not be found.")


def refuse(status: int, code: int, message: str) -> web.Response:
    """Respond with an error as TMDB does."""
    body = {"success": False, "status_code": code, "status_message": message}
    return web.json_response(body, status=status)
