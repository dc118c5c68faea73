"""Routes that accept declared query parameters, each once, and strict JSON."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import Scope

from medianest.api.event import REPLACEMENT, ProxyCall
from medianest.api.json_body import JsonRequest
from medianest.core.errors import AppError, invalid

_NOT_UTF8 = "Must be valid UTF-8, percent-encoded"


class Route(APIRoute):
    """A route that takes UTF-8, the query parameters it declares, each once, and strict JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["response_model_exclude_none"] = True
        super().__init__(*args, **kwargs)
        # Last, so that a caller without a session learns nothing but that.
        self.dependant.dependencies.append(
            get_parameterless_sub_dependant(
                depends=Depends(_address_of(_query_names(self.dependant))), path=self.path_format
            )
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the resource that API Gateway found, and take its path parameters as they are.

        They are decoded: in a path again, one with a slash would be two segments.
        """
        call: ProxyCall = scope["proxy_call"]
        if call.resource != self.path:
            return Match.NONE, {}
        found = {"endpoint": self.endpoint, "path_params": call.path_parameters, "route": self}
        return (Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL), found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which reads requests as JsonRequest."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_json


# A query model that forbids extra fields would not do: it guards only routes that have one, accepts
# a parameter given twice, and reports an unknown one beside the other problems and after them.
def _query_names(dependant: Dependant) -> frozenset[str]:
    names = set()
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names |= {item.alias or name for name, item in annotation.model_fields.items()}
        else:
            names.add(field.alias)
    return frozenset(names).union(*map(_query_names, dependant.dependencies))


def _address_of(names: frozenset[str]) -> Callable[[Request], Coroutine[Any, Any, None]]:
    async def check_address(request: Request) -> None:
        for name, value in request.path_params.items():
            if REPLACEMENT in value:
                raise _malformed(request, f"path.{name}", _NOT_UTF8)
        for name, value in request.query_params.multi_items():
            if name not in names and request.app.state.any_query:
                continue
            if REPLACEMENT in name + value:
                raise _malformed(request, f"query.{name}", _NOT_UTF8)
            if name not in names:
                raise _malformed(request, f"query.{name}", "Unknown parameter")
            if len(request.query_params.getlist(name)) > 1:
                raise _malformed(request, f"query.{name}", "Given more than once")

    return check_address


def charge_malformed(request: Request) -> AppError | None:
    """Charge a malformed call to another rate limit than its route's, where the route has such.

    Returns the error when that limit refuses the call.
    """
    charge: Callable[[], AppError | None] | None = getattr(request.state, "charge_malformed", None)
    return None if charge is None else charge()


def _malformed(request: Request, field: str, message: str) -> AppError:
    return charge_malformed(request) or invalid(field, message)


def allowed_methods(scope: Scope) -> list[str]:
    """Return the methods of the resource that is called; HEAD comes with GET."""
    methods = {
        method
        for route in scope["app"].routes
        if isinstance(route, Route) and route.path == scope["path"]
        for method in route.methods or ()
    }
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))
