import threading
from datetime import UTC, datetime, timedelta

import pytest

from kql.engine import QueryError, ResultColumn, ResultTable
from workbooks.asking import Answers
from workbooks.dashboard.source import Feed, Source, end_of

NOW = datetime(2026, 3, 1, 12, 0, 44, tzinfo=UTC)


def newest(moment):
    return lambda *_: ResultTable((ResultColumn("Newest", "datetime"),), ((moment,),))


def unanswered(*_):
    raise QueryError("service", "not reachable")


@pytest.mark.parametrize(
    ("ask", "end"),
    [
        (newest(NOW - timedelta(minutes=29)), None),
        (newest(NOW - timedelta(hours=2)), datetime(2026, 3, 1, 10, 1, tzinfo=UTC)),
        (newest(NOW + timedelta(days=1)), None),
        (newest(None), None),
        (unanswered, None),
    ],
)
def test_rows_that_ended_are_a_history(ask, end):
    assert end_of(ask, NOW) == end


def test_a_history_is_shown_as_of_its_end_and_says_so():
    source = Source("h", Answers(unanswered), NOW, clock=lambda: NOW + timedelta(days=9))
    assert source.instant() == NOW
    assert source.note == "history until 2026-03-01 12:00 UTC: relative times end there"


def test_rows_that_go_on_are_shown_as_of_now_rounded_so_that_pages_share_answers():
    source = Source("w", Answers(unanswered), clock=lambda: NOW)
    assert (source.instant(), source.note) == (NOW.replace(second=30), "")


class Files:
    """Files that change: each opening gives a source of its own, and notes when it is let go."""

    def __init__(self):
        self.version, self.closed, self.fails = 1, [], False

    def open(self):
        if self.fails:
            raise OSError("half written")
        version = self.version
        return Source(f"v{version}", Answers(unanswered), close=lambda: self.closed.append(version))


@pytest.fixture
def files():
    return Files()


@pytest.fixture
def feed(files):
    feed = Feed(files.open, lambda: files.version, look=0.0)
    yield feed
    feed.close()


def name(feed):
    with feed.use() as source:
        return source.name


def test_files_that_change_are_opened_again_and_the_old_ones_let_go(feed, files):
    assert [name(feed), name(feed)] == ["v1", "v1"]
    files.version = 2
    assert name(feed) == "v2"
    assert files.closed == [1]


def test_a_page_keeps_the_rows_that_it_began_with(feed, files):
    with feed.use() as before:
        files.version = 2
        assert name(feed) == "v2"
        assert (before.name, files.closed) == ("v1", [])
    assert files.closed == [1]


def test_files_that_cannot_be_read_now_leave_the_rows_before_and_say_so(feed, files):
    files.version, files.fails = 2, True
    assert name(feed) == "v1"
    assert feed.trouble == "the data has changed and cannot be read now: half written"
    files.fails = False
    assert name(feed) == "v2"
    assert feed.trouble == ""


def test_files_are_looked_at_once_a_second_at_most(files):
    looks = []
    feed = Feed(files.open, lambda: looks.append(1) or 1, look=3600.0)
    for _ in range(5):
        name(feed)
    feed.close()
    assert len(looks) == 1
    assert files.closed == [1]


def test_many_pages_at_a_time_let_go_of_every_source_once(feed, files):
    def reader():
        for _ in range(50):
            name(feed)

    threads = [threading.Thread(target=reader) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(2, 30):
        files.version = version
    for thread in threads:
        thread.join()
    name(feed)
    assert len(files.closed) == len(set(files.closed))
    assert 29 not in files.closed
