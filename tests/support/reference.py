"""The TypeScript types of the reference, and the JSON that they allow."""

import re
from collections.abc import Mapping
from typing import Any

_TYPES = """
interface User {
  id: string;
  email: string;
  username: string;
  role: 'admin' | 'user';
  plexId?: string;
  createdAt: Date;
  updatedAt: Date;
}

interface MediaRequest {
  id: string;
  userId: string;
  mediaType: 'movie' | 'tv';
  tmdbId: number;
  title: string;
  status: 'pending' | 'approved' | 'declined';
  requestedAt: Date;
  processedAt?: Date;
}

interface ApiResponse {
  success: boolean;
  data?: any;
  error?: ApiError;
  pagination?: Pagination;
}

interface ApiError {
  code: string;
  message: string;
  details?: any;
}

interface Pagination {
  page: number;
  limit: number;
  total: number;
  hasNext: boolean;
  hasPrev: boolean;
}

interface JwtPayload {
  sub: string;
  email: string;
  role: 'admin' | 'user';
  iat: number;
  exp: number;
}
"""
_INTERFACE = re.compile(r"interface (\w+) \{\n(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"  (\w+)(\??): (.+);")
_CHOICE = re.compile(r"'(\w+)'")

# The fields of each type: the name, with `?` if it is optional, and the type.
TYPES: Mapping[str, Mapping[str, str]] = {
    name: {field + optional: kind for field, optional, kind in _FIELD.findall(body)}
    for name, body in _INTERFACE.findall(_TYPES)
}


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a type of the reference; times have a format."""
    simple: dict[str, dict[str, Any]] = {
        "string": {"type": "string"},
        "number": {"type": "integer"},
        "boolean": {"type": "boolean"},
        "Date": {"type": "string", "format": "date-time"},
        "any": {},
    }
    if kind in TYPES:
        return {"type": "object"}
    return simple.get(kind) or {"type": "string", "enum": _CHOICE.findall(kind)}
