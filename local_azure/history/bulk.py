"""The rows of what is right: millions alike, so they are made a column at a time.

Not by other rules than the others: the probe's own code makes one row for each target and address, and what differs
from run to run is laid over it: the times, the run's id, the duration, and the event's id, by core.events' own recipe.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from core import events
from kql import tables
from local_azure.history.columns import SCHEMA, storage_table
from probe.crosscheck import AZURE_RESOLVER
from probe.report import Occasion, target_event
from probe.result import TargetResult
from probe.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.arm_id import ArmId
    from local_azure.history.layout import Place
    from local_azure.history.play import Play
    from probe.target import Target, Vantage

_SENT_TWICE: Final = 0.002
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _Run:
    number: int
    statics: Any
    time_us: int
    at_us: int
    run_id: str


@dataclass
class Bulk:
    """Rows of right targets: `posts` are the vantages and their groups; `flush` gives what was told since the last."""

    play: Play
    posts: list[tuple[Vantage, list[Place]]]
    rows: list[dict[str, Any]] = field(default_factory=list)
    _facts: list[Any] = field(default_factory=list)
    _runs: list[_Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.play.seed)
        self._current = [np.full(len(places), -1, dtype=np.int64) for _, places in self.posts]
        self._index = [{place.key: at for at, place in enumerate(places)} for _, places in self.posts]
        self._plain = [np.zeros(len(places), dtype=bool) for _, places in self.posts]
        self._stale: list[set[str]] = [set() for _ in self.posts]

    def refresh(
        self, number: int, target_of: Callable[[Place], Target | None], is_plain: Callable[[Place, Vantage], bool]
    ) -> None:
        """Look anew at those groups of a vantage that changed since its last run, or whose zones may have."""
        touched = self.play.watch.touched
        if touched:
            for stale in self._stale:
                stale.update(touched)
            touched.clear()
        vantage, places = self.posts[number]
        for key in sorted(self._stale[number] & self._index[number].keys()):
            at = self._index[number][key]
            self._plain[number][at] = is_plain(places[at], vantage)
            target = target_of(places[at])
            self._current[number][at] = self._static(target, vantage) if target else -1
        self._stale[number].clear()

    def _static(self, target: Target, vantage: Vantage) -> int:
        first = self.play.probing.resolver.right(target)
        result = TargetResult(target, AZURE_RESOLVER, Verdict.OK, "", "", first)
        row = target_event(Occasion("", vantage, 1, _EPOCH), result).to_row()
        self.rows.append(row)
        self._facts.append(hashlib.sha256((events.fact_of(row) + events.FACT_SEPARATOR).encode()))
        return len(self.rows) - 1

    def zones_changed(self) -> None:
        """Note that zones or links changed: every group has to be looked at anew."""
        for stale, index in zip(self._stale, self._index, strict=True):
            stale.update(index)

    def doubtful(self, number: int) -> list[Place]:
        """Give the groups of a vantage whose zones may not answer there, and those for which DNS is not right."""
        dirty = [self._index[number][key] for key in self.play.watch.dirty if key in self._index[number]]
        places = self.posts[number][1]
        return [places[at] for at in sorted({*np.flatnonzero(~self._plain[number]).tolist(), *dirty})]

    def right(self, number: int, failing: set[ArmId | None]) -> Any:
        """Give the places of a vantage that are right, as indices into its groups."""
        is_right = self._current[number] >= 0
        is_right[[self._index[number][str(group).lower()] for group in failing if group]] = False
        return np.flatnonzero(is_right)

    @staticmethod
    def count(right: Any) -> int:
        """Count them."""
        return len(right)

    def tell(self, number: int, right: Any, occasion: Occasion, at: datetime) -> None:
        """Note that these targets of a vantage were right in a run."""
        if len(right):
            time_us = _microseconds(occasion.now)
            self._runs.append(_Run(number, self._current[number][right], time_us, _microseconds(at), occasion.run_id))

    def flush(self) -> pa.Table | None:
        """Give the rows told since the last time, with those that were sent twice; None when there are none."""
        runs, self._runs = self._runs, []
        if not runs:
            return None
        counts = [len(run.statics) for run in runs]
        statics = np.concatenate([run.statics for run in runs])
        ids = [digest for run in runs for digest in self._ids(run)]
        used, inverse = np.unique(statics, return_inverse=True)
        patterns = storage_table([self.rows[index] for index in used])
        table = _taken(patterns, inverse)
        times = np.repeat([run.time_us for run in runs], counts)
        received = np.repeat([run.at_us for run in runs], counts) + self._lag(len(statics), 6.2, 0.7)
        run_ids = pa.array([run.run_id for run in runs]).take(pa.array(np.repeat(np.arange(len(runs)), counts)))
        visible = received + self._lag(len(statics), 9.2, 0.8)
        laid_over = {
            "TimeGenerated": _times(times),
            "EventTime": _times(times),
            "EventId": pa.array(ids),
            "CorrelationId": run_ids,
            "DurationMs": pa.array(np.round(self._rng.lognormal(1.6, 0.7, len(statics))).astype(np.int64)),
            tables.RECEIVED: _times(received),
            tables.VISIBLE: _times(visible),
        }
        for name, column in laid_over.items():
            table = _with(table, name, column)
        return self._with_twice(table)

    def _ids(self, run: _Run) -> Iterable[str]:
        key = run.run_id.encode()
        for index in run.statics:
            digest = self._facts[index].copy()
            digest.update(key)
            yield digest.hexdigest()[: events.ID_LENGTH]

    def _with_twice(self, table: pa.Table) -> pa.Table:
        """Let some rows be sent twice; of the others it is known that nothing else has their EventId."""
        again = self._rng.random(table.num_rows) < _SENT_TWICE
        table = _with(table, tables.REPEATS, pa.array(again))
        copies = table.filter(pa.array(again))
        wait = self._rng.integers(10, 600, copies.num_rows) * 1_000_000
        for name in (tables.RECEIVED, tables.VISIBLE):
            copies = _with(copies, name, _times(copies.column(name).cast(pa.int64()).to_numpy() + wait))
        return pa.concat_tables([table, copies])

    def _lag(self, count: int, mean: float, spread: float) -> Any:
        """Draw waits in microseconds, whole milliseconds."""
        return np.round(self._rng.lognormal(mean, spread, count)).astype(np.int64) * 1000


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    field = SCHEMA.field(name)
    return table.set_column(SCHEMA.get_field_index(name), field, column.cast(field.type))


def _taken(patterns: pa.Table, inverse: Any) -> pa.Table:
    indices = pa.array(inverse)
    return pa.table([column.combine_chunks().take(indices) for column in patterns.columns], schema=patterns.schema)


def _times(microseconds: Any) -> pa.Array:
    return pa.array(microseconds, type=pa.int64()).cast(pa.timestamp("us"))


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)
