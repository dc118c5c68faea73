"""Routes that accept only valid UTF-8, declared query parameters, and strict JSON."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import Match
from starlette.types import Scope

from medianest.api.event import REPLACEMENT, ProxyCall
from medianest.api.json_body import JsonRequest
from medianest.core.errors import AppError, invalid

_NOT_UTF8 = "Must be valid UTF-8, percent-encoded"


class Guard(Protocol):
    """A dependency that the middleware runs first, so that a refusal never reaches FastAPI."""

    def admit(self, request: Request) -> None:
        """Raise an AppError to refuse the call."""


class Route(APIRoute):
    """A route that rejects invalid UTF-8, unknown or repeated query parameters and unsafe JSON.

    `guard` is its dependency that authenticates the caller, if any.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["response_model_exclude_none"] = True
        super().__init__(*args, **kwargs)
        self.guard = _guard_of(self.dependant)
        self._check_parameters = _parameter_check(_query_names(self.dependant))
        # Where no guard runs before it, the check is the last dependency, because a malformed call
        # counts against the limits of its route.
        self._is_check_dependency = self.guard is None and bool(self.dependant.dependencies)
        if self._is_check_dependency:
            self.dependant.dependencies.append(
                get_parameterless_sub_dependant(
                    depends=Depends(_as_dependency(self._check_parameters)), path=self.path_format
                )
            )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the resource and the path parameters of the event.

        API Gateway has decoded the parameters. Matching a rebuilt path would split a parameter that
        contains a slash into two segments.
        """
        call: ProxyCall = scope["proxy_call"]
        if call.resource != self.path:
            return Match.NONE, {}
        child_scope = {
            "endpoint": self.endpoint,
            "path_params": call.path_parameters,
            "route": self,
        }
        return (
            Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL
        ), child_scope

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which receives a JsonRequest."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            if not self._is_check_dependency:
                self._check_parameters(request)
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_json


# A query model with `extra="forbid"` is not enough. Routes without query parameters have no model,
# a model accepts a repeated parameter, and it reports an unknown parameter after other problems.
def _query_names(dependant: Dependant) -> frozenset[str]:
    names = set()
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names |= {item.alias or name for name, item in annotation.model_fields.items()}
        else:
            names.add(field.alias)
    return frozenset(names).union(*map(_query_names, dependant.dependencies))


def _guard_of(dependant: Dependant) -> Guard | None:
    if hasattr(dependant.call, "admit"):
        return cast("Guard", dependant.call)
    guards = [_guard_of(each) for each in dependant.dependencies]
    return next((guard for guard in guards if guard is not None), None)


def _as_dependency(
    check: Callable[[Request], None],
) -> Callable[[Request], Coroutine[Any, Any, None]]:
    async def dependency(request: Request) -> None:
        check(request)

    return dependency


def _parameter_check(names: frozenset[str]) -> Callable[[Request], None]:
    def check_parameters(request: Request) -> None:
        for name, value in request.path_params.items():
            if REPLACEMENT in value:
                raise _malformed(request, f"path.{name}", _NOT_UTF8)
        if not request.scope["query_string"]:
            return
        for name, value in request.query_params.multi_items():
            if name not in names and request.app.state.any_query:
                continue
            if REPLACEMENT in name + value:
                raise _malformed(request, f"query.{name}", _NOT_UTF8)
            if name not in names:
                raise _malformed(request, f"query.{name}", "Unknown parameter")
            if len(request.query_params.getlist(name)) > 1:
                raise _malformed(request, f"query.{name}", "Given more than once")

    return check_parameters


def charge_refused(request: Request) -> AppError | None:
    """Charge a refused call to `api` instead of the route's policy, for LOW_LIMIT_POLICIES.

    Returns the error when `api` refuses the call.
    """
    charge: Callable[[], AppError | None] | None = getattr(request.state, "charge_refused", None)
    return None if charge is None else charge()


def _malformed(request: Request, field: str, message: str) -> AppError:
    return charge_refused(request) or invalid(field, message)


def allowed_methods(scope: Scope) -> list[str]:
    """Return the methods of the called resource; GET implies HEAD."""
    methods = {
        method
        for route in scope["app"].routes
        if isinstance(route, Route) and route.path == scope["path"]
        for method in route.methods or ()
    }
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def guards_of(app: Starlette) -> dict[tuple[str, str], Guard]:
    """Return the guards of an application's routes by method and resource."""
    return {
        (method, route.path): route.guard
        for route in app.routes
        if isinstance(route, Route) and route.guard is not None
        for method in route.methods or ()
    }
