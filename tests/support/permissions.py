"""Callers of each route, by its path: /api/admin/ is for admins, the rest for signed-in users.

The exceptions are listed here by hand, so a route that is public by mistake fails the tests.
"""

PUBLIC = {
    ("GET", "/api/auth/options"),
    ("GET", "/api/auth/session"),
    ("GET", "/api/docs"),
    ("GET", "/api/docs/{asset}"),
    ("GET", "/api/health"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/plex/pin"),
    ("POST", "/api/auth/plex/verify"),
}


def callers(method: str, path: str) -> str:
    """Return the callers that a route may serve: public, signed in, or admin."""
    if (method, path) in PUBLIC:
        return "public"
    return "admin" if path.startswith("/api/admin/") else "signed in"
