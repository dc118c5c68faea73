"""Dependencies of routes: rate limits by IP address and by a field of the body."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from medianest.api.event import proxy_call
from medianest.core.caller import Caller
from medianest.core.errors import AppError
from medianest.rate_limits.policies import LimitKey, PolicyName, digest, network
from medianest.rate_limits.sliding_window import Charge, LimitResult
from medianest.rate_limits.sliding_window import headers as rate_limit_headers
from medianest.rate_limits.sliding_window import refusal as refusal_of


def caller_of(request: Request) -> Caller:
    """Return the address and the client of a request, and its id."""
    # Not from X-Forwarded-For, which clients can forge.
    call = proxy_call(request)
    return Caller(request_id=call.id, ip=call.ip, user_agent=call.user_agent)


async def _caller(request: Request) -> Caller:
    return caller_of(request)


ClientDep = Annotated[Caller, Depends(_caller)]


@dataclass(frozen=True, slots=True)
class RateLimitedByAddress:
    """A dependency: rate-limits unauthenticated calls by IP address and a text field of the body.

    A body without that field is limited by address only. With one key for all such bodies, one
    caller could block the others.
    """

    by_ip: tuple[PolicyName, ...]
    by_field: tuple[PolicyName, str] | None

    async def __call__(self, request: Request, caller: ClientDep) -> None:
        """Charge the call; raises RATE_LIMITED."""
        limit_keys: list[LimitKey] = [(policy, network(caller.ip)) for policy in self.by_ip]
        if self.by_field is not None:
            policy, field = self.by_field
            body = await request.json()
            value = body.get(field) if isinstance(body, dict) else None
            if isinstance(value, str) and value.strip():
                limit_keys.append((policy, digest(value)))
        # Imported on first use, so that health checks, which have no limit, start faster.
        from medianest.rate_limits import service as rate_limits_service

        error = apply(request, rate_limits_service.charge(limit_keys, caller))
        if error is not None:
            raise error


def rate_limited_by_address(
    *by_ip: PolicyName, by_field: tuple[PolicyName, str] | None = None
) -> Any:
    """Return the dependency that rate-limits the unauthenticated callers of a route."""
    return Depends(RateLimitedByAddress(by_ip, by_field))


def apply(request: Request, charge: Charge) -> AppError | None:
    """Set the rate-limit headers of the response; return the error when a limit is exceeded."""
    request.state.charge = charge
    request.state.rate_limit_headers = rate_limit_headers(charge.results)
    return refusal_of(charge.results)


type ReportLimits = Callable[[Sequence[LimitResult]], None]


async def _limit_reporter(request: Request) -> ReportLimits:
    """Return the callback that adds further limits to the headers; its last call wins."""

    def report(results: Sequence[LimitResult]) -> None:
        all_results = [*request.state.charge.results, *results]
        request.state.rate_limit_headers = rate_limit_headers(all_results)

    return report


ReportLimitsDep = Annotated[ReportLimits, Depends(_limit_reporter)]
