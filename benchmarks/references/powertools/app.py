"""A reference: one route of a resolver of Powertools for AWS Lambda."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

app = APIGatewayRestResolver()


@app.get("/hello")
def hello() -> dict[str, str]:
    """Return a constant."""
    return {"message": "hello"}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Pass the event to the resolver."""
    return app.resolve(event, context)
