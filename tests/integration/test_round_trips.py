"""Statements, BEGIN and COMMIT included, and waits for the cache of a warm call of each route.

The counts do not depend on the machine. A number here may only become lower.
"""

from functools import partial
from pathlib import Path

import pytest

from benchmarks.counts import count
from tests.support.benchmarks import on_stage

# By route or refusal: statements, and round trips to the cache.
MOST = {
    "GET /api/health": (1, 1),
    "GET /api/auth/me": (1, 1),
    "GET /api/auth/csrf": (0, 1),
    "GET /api/auth/session": (1, 1),
    "GET /api/auth/options": (0, 1),
    "GET /api/auth/sessions": (1, 1),
    "GET /api/media/search": (1, 2),
    "GET /api/media/discover": (1, 2),
    "GET /api/media/{mediaType}/{tmdbId}": (1, 2),
    "GET /api/media/quota": (1, 1),
    "GET /api/media/requests": (1, 1),
    "GET /api/media/requests/{id}": (1, 1),
    "GET /api/admin/users": (2, 1),
    "GET /api/admin/users/{id}": (2, 1),
    "GET /api/admin/requests": (2, 1),
    "GET /api/admin/requests/counts": (2, 1),
    "GET /api/admin/audit-logs": (2, 1),
    "GET /api/admin/stats": (1, 2),
    "GET /api/admin/config": (2, 1),
    "GET /api/admin/servers": (2, 1),
    "GET /api/admin/servers/{id}": (2, 1),
    "GET /api/admin/servers/{id}/inventory": (2, 1),
    "GET /api/admin/routing-rules": (2, 1),
    "GET /api/admin/jobs": (2, 1),
    "GET /api/admin/jobs/{id}": (2, 1),
    "401": (0, 1),
    "401 bad token": (0, 1),
    "200 no session": (0, 1),
    "403": (1, 1),
    "429": (0, 1),
    "POST /api/media/request": (7, 2),
    "DELETE /api/media/requests/{id}": (5, 1),
    # One more than before: the look whether a server takes the title.
    "POST /api/admin/requests/{id}/approve": (9, 1),
    "POST /api/admin/requests/{id}/decline": (9, 1),
    "POST /api/admin/requests/decisions": (8, 1),
}


@pytest.mark.slow
def test_no_route_has_more_round_trips_than_before(tmp_path: Path) -> None:
    found = on_stage(tmp_path / "engines", partial(count, names=MOST))
    measured = {name: (each.sql, each.cache) for name, each in found.items()}
    assert measured.keys() == MOST.keys()
    more = {
        name: (*each, *MOST[name])
        for name, each in measured.items()
        if each[0] > MOST[name][0] or each[1] > MOST[name][1]
    }
    assert more == {}, "measured statements and trips, then the most of each"
