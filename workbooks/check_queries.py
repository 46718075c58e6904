"""Asks the engines about a workbook's queries: Microsoft's parser, and DuckDB on an empty database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kql.engine import QueryError
from kql.gate import Text
from workbooks.check import Verdict
from workbooks.check_samples import NOW, sample_queries
from workbooks.resolve_scope import declarations

if TYPE_CHECKING:
    from kql.engine import Engine
    from kql.gate import Diagnosis, Parser
    from workbooks.model import Workbook


def ask(workbook: Workbook, engine: Engine, parser: Parser | None = None) -> dict[str, Verdict]:
    """Give the verdict on every log query, by the path of its item or parameter.

    `engine` runs on a database without rows. Without `parser` only what the engine refuses is found. Raises
    ParserFailedError.
    """
    queries = sample_queries(workbook, declarations(workbook))
    said: list[Diagnosis | None] = [None] * len(queries)
    if parser is not None:
        said = list(parser.check(Text(path, query) for path, query in queries.items()))
    return {path: _verdict(query, engine, one) for (path, query), one in zip(queries.items(), said, strict=True)}


def _verdict(query: str, engine: Engine, said: Diagnosis | None) -> Verdict:
    refused = tuple(("query-error", str(each)) for each in said.errors) if said else ()
    columns = tuple(name for name, _ in said.columns) if said and said.columns is not None else None
    try:
        result = engine.query(query, now=NOW)
    except QueryError as error:
        if refused:
            return Verdict(refused, None)
        code = "unsupported-query" if error.kind == "unsupported" else "query-error"
        return Verdict(((code, str(error)),), columns)
    return Verdict(refused, tuple(column.name for column in result.columns))
