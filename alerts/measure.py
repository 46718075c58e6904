"""From the rows of one evaluation to its series: bins, combinations of dimensions, one number each, compared. Pure.

Azure's semantics: bins have the length of windowSize and are counted back from the evaluation's instant, not from the
epoch. A bin holds its start and not its end. Without a datetime column TimeGenerated there is one bin, the whole query
range. A combination that has no row has no series; a bin without a row has no value, and violates nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alerts.model import TIME_COLUMN, Rule, TimeAggregation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kql.engine import ResultTable

Key = tuple[str, ...]
"""The values of a rule's dimensions (and of its resource id column), in the rule's order."""
DIMENSION_TYPES: Final = frozenset({"string", "int", "long", "real", "decimal"})
MEASURE_TYPES: Final = frozenset({"int", "long", "real", "decimal"})
_JUST_BEFORE: Final = timedelta(microseconds=1)


class MeasureError(ValueError):
    """A result that the rule cannot be measured on: a column is missing or has the wrong type."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One period: from `start` (in it) to `end` (not in it), its number or None, and whether that violates."""

    start: datetime
    end: datetime
    value: float | None
    violates: bool


@dataclass(frozen=True, slots=True)
class Series:
    """One combination of dimension values at one evaluation. `bins` are the newest first; `met` is the condition."""

    key: Key
    dimensions: Mapping[str, str]
    bins: tuple[Bin, ...]
    met: bool

    @property
    def shown(self) -> Bin:
        """The bin that an alert speaks of: the newest violating one, or the newest with a value."""
        return next((one for one in self.bins if one.violates), None) or next(
            (one for one in self.bins if one.value is not None), self.bins[0]
        )


def query_span(rule: Rule, at: datetime) -> tuple[datetime, datetime]:
    """Give the first and last TimeGenerated that the query may see when the rule is evaluated at an instant."""
    return at - rule.query_time_range, at - _JUST_BEFORE


def measure(rule: Rule, table: ResultTable, at: datetime) -> tuple[Series, ...]:
    """Give the series of one evaluation, ordered by key. Raises MeasureError."""
    names = key_columns(rule)
    places = _places(rule, table)
    binned = is_binned(table)
    if rule.failing_periods.of > 1 and not binned:
        raise MeasureError(f"several evaluation periods need a column {TIME_COLUMN} of type datetime in the result")
    edges = _edges(rule, at, binned=binned)
    grouped: dict[Key, list[list[Any]]] = defaultdict(lambda: [[] for _ in edges])
    for row in table.rows:
        index = _bin_of(row[places[TIME_COLUMN]], at, rule.window_size) if binned else 0
        key = tuple(as_text(row[places[name]]) for name in names)
        if index is not None and index < len(edges) and _admitted(rule, key):
            measured = row[places[rule.metric_measure_column]] if rule.metric_measure_column else 1
            grouped[key][index].append(measured)
    return tuple(_series(rule, key, names, edges, bins) for key, bins in sorted(grouped.items()))


def key_columns(rule: Rule) -> tuple[str, ...]:
    """Give the columns whose values tell one series from another."""
    names = [dimension.name for dimension in rule.dimensions]
    return (*names, *((rule.resource_id_column,) if rule.resource_id_column else ()))


def is_binned(table: ResultTable) -> bool:
    """Tell whether Azure would put this result into bins by time."""
    return any(column.name == TIME_COLUMN and column.type == "datetime" for column in table.columns)


def as_text(value: Any) -> str:
    """Write a dimension's value as an alert does: a null is empty, a whole number has no decimal point."""
    if value is None:
        return ""
    if isinstance(value, float | Decimal):
        return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
    return str(value)


def column_faults(rule: Rule, columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """Say which settings do not fit a result with these columns (name -> Kusto type): (setting, what is wrong)."""
    faults = []
    wanted = [("dimensions", name, DIMENSION_TYPES) for name in (one.name for one in rule.dimensions)]
    wanted += [("resourceIdColumn", name, frozenset({"string"})) for name in (rule.resource_id_column,) if name]
    wanted += [("metricMeasureColumn", name, MEASURE_TYPES) for name in (rule.metric_measure_column,) if name]
    for setting, name, types in wanted:
        if name not in columns:
            faults.append((setting, f"the result has no column {name!r}; it has {', '.join(columns) or 'none'}"))
        elif columns[name] not in types:
            faults.append((setting, f"column {name!r} is {columns[name]}, and must be {' or '.join(sorted(types))}"))
    return faults


def _places(rule: Rule, table: ResultTable) -> dict[str, int]:
    faults = column_faults(rule, {column.name: column.type for column in table.columns})
    if faults:
        raise MeasureError("; ".join(message for _, message in faults))
    return {column.name: index for index, column in enumerate(table.columns)}


def _edges(rule: Rule, at: datetime, *, binned: bool) -> list[tuple[datetime, datetime]]:
    if not binned:
        return [(at - rule.query_time_range, at)]
    size = rule.window_size
    return [(at - size * (number + 1), at - size * number) for number in range(rule.failing_periods.of)]


def _bin_of(moment: datetime | None, at: datetime, size: timedelta) -> int | None:
    """Give the number of the bin, 0 being the newest; None for a row without a time, or not before the instant."""
    if moment is None or moment >= at:
        return None
    return (at - moment - _JUST_BEFORE) // size


def _admitted(rule: Rule, key: Key) -> bool:
    return all(dimension.admits(value) for dimension, value in zip(rule.dimensions, key, strict=False))


def _series(
    rule: Rule,
    key: Key,
    names: Sequence[str],
    edges: Sequence[tuple[datetime, datetime]],
    measured: Sequence[list[Any]],
) -> Series:
    bins = []
    for (start, end), values in zip(edges, measured, strict=True):
        number = aggregate(rule.time_aggregation, values)
        bins.append(Bin(start, end, number, number is not None and rule.operator.holds(number, rule.threshold)))
    violating = sum(one.violates for one in bins)
    return Series(key, dict(zip(names, key, strict=True)), tuple(bins), violating >= rule.failing_periods.minimum)


def aggregate(kind: TimeAggregation, values: Sequence[Any]) -> float | None:
    """Make one number of a bin's measures; nulls do not count. None where there is nothing to aggregate."""
    if kind is TimeAggregation.COUNT:
        return float(len(values)) if values else None
    numbers = [float(value) for value in values if value is not None]
    if not numbers:
        return None
    match kind:
        case TimeAggregation.AVERAGE:
            return math.fsum(numbers) / len(numbers)
        case TimeAggregation.MINIMUM:
            return min(numbers)
        case TimeAggregation.MAXIMUM:
            return max(numbers)
        case _:
            return math.fsum(numbers)
