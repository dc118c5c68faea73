"""The routes of the functions, in the template's order, with their rate-limit policies."""

import importlib
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

from fastapi.dependencies.models import Dependant
from pydantic.alias_generators import to_camel

from local.template import Template
from medianest.api.dependencies import Authenticated
from medianest.api.rate_limiting import RateLimitedByAddress
from medianest.api.route import Route as ApiRoute
from medianest.rate_limits.policies import PolicyName

# The functions require these settings at import.
_ENVIRONMENT = {
    "NODE_ENV": "development",
    "DATABASE_URL": "postgresql://localhost/nothing",
    "REDIS_URL": "redis://localhost",
    "PLEX_CLIENT_ID": "docs",
    "TMDB_API_KEY": "docs",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A route of the template with the route of the function, in a folder of functions/."""

    method: str
    path: str
    folder: str
    route: ApiRoute

    @property
    def about(self) -> str:
        """Return what the function is for: the first sentence of its module."""
        module = sys.modules[self.route.endpoint.__module__]
        return (module.__doc__ or "").partition("\n")[0].rstrip(".")

    @property
    def operation_id(self) -> str:
        """Return the name of the Python function that serves the route, in camelCase."""
        return to_camel(self.route.name)

    @property
    def dependencies(self) -> list[object]:
        """Return every dependency of the route, nested ones included."""
        return list(_calls(self.route.dependant))

    @property
    def policies(self) -> list[tuple[PolicyName, str]]:
        """Return the rate-limit policies of the route, and what each one counts by."""
        policies: list[tuple[PolicyName, str]] = []
        for call in self.dependencies:
            if isinstance(call, Authenticated):
                policies.append((call.policy, "user"))
            if isinstance(call, RateLimitedByAddress):
                policies += [(policy, "address") for policy in call.by_ip]
                if call.by_field is not None:
                    policy, field = call.by_field
                    policies.append((policy, f"`{field}` sent"))
        policies += (self.route.openapi_extra or {}).get("x-policies", ())
        return list(dict.fromkeys(policies))


def served_routes(template: Template) -> list[Served]:
    """Return every route except preflights and HEAD, whose responses follow from GET."""
    environment = {**_ENVIRONMENT, "JWT_SECRET": secrets.token_urlsafe(48)}
    served: list[Served] = []
    for route in template.routes:
        if not isinstance(route.target, str) or route.method in {"HEAD", "OPTIONS"}:
            continue
        folder = template.functions[route.target].code.name
        with mock.patch.dict(os.environ, environment):
            app = importlib.import_module(f"functions.{folder}.app").app
        served += [
            Served(route.method, route.path, folder, each)
            for each in app.routes
            if isinstance(each, ApiRoute)
            and (each.path, each.methods) == (route.path, {route.method})
        ]
    return served


def _calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
