"""Ids for the examples of the API document: a user or request has the same id in all of them."""

from collections.abc import Mapping
from typing import Any

# The examples of a model, by name.
type Examples = Mapping[str, Any]

USER_ID = "5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11"
ADMIN_ID = "0b8f6c2e-51d4-4f3a-8a77-6c1d9e2b4a90"
REQUEST_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
SECOND_REQUEST_ID = "9d2b7e10-4c5f-4a8e-b1d3-70f6e4c2a518"
SERVER_ID = "c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08"
JOB_ID = "e81d5c94-2b7f-4a06-8f4d-3c9a6b0e7d25"
