"""The routes of the functions, in the template's order, and what holds their callers."""

import importlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

from fastapi.dependencies.models import Dependant
from pydantic.alias_generators import to_camel

from local.template.models import Template
from medianest.api.dependencies import Authenticated
from medianest.api.rate_limiting import RateLimitedByAddress
from medianest.api.route import Route as ApiRoute
from medianest.rate_limits.policies import PolicyName

# What the functions refuse to be imported without.
_ENVIRONMENT = {
    "NODE_ENV": "development",
    "DATABASE_URL": "postgresql://localhost/nothing",
    "REDIS_URL": "redis://localhost",
    "PLEX_CLIENT_ID": "docs",
    "TMDB_API_KEY": "docs",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A route of the template and what a function, of a folder below functions/, makes of it."""

    method: str
    path: str
    folder: str
    route: ApiRoute

    @property
    def operation_id(self) -> str:
        """Return the name of the function behind it, as callers write names."""
        return to_camel(self.route.name)

    @property
    def dependencies(self) -> list[object]:
        """Return what is called before the route itself, each of them."""
        return list(_calls(self.route.dependant))

    @property
    def policies(self) -> list[tuple[PolicyName, str]]:
        """Return the policies that hold a caller, and what each counts by."""
        found: list[tuple[PolicyName, str]] = []
        for call in self.dependencies:
            if isinstance(call, Authenticated):
                found.append((call.policy, "user"))
            if isinstance(call, RateLimitedByAddress):
                found += [(policy, "address") for policy in call.by_ip]
                if call.by_field is not None:
                    policy, field = call.by_field
                    found.append((policy, f"`{field}` sent"))
        found += (self.route.openapi_extra or {}).get("x-policies", ())
        return list(dict.fromkeys(found))


def served_routes(template: Template) -> list[Served]:
    """Return every route but for preflights, and for HEAD, which is answered as GET is."""
    given = {**_ENVIRONMENT, "JWT_SECRET": secrets.token_urlsafe(48)}
    found = []
    for route in template.routes:
        if not isinstance(route.target, str) or route.method in {"HEAD", "OPTIONS"}:
            continue
        folder = template.functions[route.target].code.name
        with mock.patch.dict(os.environ, given):
            app = importlib.import_module(f"functions.{folder}.app").app
        found += [
            Served(route.method, route.path, folder, each)
            for each in app.routes
            if isinstance(each, ApiRoute)
            and (each.path, each.methods) == (route.path, {route.method})
        ]
    return found


def _calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
