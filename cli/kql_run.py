"""`drift kql run`: asks a workspace or files, and prints or writes the answer."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli import console
from cli.events import parse_last
from cli.kql import Format
from cli.kql_show import find
from cli.query_source import BadRequestError, failure_of, open_engine
from cli.words import counted
from core.errors import EXIT_DONE

if TYPE_CHECKING:
    from kql.engine import Engine, ResultTable

DEFAULT_LAST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Range:
    """Which rows: those from `start` on, or of the last `last`, up to `end`; None is now."""

    start: datetime | None = None
    last: timedelta = DEFAULT_LAST
    end: datetime | None = None

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """Give both ends; raises BadRequestError when nothing lies between them."""
        end = self.end or now
        start = self.start or end - self.last
        if start >= end:
            raise BadRequestError(f"the time range is empty: from {_stamp(start)} to {_stamp(end)}")
        return start, end


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    name: str | None
    file: Path | None
    parameters: tuple[str, ...]
    range: Range
    workspace: str | None
    data: Path | None
    format: Format
    out: Path | None
    limit: int | None


def time_range(last: str | None, start: str | None, end: str | None) -> Range:
    """Read the time options; raises a usage error."""
    if last is not None and start is not None:
        raise typer.BadParameter("give --last or --from, not both", param_hint="--last")
    return Range(
        start=_instant(start, "--from") if start is not None else None,
        last=parse_last(last) if last is not None else DEFAULT_LAST,
        end=_instant(end, "--to") if end is not None else None,
    )


def _instant(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        message = f"{text!a} is no time; write 2026-03-01 or 2026-03-01T12:00:00Z"
        raise typer.BadParameter(message, param_hint=option) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def run(wish: Wish) -> int:
    """Ask, and print. What was cut is said on stderr."""
    from cli.kql_formats import write
    from kql.engine import QueryError

    _check_output(wish)
    kql = text_of(wish)
    span = wish.range.bounds(datetime.now(UTC))
    # Files can be asked as of another time; a workspace's now() is always the real one.
    now = wish.range.end if wish.data is not None else None
    if wish.range.end is not None and wish.data is None:
        console.say("note: --to chooses the rows; now() in a workspace stays the real time")
    with open_engine(wish.workspace, wish.data) as engine:
        try:
            result = engine.query(kql, timespan=span, now=now)
        except QueryError as error:
            raise failure_of(error, kql) from error
        newest = _newest(engine, wish) if not result.rows else ""
    _say_what_is_missing(result, wish)
    shown = result if wish.limit is None else _first(result, wish.limit)
    write(shown, wish.format, wish.out)
    if not result.rows:
        console.say(f"no rows from {_stamp(span[0])} to {_stamp(span[1])}{newest}")
    return EXIT_DONE


def text_of(wish: Wish) -> str:
    """Give the KQL to run: of a name, a file or stdin, its parameters bound."""
    if (wish.name is None) == (wish.file is None):
        raise BadRequestError(
            "give the name of a query or function, - for stdin, or --file; `drift kql list` shows names"
        )
    values = dict(_pair(text) for text in wish.parameters)
    if wish.file is not None:
        return _of_file(wish.file, values)
    if wish.name == "-":
        _no_parameters(values)
        return _some(sys.stdin.read(), "stdin")
    from kql import catalog

    try:
        return catalog.bind(find(str(wish.name)), values)
    except catalog.CatalogError as error:
        raise BadRequestError(str(error)) from error


def _of_file(file: Path, values: dict[str, str]) -> str:
    from kql import catalog

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequestError(f"{file}: cannot be read: {error}") from error
    try:
        # Only a file with the comment block of those that ship says which parameters it has.
        entry = catalog.parse(file.stem, text)
        return catalog.bind(entry, values)
    except catalog.CatalogError as error:
        if values:
            raise BadRequestError(str(error)) from error
    return _some(text, str(file))


def _some(text: str, where: str) -> str:
    if not text.strip():
        raise BadRequestError(f"{where}: there is no KQL in it")
    return text


def _no_parameters(values: dict[str, str]) -> None:
    if values:
        raise BadRequestError(
            "--param is for queries that ship, and for files with their comment block; write `let` instead"
        )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadRequestError(f"--param {text[:80]!a} must be NAME=VALUE")
    return name.strip(), value


def _check_output(wish: Wish) -> None:
    if wish.format is Format.PARQUET and wish.out is None:
        raise BadRequestError("--format parquet is binary: say where to with --out FILE")
    if wish.out is not None and not wish.out.absolute().parent.is_dir():
        raise BadRequestError(f"--out {wish.out}: there is no folder {wish.out.absolute().parent}")


def _say_what_is_missing(result: "ResultTable", wish: Wish) -> None:
    if result.partial:
        console.say(f"WARNING: the answer is not whole: {result.partial}")
    if result.truncated_at is not None:
        console.say(f"WARNING: the answer was cut at {result.truncated_at:,} rows; there are more")
    if wish.limit is not None and len(result) > wish.limit:
        console.say(f"only the first {wish.limit:,} of {counted(len(result), 'row')} (--limit)")


def _first(result: "ResultTable", limit: int) -> "ResultTable":
    from dataclasses import replace

    return replace(result, rows=result.rows[:limit])


def _newest(engine: "Engine", wish: Wish) -> str:
    """Say from when the newest row of a file is, for a history that ends before the time range asks in vain."""
    if wish.data is None:
        return ""
    from core.events import TABLE

    (row,) = engine.query(f"{TABLE} | summarize max(TimeGenerated)").rows
    return f"; the newest row of {wish.data} is from {_stamp(row[0])} (--to)" if row[0] else f"; {wish.data} is empty"


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
