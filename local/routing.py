"""Which route a request takes, and whether it may: API Gateway's resources and throttles."""

import time
from collections.abc import Mapping
from urllib.parse import unquote

from local.template import Route, Template, Throttle


class Routes:
    """Finds the route of a request: exact segments go before parameters, methods before ANY."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._by_path: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._by_path.setdefault(route.path, {})[route.method] = route
        self._patterns = [
            (path.split("/"), methods)
            for path, methods in sorted(self._by_path.items(), key=lambda item: _looseness(item[0]))
            if "{" in path
        ]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route and its path parameters, decoded; None where there is no such path."""
        methods, parameters = self._by_path.get(path, {}), dict[str, str]()
        if not methods or "{" in path:
            methods, parameters = self._match(path.split("/"))
        route = methods.get(method) or methods.get("ANY")
        return (route, parameters) if route else None

    def _match(self, segments: list[str]) -> tuple[dict[str, Route], dict[str, str]]:
        for pattern, methods in self._patterns:
            pairs = list(zip(pattern, segments, strict=False))
            if len(pattern) == len(segments) and all(
                bool(segment) if name.startswith("{") else name == segment
                for name, segment in pairs
            ):
                return methods, {
                    name[1:-1]: unquote(segment) for name, segment in pairs if name.startswith("{")
                }
        return {}, {}


def _looseness(path: str) -> list[bool]:
    return [segment.startswith("{") for segment in path.split("/")]


class _Bucket:
    """A token bucket that starts full."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._tokens = float(throttle.burst)
        self._filled = time.monotonic()

    def has_token(self) -> bool:
        """Fill up for the time that has passed and tell whether there is a token."""
        now = time.monotonic()
        more = (now - self._filled) * self._throttle.rate
        self._tokens = min(self._tokens + more, float(self._throttle.burst))
        self._filled = now
        return self._tokens >= 1

    def take(self) -> None:
        """Take one token."""
        self._tokens -= 1


class Throttles:
    """One bucket for each method that has its own throttle, and one for the whole stage."""

    def __init__(self, template: Template) -> None:
        self._methods = {
            route: _Bucket(throttle) for route, throttle in template.method_throttles.items()
        }
        self._stage = _Bucket(template.stage_throttle) if template.stage_throttle else None

    def allow(self, path: str, method: str) -> bool:
        """Take a token of each bucket that counts, or none at all and refuse."""
        buckets = [bucket for bucket in (self._methods.get((path, method)), self._stage) if bucket]
        allowed = all(bucket.has_token() for bucket in buckets)
        if allowed:
            for bucket in buckets:
                bucket.take()
        return allowed
