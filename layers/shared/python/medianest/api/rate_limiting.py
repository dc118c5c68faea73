"""Rate limits as dependencies of routes: by address, by a field of the body, by user."""

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


async def _caller(request: Request) -> Caller:
    # Never from a header: the client decides what X-Forwarded-For says.
    call = proxy_call(request)
    return Caller(request_id=call.id, ip=call.ip, user_agent=call.user_agent)


ClientDep = Annotated[Caller, Depends(_caller)]


@dataclass(frozen=True, slots=True)
class RateLimitedByAddress:
    """Rate-limits unauthenticated calls by IP address and by a text field of the body.

    A body without that field is limited by address alone: one key for all such calls would let
    one caller lock out the others.
    """

    by_ip: tuple[PolicyName, ...]
    by_field: tuple[PolicyName, str] | None

    async def __call__(self, request: Request, caller: ClientDep) -> None:
        """Charge the call; raises RATE_LIMITED."""
        limit_keys: list[LimitKey] = [(policy, network(caller.ip)) for policy in self.by_ip]
        if self.by_field is not None:
            policy, field = self.by_field
            body = await request.json()
            typed = body.get(field) if isinstance(body, dict) else None
            if isinstance(typed, str) and typed.strip():
                limit_keys.append((policy, digest(typed)))
        # Imported on first use: a health check, nearly every call of its function, has no limit.
        from medianest.rate_limits import service as rate_limits

        error = apply(request, rate_limits.charge(limit_keys, caller))
        if error is not None:
            raise error


def rate_limited_by_address(
    *by_ip: PolicyName, by_field: tuple[PolicyName, str] | None = None
) -> Any:
    """Return the dependency that rate-limits the unauthenticated callers of a route."""
    return Depends(RateLimitedByAddress(by_ip, by_field))


def apply(request: Request, charge: Charge) -> AppError | None:
    """Set the headers of the answer to a charged call; return the error when it is refused."""
    request.state.charge = charge
    request.state.rate_limit_headers = rate_limit_headers(charge.results)
    return refusal_of(charge.results)


type Tell = Callable[[Sequence[LimitResult]], None]


async def _teller(request: Request) -> Tell:
    """Return the callback for rate limits of a rule's own; the last call counts."""

    def tell(results: Sequence[LimitResult]) -> None:
        told = [*request.state.charge.results, *results]
        request.state.rate_limit_headers = rate_limit_headers(told)

    return tell


TellLimits = Annotated[Tell, Depends(_teller)]
