"""The numbers of a partly requested show."""

import pytest

from medianest.requests.titles.service import requested_seasons


@pytest.mark.parametrize(
    ("requested", "started", "expected"),
    [
        ([1, 2], [1, 2, 3, 4, 5], (2, 5)),
        ([5, 1, 3], [1, 2, 3, 4, 5], (3, 5)),
        ([1, 2, 3], [1, 2, 3], None),
        ([0, 1], [1, 2], (1, 2)),
        ([0], [1, 2], (0, 2)),
        ([0, 1, 2], [1, 2], None),
        # A season that was requested before it started counts as one of the show.
        ([3], [1, 2], (1, 3)),
        ([1, 2, 3], [1, 2], None),
        ([1, 3], [1, 2], (2, 3)),
        ([1], [], None),
        ([1, 2], None, (2, None)),
        ([0], None, (0, None)),
    ],
)
def test_partly_requested_show_has_the_numbers_of_its_seasons(
    requested: list[int | None], started: list[int] | None, expected: object
) -> None:
    assert requested_seasons(requested, started) == expected
