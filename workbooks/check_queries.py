"""Asks the engines about a workbook's queries: Microsoft's parser, and DuckDB on an empty database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kql.engine import QueryError
from kql.gate import Text
from workbooks.check import Verdict
from workbooks.check_samples import NOW, sample_queries
from workbooks.resolve_scope import declarations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kql.engine import Engine
    from kql.gate import Diagnosis, Parser
    from workbooks.model import Workbook


def ask(workbook: Workbook, engine: Engine, parser: Parser | None = None) -> dict[str, Verdict]:
    """Give the verdict on every log query, by the path of its item or parameter.

    `engine` runs on a database without rows. Without `parser` only what the engine refuses is found. Raises
    ParserFailedError.
    """
    (verdicts,) = ask_all([workbook], engine, parser)
    return verdicts


def ask_all(workbooks: Sequence[Workbook], engine: Engine, parser: Parser | None = None) -> list[dict[str, Verdict]]:
    """Give the verdicts on each of several workbooks, as `ask` does, for one start of the parser."""
    queries = [sample_queries(workbook, declarations(workbook)) for workbook in workbooks]
    texts = [Text(path, query) for each in queries for path, query in each.items()]
    # The parser is a process of its own and takes as long as the engine: they work at the same time.
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(parser.check, texts) if parser is not None else None
        answers = [_answer(text.kql, engine) for text in texts]
    said: list[Diagnosis] | list[None] = asked.result() if asked is not None else [None] * len(texts)
    verdicts = iter([_verdict(answer, one) for answer, one in zip(answers, said, strict=True)])
    return [{path: next(verdicts) for path in each} for each in queries]


def _answer(query: str, engine: Engine) -> tuple[str, ...] | QueryError:
    """Give the names of the columns that the engine answers with, or why it does not."""
    try:
        return tuple(column.name for column in engine.query(query, now=NOW).columns)
    except QueryError as error:
        return error


def _verdict(answer: tuple[str, ...] | QueryError, said: Diagnosis | None) -> Verdict:
    refused = tuple(("query-error", str(each)) for each in said.errors) if said else ()
    if not isinstance(answer, QueryError):
        return Verdict(refused, answer)
    if refused:
        return Verdict(refused, None)
    columns = tuple(name for name, _ in said.columns) if said and said.columns is not None else None
    code = "unsupported-query" if answer.kind == "unsupported" else "query-error"
    return Verdict(((code, str(answer)),), columns)
