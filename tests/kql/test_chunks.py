import threading
from datetime import UTC, datetime, timedelta

import pytest

from kql.chunks import Progress, query_chunks
from kql.engine import QueryError, ResultColumn, ResultTable

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Scripted:
    """An engine whose rows are one for each minute, and that has its limits."""

    def __init__(self, *, limit=10**9, kind="partial", cut=False):
        self.limit, self.kind, self.cut = limit, kind, cut
        self.asked = []
        self._lock = threading.Lock()

    def query(self, kql, *, timespan=None, now=None):
        with self._lock:
            self.asked.append((kql, timespan))
        start, end = timespan
        minutes = int((end - start) / timedelta(minutes=1))
        if minutes > self.limit and not self.cut:
            raise QueryError(self.kind, "too much")
        rows = tuple((start + timedelta(minutes=n),) for n in range(min(minutes, self.limit)))
        cut_at = self.limit if minutes > self.limit else None
        return ResultTable((ResultColumn("TimeGenerated", "datetime"),), rows, truncated_at=cut_at)


def run(engine, hours=4, **options):
    return [*query_chunks(engine, "T", START, START + hours * HOUR, **{"chunk": HOUR, "parallel": 3, **options})]


def minutes(found):
    return [row[0] for chunk in found for row in chunk.table.rows]


def every_minute(first, last):
    return [START + timedelta(minutes=n) for n in range(first, last)]


@pytest.mark.parametrize(
    "options", [{}, {"parallel": 1}, {"chunk": timedelta(minutes=7)}, {"chunk": timedelta(days=9)}]
)
def test_chunks_come_in_the_order_of_time_and_miss_nothing(options):
    assert minutes(run(Scripted(), **options)) == every_minute(0, 240)


@pytest.mark.parametrize(("kind", "cut"), [("partial", False), ("timeout", False), ("", True)])
def test_what_is_too_large_or_too_slow_is_halved_until_it_fits(kind, cut):
    found = run(Scripted(limit=16, kind=kind, cut=cut))
    assert minutes(found) == every_minute(0, 240)
    assert {chunk.end - chunk.start for chunk in found} == {timedelta(minutes=15)}


@pytest.mark.parametrize("cut", [False, True])
def test_too_many_rows_for_a_minute_are_an_error(cut):
    with pytest.raises(QueryError) as caught:
        run(Scripted(limit=0, cut=cut))
    assert caught.value.kind == "partial"


def test_a_fault_of_another_kind_is_not_halved():
    engine = Scripted(limit=1, kind="semantic")
    with pytest.raises(QueryError):
        run(engine, parallel=1)
    assert len(engine.asked) == 1


def test_what_is_done_is_not_asked_again():
    engine = Scripted()
    done = [
        (START + 2 * HOUR, START + 3 * HOUR),
        (START - HOUR, START + HOUR / 2),
        (START + 2 * HOUR, START + 2.5 * HOUR),
    ]
    seen = []
    found = run(engine, done=done, progress=seen.append)
    assert minutes(found) == every_minute(30, 120) + every_minute(180, 240)
    assert len(engine.asked) == 3
    assert seen[0] == Progress(timedelta(hours=2.5), timedelta(hours=4), 60)
    assert seen[-1].share == 1.0
    assert run(Scripted(), done=[(START - HOUR, START + 9 * HOUR)]) == []


def test_each_row_is_in_one_chunk_only_for_the_result_is_cut_at_its_time():
    engine = Scripted()
    run(engine, hours=1)
    assert engine.asked[0][0] == (
        "T\n| where ['TimeGenerated'] >= datetime(2026-03-01T00:00:00.000000Z) "
        "and ['TimeGenerated'] < datetime(2026-03-01T01:00:00.000000Z)"
    )
    run(engine, hours=1, time_column=None)
    assert engine.asked[1] == ("T", (START, START + HOUR))


def test_only_as_many_are_ahead_of_the_reader_as_run_at_a_time():
    engine = Scripted()
    chunks = query_chunks(engine, "T", START, START + 100 * HOUR, chunk=HOUR, parallel=2)
    next(chunks)
    chunks.close()
    assert len(engine.asked) <= 3


@pytest.mark.parametrize(
    ("start", "options"), [(START.replace(tzinfo=None), {}), (START, {"chunk": timedelta()}), (START, {"parallel": 0})]
)
def test_what_makes_no_sense_is_refused_at_once(start, options):
    with pytest.raises(ValueError, match=r"time zone|positive"):
        query_chunks(Scripted(), "T", start, START + HOUR, **options)


def test_no_time_is_no_chunk():
    assert run(Scripted(), hours=0) == []
    assert run(Scripted(), hours=-1) == []
    assert Progress(timedelta(), timedelta(), 0).share == 1.0
