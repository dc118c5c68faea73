"""The routes that the functions declare, with their callers and rate-limit policies.

The code is the declaration: `make docs` writes template.yaml, README.md, events/ and docs/ from it.
"""

import importlib
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from pydantic.alias_generators import to_camel

from local.template.models import Template
from medianest.api.dependencies import AdminOnly, Authenticated, OptionallyAuthenticated
from medianest.api.rate_limiting import RateLimitedByAddress
from medianest.api.route import Route as ApiRoute
from medianest.rate_limits.policies import POLICIES, PolicyName

# The functions require these variables at import.
_ENVIRONMENT = {
    "NODE_ENV": "development",
    "DATABASE_URL": "postgresql://localhost/nothing",
    "REDIS_URL": "redis://localhost",
    "PLEX_CLIENT_ID": "docs",
    "TMDB_API_KEY": "docs",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A route that a function declares; `function` is its logical id in the template."""

    method: str
    path: str
    function: str
    folder: str
    route: ApiRoute

    @property
    def about(self) -> str:
        """Return the purpose of the function: the first sentence of its module."""
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
            if isinstance(call, OptionallyAuthenticated):
                policies.append((call.policy, "user, without a session by IP address"))
            if isinstance(call, RateLimitedByAddress):
                policies += [(policy, "IP address") for policy in call.by_ip]
                if call.by_field is not None:
                    policy, field = call.by_field
                    policies.append((policy, f"`{field}`"))
        policies += (self.route.openapi_extra or {}).get("x-policies", ())
        return list(dict.fromkeys(policies))

    @property
    def throttle(self) -> tuple[int, int] | None:
        """Return rate and burst of the throttle: the declared one, or one for the lowest policy.

        None means the throttle of the stage.
        """
        declared: tuple[int, int] | None = (self.route.openapi_extra or {}).get("x-throttle")
        of_policies = [POLICIES[policy].throttle for policy, _ in self.policies]
        return declared or min(filter(None, of_policies), default=None)

    @property
    def callers(self) -> str:
        """Return the callers that the route serves: public, signed in, or admin."""
        if any(isinstance(call, AdminOnly) for call in self.dependencies):
            return "admin"
        signed_in = any(isinstance(call, Authenticated) for call in self.dependencies)
        return "signed in" if signed_in else "public"


def served_routes(template: Template) -> list[Served]:
    """Return every route of the functions, function by function in the template's order.

    HEAD and OPTIONS are omitted, because each path has them.
    """
    keys = {name: secrets.token_urlsafe(48) for name in ("JWT_SECRET", "ENCRYPTION_KEY")}
    environment = {**_ENVIRONMENT, **keys}
    served: list[Served] = []
    for function in template.functions.values():
        folder = function.code.name
        with mock.patch.dict(os.environ, environment):
            module = importlib.import_module(f"functions.{folder}.app")
        routes = getattr(module, "app", FastAPI()).routes
        served += [
            Served(method, route.path, function.id, folder, route)
            for route in routes
            if isinstance(route, ApiRoute)
            for method in route.methods or ()
        ]
    return served


def _calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
