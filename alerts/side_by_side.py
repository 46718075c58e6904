"""Puts the tests of one rule side by side in time, so that its query is planned once for all of them.

Planning is what a query over a few rows costs (0.2 s for the largest functions), and a test asks at a few instants.
Each test is moved by whole weeks, so that no evaluation sees the rows of another test and hours, days and weekdays stay
what they were; what its rows answer is moved back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from alerts.model import MAX_RANGE
from alerts.rows import stamp
from kql import tables
from kql.engine import QueryError, ResultTable, Timespan, bounds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from alerts.cases import Case
    from alerts.rows import Arrival
    from kql.duckdb_engine import DuckDbEngine
    from kql.many_moments import Moment

WEEK: Final = timedelta(weeks=1)
_TIME_IN_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d")


@dataclass(frozen=True, slots=True)
class Place:
    """A test, the instants at which its rule is evaluated, and how far the test was moved."""

    case: Case
    moments: tuple[datetime, ...]
    by: timedelta


def can_move(case: Case) -> bool:
    """Tell whether all times of a test's rows are values of their columns: one inside of a text would stay behind."""
    return not any(_TIME_IN_TEXT.search(str(value)) for arrival in case.arrivals for value in _others(arrival))


def places(cases: Sequence[tuple[Case, Sequence[datetime]]]) -> list[Place]:
    """Give each test, with its evaluations' instants, a place where no evaluation sees what is of another. Pure."""
    found: list[Place] = []
    end: datetime | None = None
    for case, moments in cases:
        times = [*moments, *(arrival.time for arrival in case.arrivals)]
        by = timedelta()
        if times and end is not None:
            by = WEEK * max(0, -(-(end + MAX_RANGE - min(times)) // WEEK) + 1)
        if times:
            end = max(times) + by
        found.append(Place(case, tuple(moments), by))
    return found


def fill(connection: DuckDBPyConnection, found: Sequence[Place]) -> None:
    """Empty a database made by kql.duckdb_engine.connect, and give it the tests' rows, each moved to its place."""
    tables.clear(connection)
    rows: dict[str, list[tuple[Mapping[str, Any], datetime, datetime]]] = defaultdict(list)
    for place in found:
        for arrival in place.case.arrivals:
            visible = arrival.visible + place.by
            rows[arrival.table.name].append((_moved(arrival, place.by), visible, visible))
    for table in tables.TABLES:
        tables.append_each(connection, table, rows[table.name])


@dataclass
class SideBySide:
    """What the tests in a database filled by `fill` answer: a query is asked once for all of them, then remembered."""

    engine: DuckDbEngine
    places: Sequence[Place]
    _known: dict[tuple[str, timedelta, timedelta], list[list[ResultTable]] | QueryError] = field(default_factory=dict)

    def of(self, place: Place) -> OfOne:
        """Give the engine of one test: it knows nothing of the others, or of having been moved."""
        return OfOne(self, self.places.index(place))

    def answers(self, kql: str, first: timedelta, last: timedelta) -> list[list[ResultTable]]:
        """Give each test's answers at its instants, seeing rows from and to so long before. Raises QueryError."""
        key = (kql, first, last)
        if key not in self._known:
            moments = [at + place.by for place in self.places for at in place.moments]
            try:
                answers = self.engine.query_each(kql, [(at, (at - first, at - last)) for at in moments])
                self._known[key] = [[_back(next(answers), place.by) for _ in place.moments] for place in self.places]
            except QueryError as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, QueryError):
            raise found
        return found


@dataclass(frozen=True, slots=True)
class OfOne:
    """The engine of one test among others: alerts.evaluate.replay asks it as it would ask a database of that test."""

    among: SideBySide
    index: int

    def query(self, kql: str, *, timespan: Timespan | None = None, now: datetime | None = None) -> ResultTable:
        """Answer at one instant; `timespan` and `now` must be given, for they are moved. Raises QueryError."""
        place = self.among.places[self.index]
        if timespan is None or now is None:
            raise ValueError("a test that was moved is asked at an instant, over a time range")
        first, last = bounds(timespan, now) or (now, now)
        answer = self.among.engine.query(kql, timespan=(first + place.by, last + place.by), now=now + place.by)
        return _back(answer, place.by)

    def query_each(self, kql: str, moments: Sequence[Moment]) -> Iterator[ResultTable]:
        """Answer at each instant of the test, which all look equally far back. Raises QueryError."""
        place = self.among.places[self.index]
        spans = {(at - first, at - last) for at, (first, last) in moments}
        if len(spans) == 1 and tuple(at for at, _ in moments) == place.moments:
            yield from self.among.answers(kql, *spans.pop())[self.index]
            return
        for at, span in moments:
            yield self.query(kql, timespan=span, now=at)


def _others(arrival: Arrival) -> Iterator[Any]:
    for name, kind in arrival.table.columns:
        if kind != "datetime" and name in arrival.values:
            yield arrival.values[name]


def _moved(arrival: Arrival, by: timedelta) -> Mapping[str, Any]:
    if not by:
        return arrival.values
    times = {name for name, kind in arrival.table.columns if kind == "datetime"}
    return {name: _later(value, by) if name in times and value else value for name, value in arrival.values.items()}


def _later(text: str, by: timedelta) -> str:
    return stamp(datetime.fromisoformat(text) + by)


def _back(table: ResultTable, by: timedelta) -> ResultTable:
    times = [column.type == "datetime" for column in table.columns]
    if not by or not any(times):
        return table
    rows = tuple(
        tuple(value - by if is_time and value is not None else value for is_time, value in zip(times, row, strict=True))
        for row in table.rows
    )
    return ResultTable(table.columns, rows, truncated_at=table.truncated_at)
