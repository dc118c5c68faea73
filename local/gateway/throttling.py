"""Throttle requests with token buckets, as API Gateway does per method and stage."""

import time

from local.template.models import Template, Throttle


class _Bucket:
    """A token bucket that starts full."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._tokens = float(throttle.burst)
        self._refilled = time.monotonic()

    def has_token(self) -> bool:
        """Refill the bucket for the elapsed time; return whether it has a token."""
        now = time.monotonic()
        more = (now - self._refilled) * self._throttle.rate
        self._tokens = min(self._tokens + more, float(self._throttle.burst))
        self._refilled = now
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
        """Take a token from each bucket that applies, or none if one of them is empty."""
        buckets = [bucket for bucket in (self._methods.get((path, method)), self._stage) if bucket]
        allowed = all(bucket.has_token() for bucket in buckets)
        if allowed:
            for bucket in buckets:
                bucket.take()
        return allowed
