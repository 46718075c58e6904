"""Asks one query at many moments in one go, as alert rules are replayed: a lateral join of the moments with the query.

Planning a query takes DuckDB up to 300 ms, and running it over a day's rows a few: what is asked every five minutes of
a day is planned once. The query's tables, and now(), then depend on the moment that it is joined with.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from kql import tables
from kql.engine import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

Moment = tuple[datetime, tuple[datetime, datetime]]
"""What time it is, and the first and last TimeGenerated that may be seen then."""
NOW: Final = "kqlnow"
"""The translator's parameter for now(), there when a query asks for it."""
ROWS_AT_ONCE: Final = 2_000_000
"""Rows that the moments of one batch see together: each has its own, so they bound the memory."""
MOMENTS_AT_ONCE: Final = 288
_SEEN: Final = '"_IngestedAt" <= _moments._now AND "TimeGenerated" BETWEEN _moments._first AND _moments._last'


def batches(cursor: DuckDBPyConnection, sql: str, moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    """Cut moments into batches whose rows fit into memory."""
    waiting = iter(moments)
    while True:
        ahead = list(islice(waiting, 1))
        if not ahead:
            return
        room = ROWS_AT_ONCE // max(1, _rows_seen(cursor, sql, ahead[0]))
        yield [*ahead, *islice(waiting, max(0, min(room, MOMENTS_AT_ONCE) - 1))]


def asked(sql: str, moments: Sequence[Moment]) -> str:
    """Give the SQL that answers a translated query at each of these moments; the first column numbers the moment."""
    values = ", ".join(
        f"({number}, {_literal(now)}, {_literal(first)}, {_literal(last)})"
        for number, (now, (first, last)) in enumerate(moments)
    )
    named = ", ".join(f'"{name}" AS ({select})' for name, select in tables.selects(_SEEN, read_by=sql))
    inner = sql.replace(f"${NOW}", "_moments._now")
    within = f"WITH {named} SELECT * FROM ({inner})" if named else inner  # noqa: S608 - translated
    return (
        f"SELECT _moments._number, _answer.* "  # noqa: S608 - translated, and instants of ours
        f"FROM (VALUES {values}) AS _moments(_number, _now, _first, _last), LATERAL ({within}) AS _answer"
    )


def apart(table: ResultTable, count: int) -> list[ResultTable]:
    """Give each moment its own answer."""
    rows: list[list[tuple[object, ...]]] = [[] for _ in range(count)]
    for number, *row in table.rows:
        rows[number].append(tuple(row))
    return [ResultTable(table.columns[1:], tuple(own)) for own in rows]


def _rows_seen(cursor: DuckDBPyConnection, sql: str, moment: Moment) -> int:
    now, (first, last) = moment
    seen = f'"_IngestedAt" <= {_literal(now)} AND "TimeGenerated" BETWEEN {_literal(first)} AND {_literal(last)}'
    storages = [tables.EVENTS.storage]
    storages += [table.storage for table in tables.TABLES if table.name in sql and table is not tables.EVENTS]
    counts = [f"(SELECT count(*) FROM {storage} WHERE {seen})" for storage in storages]  # noqa: S608 - names of ours
    found = cursor.execute(f"SELECT {' + '.join(counts)}").fetchall()
    return int(found[0][0])


def _literal(time: datetime) -> str:
    return f"TIMESTAMP '{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
