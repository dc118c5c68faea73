"""The reference of every ratio: one route of FastAPI behind Mangum."""

from fastapi import FastAPI
from mangum import Mangum

app = FastAPI(openapi_url=None)


@app.get("/hello")
async def hello() -> dict[str, str]:
    """Return a constant."""
    return {"message": "hello"}


handler = Mangum(app, lifespan="off")
