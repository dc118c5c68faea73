"""A reference: the smallest handler, so the cost of the runtime alone."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return a constant response."""
    del event, context
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": '{"message":"hello"}',
    }
