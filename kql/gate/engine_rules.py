"""The subset rule: every text runs on the local engine too, and gives the columns that it declares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kql import catalog
from kql.duckdb_engine import DuckDbEngine, connect, plan_plainly
from kql.engine import Place, QueryError
from kql.gate.parser_rules import compare
from kql.header import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kql.gate.sources import Finding, Source


def check(sources: Sequence[Source]) -> Iterator[Finding]:
    """Give what the local engine refuses, over empty tables."""
    with connect() as connection:
        plan_plainly(connection)
        engine = DuckDbEngine(connection)
        for source in sources:
            yield from _one(source, engine)


def _one(source: Source, engine: DuckDbEngine) -> Iterator[Finding]:
    # A function's body runs as a query with its parameters in front, so that a file that is not deployed runs too.
    entry = replace(source.entry, kind="query")
    try:
        result = engine.query(catalog.bind(entry, {}))
    except CatalogError as error:
        yield source.at_field("Parameters", "KQL001", str(error))
    except QueryError as error:
        yield source.at(_in_body(error.place, source), "KQL020", error.message)
    else:
        difference = compare(entry.columns, [(column.name, column.type) for column in result.columns])
        if difference:
            yield source.at_field("Columns", "KQL021", f"{difference} (the local engine)")


def _in_body(place: Place | None, source: Source) -> Place | None:
    """Take off the line of `let` statements that parameters put in front."""
    if place is None or not source.entry.parameters:
        return place
    return replace(place, line=place.line - 1) if place.line > 1 else None
