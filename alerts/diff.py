"""Says what a failed unit test expected and got: a diff of alerts, and the rows that the query had answered. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from alerts.durations import to_short
from alerts.run_cases import agrees

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alerts.cases import Expected
    from alerts.run_cases import CaseResult, Mismatch
    from kql.engine import ResultTable

SHOWN_INSTANTS: Final = 3
MAX_ROWS: Final = 10
MAX_CELL: Final = 40


def failure(result: CaseResult) -> Iterator[str]:
    """Give the lines that explain why a test failed; of each `-` is expected and `+` is what there was."""
    yield f"FAIL {result.file}:{result.case.line}: {result.case.name}"
    for mismatch in result.mismatches[:SHOWN_INSTANTS]:
        offset = to_short(mismatch.at - result.now)
        yield f"  {result.case.rule} at {offset} ({mismatch.at:%Y-%m-%d %H:%M:%S} UTC), line {mismatch.line}:"
        if mismatch.error:
            yield f"    the query failed: {mismatch.error}"
        yield from _difference(mismatch, result.now)
        if mismatch.table is not None:
            yield from _rows(mismatch.table)
    rest = len(result.mismatches) - SHOWN_INSTANTS
    if rest > 0:
        last = to_short(result.mismatches[-1].at - result.now)
        yield f"  and at {rest} more instant{'s' if rest > 1 else ''}, the last at {last}"


def _difference(mismatch: Mismatch, now: datetime) -> Iterator[str]:
    got = {frozenset(one.dimensions.items()): one for one in mismatch.got}
    for one in mismatch.expected:
        other = got.pop(frozenset(one.dimensions.items()), None)
        if other is not None and agrees(one, other):
            yield f"      {_alert(other, now)}"
            continue
        yield f"    - {_alert(one, now)}"
        if other is not None:
            yield f"    + {_alert(other, now)}"
    for other in got.values():
        yield f"    + {_alert(other, now)}"
    if not mismatch.expected:
        yield "    - (no alert)"
    if not mismatch.got:
        yield "    + (no alert)"


def _alert(one: Expected, now: datetime) -> str:
    parts = [one.state.value, *(f"{name}={value!r}" for name, value in one.dimensions.items())]
    if one.value is not None:
        parts.append(f"value {one.value:g}")
    if one.fired_at is not None:
        parts.append(f"fired at {to_short(one.fired_at - now)}")
    if one.resolved_at is not None:
        parts.append(f"resolved at {to_short(one.resolved_at - now)}")
    return "  ".join(parts)


def _rows(table: ResultTable) -> Iterator[str]:
    count = len(table)
    yield f"    the query's answer at that instant: {count} row{'' if count == 1 else 's'}"
    if not count:
        return
    names = [column.name for column in table.columns]
    lines = [names, *([_cell(value) for value in row] for row in table.rows[:MAX_ROWS])]
    widths = [max(len(line[index]) for line in lines) for index in range(len(names))]
    for line in lines:
        yield "      " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    if count > MAX_ROWS:
        yield f"      and {count - MAX_ROWS} more"


def _cell(value: Any) -> str:
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else "" if value is None else str(value)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
