"""The history itself: played day by day, handed out as Arrow tables in the order in which rows arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from kql import tables
from local_azure.history import calendar, incidents, watching
from local_azure.history.columns import arrived_table
from local_azure.history.play import Play
from local_azure.history.rooms import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_azure.history.shape import Shape
    from local_azure.history.truth import Truth

DEFAULT_SEED: Final = 7
_AFTER: Final = timedelta(days=400)
_BY_NAME: Final = {table.name: table for table in tables.TABLES}


@dataclass
class History:
    """A fleet's history. Iterate once: each item is one day's rows, an Arrow table by the name of the table.

    The columns are those of kql/tables.py's storage, `_TimeReceived` and `_IngestedAt` among them; `dynamic` is JSON
    text. `truth` is whole when the last day was handed out.
    """

    shape: Shape
    seed: int = DEFAULT_SEED
    play: Play = field(init=False)

    def __post_init__(self) -> None:
        self.play = Play.of(self.shape, self.seed)

    @property
    def truth(self) -> Truth:
        """What really happened so far."""
        return self.play.truth

    def __iter__(self) -> Iterator[dict[str, pa.Table]]:
        with quiet():
            yield from self._days()

    def _days(self) -> Iterator[dict[str, pa.Table]]:
        play = self.play
        calendar.begin(play)
        watching.plan(play)
        play.probing.plan()
        incidents.plan(play)
        for midnight in _midnights(self.shape):
            calendar.plan_day(play, midnight)
            play.run_until(min(midnight + timedelta(days=1), self.shape.end))
            yield self._taken(midnight + timedelta(days=1))
        yield self._taken(self.shape.end + _AFTER)

    def _taken(self, until: datetime) -> dict[str, pa.Table]:
        """Give what was taken in before `until`. Rows of what is right come with their day."""
        events, traces = self.play.arrivals.due(until)
        bulk = self.play.probing.bulk.flush()
        told = arrived_table(events)
        found = {tables.EVENTS.name: pa.concat_tables([told, bulk]) if bulk is not None else told}
        found[tables.TRACES.name] = arrived_table(traces, tables.TRACES)
        for name, rows in self.play.runtime.due(until).items():
            found[name] = arrived_table(rows, _BY_NAME[name])
        return {name: table for name, table in found.items() if table.num_rows}


def generate(shape: Shape, seed: int = DEFAULT_SEED) -> Iterator[dict[str, pa.Table]]:
    """Give a history's rows, a day at a time; the same shape and seed give the same rows, byte for byte."""
    return iter(History(shape, seed))


def _midnights(shape: Shape) -> Iterator[datetime]:
    day = shape.start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < shape.end:
        yield day
        day += timedelta(days=1)
