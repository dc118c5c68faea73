"""Pair routes with cases of a rule that all of them share."""

from collections.abc import Sequence


def paired[C](
    routes: Sequence[tuple[str, str]], cases: Sequence[C], *, each: int = 3
) -> list[tuple[str, str, C]]:
    """Give each route `each` of the cases, in turn, so that each case comes about equally often.

    One piece of code handles the cases of all routes: the other pairs would show the same again.
    """
    assert len(routes) * each >= len(cases), "some cases would not come at all"
    return [
        (method, path, cases[(index * each + offset) % len(cases)])
        for index, (method, path) in enumerate(routes)
        for offset in range(each)
    ]
