"""The cleanup deletes in batches until no time is left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from medianest.cleanup import service
from medianest.cleanup.service import BATCH


class FakeTable:
    """A fake table and its database."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.commits = 0
        self.open = False

    @contextmanager
    def transaction(self) -> Iterator[object]:
        assert not self.open
        self.open = True
        yield self
        self.open = False
        self.commits += 1

    def delete(self, connection: object, limit: int) -> int:
        assert connection is self
        assert self.open
        batch = min(limit, self.count)
        self.count -= batch
        return batch


type TableFactory = Callable[[int], FakeTable]


@pytest.fixture
def make_table(monkeypatch: pytest.MonkeyPatch) -> TableFactory:
    def make(count: int) -> FakeTable:
        fake = FakeTable(count)
        monkeypatch.setattr(service, "database", lambda: fake)
        monkeypatch.setattr(service, "TASKS", {"sessions": fake.delete})
        return fake

    return make


def clock(*seconds: float) -> Callable[[], float]:
    """Return a clock of the seconds left: it returns these in turn and then repeats the last."""
    remaining = list(seconds)
    return lambda: remaining.pop(0) if len(remaining) > 1 else remaining[0]


@pytest.mark.parametrize(
    ("count", "commits"), [(0, 1), (1, 1), (BATCH - 1, 1), (BATCH, 2), (BATCH + 1, 2), (1200, 3)]
)
def test_all_rows_are_deleted_in_batches_if_time_allows(
    make_table: TableFactory, count: int, commits: int
) -> None:
    rows = make_table(count)
    result = service.run("sessions", clock(60))
    assert result == service.CleanupResult("sessions", deleted=count, more=False)
    assert (rows.count, rows.commits) == (0, commits)


def test_a_run_stops_and_reports_more_when_time_runs_short(make_table: TableFactory) -> None:
    rows = make_table(10 * BATCH)
    result = service.run("sessions", clock(60, 30, 6, 4.9))
    assert result == service.CleanupResult("sessions", deleted=3 * BATCH, more=True)
    assert rows.commits == 3


@pytest.mark.parametrize("seconds", [5.0, 0.1, 0.0, -1.0])
def test_no_batch_begins_when_the_time_is_up(make_table: TableFactory, seconds: float) -> None:
    rows = make_table(1)
    assert service.run("sessions", clock(seconds)) == service.CleanupResult(
        "sessions", deleted=0, more=True
    )
    assert rows.commits == 0


def test_a_run_that_ends_in_time_reports_no_more_rows(make_table: TableFactory) -> None:
    make_table(BATCH - 1)
    assert service.run("sessions", clock(5.1, 0.0)).more is False


def test_a_later_run_deletes_the_remaining_rows(make_table: TableFactory) -> None:
    rows = make_table(700)
    assert service.run("sessions", clock(60, 1)).more is True
    assert service.run("sessions", clock(60)) == service.CleanupResult(
        "sessions", deleted=200, more=False
    )
    assert rows.count == 0


@pytest.mark.parametrize("task", ["", "Sessions", "users", "sessions "])
def test_the_error_for_an_unknown_task_lists_the_known_tasks(task: str) -> None:
    with pytest.raises(service.UnknownTaskError) as caught:
        service.run(task, clock(60))
    assert repr(task) in str(caught.value)
    for known in ("sessions", "signin-handles", "idempotency-keys"):
        assert known in str(caught.value)


def test_a_batch_has_five_hundred_rows() -> None:
    assert BATCH == 500


def test_a_failed_run_logs_the_number_of_deleted_rows(
    monkeypatch: pytest.MonkeyPatch, make_table: TableFactory, caplog: pytest.LogCaptureFixture
) -> None:
    rows = make_table(2 * BATCH)

    def delete(connection: object, limit: int) -> int:
        if rows.commits == 1:
            raise RuntimeError("the disk is full")
        return rows.delete(connection, limit)

    monkeypatch.setattr(service, "TASKS", {"sessions": delete})
    with pytest.raises(RuntimeError, match="disk"):
        service.run("sessions", clock(60))
    (record,) = [each for each in caplog.records if each.message == "cleanup_failed"]
    assert (vars(record)["task"], vars(record)["deleted"]) == ("sessions", BATCH)
    assert rows.commits == 1
