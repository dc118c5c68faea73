"""Calls of the API of Radarr and Sonarr (v3), and the class of each failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from medianest.arr.models import NOT_THE_API, ArrError, FailureClass, LeaseShortError
from medianest.core import guard
from medianest.core.guard import (
    CertificateError,
    NotSentError,
    RefusedAddressError,
    Response,
    UnsureError,
)
from medianest.core.text import clean

CONNECT_SECONDS = 5.0
CALL_SECONDS = 30.0
MAX_MESSAGE_CHARS = 300
# Properties of a 400 that come from the options, so an admin can correct them.
_OPTIONS = frozenset({"qualityprofileid", "rootfolderpath", "tags", "languageprofileid"})

# A proxy did not wait for the call, or did not take it yet.
_TEMPORARY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})

_MISCONFIGURED: Mapping[int, tuple[str, str]] = {
    HTTPStatus.UNAUTHORIZED: ("KEY_REJECTED", "The server rejects the API key"),
    HTTPStatus.FORBIDDEN: ("KEY_REJECTED", "The server rejects the API key"),
    HTTPStatus.NOT_FOUND: (NOT_THE_API, "The address is not that of the API"),
    HTTPStatus.METHOD_NOT_ALLOWED: (NOT_THE_API, "The address is not that of the API"),
}


class Call(Protocol):
    """One HTTP call, without retry and redirects."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        query: Mapping[str, str] | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        call_seconds: float = CALL_SECONDS,
    ) -> Response:
        """Return the response of any status; see `guard.request`."""


class Problem(NamedTuple):
    """One entry of the list in a 400; `property` is in lower case."""

    property: str
    code: str | None
    message: str


class RejectedError(ArrError):
    """A 400 with the validators' list."""

    def __init__(self, problems: tuple[Problem, ...], cls: FailureClass, code: str) -> None:
        message = "; ".join(each.message for each in problems)[:MAX_MESSAGE_CHARS]
        super().__init__(cls, code, message or "The server rejects the title")
        self.problems = problems

    def about(self, name: str) -> Problem | None:
        """Return the problem with a property, None if there is none."""
        return next((each for each in self.problems if each.property == name), None)


class ArrClient:
    """The API of one server; every method raises ArrError."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        headers: Mapping[str, str],
        call: Call = guard.request,
    ) -> None:
        self._api = f"{base_url.rstrip('/')}/api/v3"
        self._headers = {**headers, "X-Api-Key": api_key, "Accept": "application/json"}
        self._call = call

    def get(self, path: str, **query: str | int) -> Any:
        """Return the body of a GET."""
        return self._request("GET", path, query={name: str(query[name]) for name in query})

    def change(self, method: str, path: str, body: Any, may_change: Callable[[], bool]) -> Any:
        """Make a POST or PUT; raises LeaseShortError instead if `may_change` returns False."""
        if not may_change():
            raise LeaseShortError
        return self._request(method, path, body=body)

    def _request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Any:
        is_read = method == "GET"
        try:
            response = self._call(
                method,
                f"{self._api}/{path}",
                headers=self._headers,
                json=body,
                query=query or None,
                connect_seconds=CONNECT_SECONDS,
                call_seconds=CALL_SECONDS,
            )
        except RefusedAddressError as error:
            raise ArrError("misconfigured", "ADDRESS_REFUSED", str(error)) from error
        except CertificateError as error:
            raise ArrError("misconfigured", "CERTIFICATE_INVALID", str(error)) from error
        except NotSentError as error:
            raise ArrError("unreachable", "CONNECTION_FAILED", str(error)) from error
        except UnsureError as error:
            # A read has no effect that could be unknown.
            cls: FailureClass = "unreachable" if is_read else "unsure"
            raise ArrError(cls, "NO_RESPONSE", str(error)) from error
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise _failure(method, path, response)
        if response.body is None:
            raise ArrError("unreachable" if is_read else "unsure", "NOT_JSON", _not_json(path))
        return response.body


def _failure(method: str, path: str, response: Response) -> ArrError:
    """Return the error for a response that is no success."""
    status = response.status
    returned = f"{path.partition('/')[0]} returned {status}"
    is_read = method == "GET"
    if status == HTTPStatus.BAD_REQUEST and not is_read:
        return _rejection(returned, response.body)
    # A title that was removed since it was read: the next run adds it again.
    is_removed = status == HTTPStatus.NOT_FOUND and method == "PUT"
    if status in _MISCONFIGURED and not is_removed:
        code, message = _MISCONFIGURED[status]
        return ArrError("misconfigured", code, message)
    is_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TEMPORARY
    if is_removed or status == HTTPStatus.CONFLICT or (is_error and method == "POST"):
        return ArrError("unsure", "CHANGE_FAILED", returned, response.retry_after)
    if is_error or status == HTTPStatus.TOO_MANY_REQUESTS:
        return ArrError("unreachable", "SERVER_ERROR", returned, response.retry_after)
    # A read that is refused tells nothing of the title: a proxy refuses it.
    cls: FailureClass = "unreachable" if is_read else "never"
    return ArrError(cls, "UNEXPECTED_RESPONSE", returned, response.retry_after)


def _rejection(returned: str, body: Any) -> ArrError:
    problems = tuple(_problem(each) for each in body) if isinstance(body, list) else ()
    if not problems:
        return ArrError("never", "REJECTED", returned)
    if any(each.property in _OPTIONS for each in problems):
        return RejectedError(problems, "misconfigured", "OPTION_REJECTED")
    return RejectedError(problems, "never", "REJECTED")


def _problem(entry: Any) -> Problem:
    fields = entry if isinstance(entry, dict) else {}
    code = fields.get("errorCode")
    return Problem(
        str(fields.get("propertyName") or "").lower(),
        code if isinstance(code, str) and code else None,
        clean(str(fields.get("errorMessage") or "")[:MAX_MESSAGE_CHARS]) or "no reason given",
    )


def _not_json(path: str) -> str:
    return f"{path.partition('/')[0]} returned something other than JSON"
