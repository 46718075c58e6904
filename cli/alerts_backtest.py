"""`drift alerts backtest`: replays rules over rows of files or of a workspace, and shows what they would have done."""

import csv
import io
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import typer

from alerts import corpus, history
from alerts.backtest import Backtest, run
from alerts.durations import to_short
from alerts.yaml_source import RuleError
from cli import console
from cli.alerts_show import condition
from cli.events import parse_last, stamp
from cli.query_source import failure_of, open_workspace
from cli.words import counted
from core.errors import EXIT_DONE, EXIT_FAILURE, ConfigurationError
from kql.catalog import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from alerts.model import Rule
    from kql.duckdb_engine import DuckDbEngine

_MINUTE = timedelta(minutes=1)
_NOISIEST = 3


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to replay, over which rows, and how to print it."""

    data: Path | None
    workspace: str | None
    last: timedelta
    end: datetime | None
    rules: tuple[str, ...]
    format: Literal["table", "json", "csv"]

    @staticmethod
    def of(  # noqa: PLR0913 - one for each option
        *, data: Path | None, workspace: str | None, last: str, end: str | None, rules: "Sequence[str]", format_: str
    ) -> "Wishes":
        """Read the options; raises a usage error."""
        if format_ not in {"table", "json", "csv"}:
            raise typer.BadParameter(f"{format_!a} is not table, json or csv", param_hint="--format")
        kind = cast("Literal['table', 'json', 'csv']", format_)
        return Wishes(data, workspace, parse_last(last), _end(end), tuple(rules), kind)


def _end(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!a} is not an ISO 8601 time", param_hint="--end") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def backtest(wishes: Wishes, folder: Path | None) -> int:
    """Replay the rules and show what they would have done. 1 when a rule's query failed."""
    from kql.engine import QueryError

    rules = corpus.chosen(corpus.read_rules(folder or corpus.RULES), wishes.rules)
    began = time.monotonic()
    try:
        with _rows(wishes, rules) as (engine, end):
            found = run(rules, engine, end - wishes.last, end, progress=_progress(len(rules)))
    except CatalogError as error:
        raise ConfigurationError(f"a rule's query cannot be built: {error}") from error
    except QueryError as error:
        raise failure_of(error, "") from error
    _show(found, wishes, time.monotonic() - began)
    return EXIT_FAILURE if any(one.failed for one in found) else EXIT_DONE


@contextmanager
def _rows(wishes: Wishes, rules: "Sequence[Rule]") -> "Iterator[tuple[DuckDbEngine, datetime]]":
    """Open the rows, and find the instant at which the history ends."""
    from kql.data import open_data
    from kql.duckdb_engine import DuckDbEngine, connect

    if wishes.data is not None:
        with open_data(wishes.data) as connection:
            engine = DuckDbEngine(connection)
            yield engine, wishes.end or _newest(engine, wishes.data)
        return
    from kql.workspace_engine import WorkspaceEngine

    end = wishes.end or _whole_minute(datetime.now(UTC))
    with open_workspace(wishes.workspace) as workspace, connect() as connection:
        wanted = history.tables_of(rules)
        source = WorkspaceEngine(workspace)
        count = history.load(source, wanted, end - wishes.last, end, connection, _missing)
        console.say(f"{counted(count, 'row')} of {', '.join(table.name for table in wanted)} read")
        yield DuckDbEngine(connection), end


def _missing(what: str) -> None:
    console.say(f"warning: the workspace has no rows to give of {what}")


def _newest(engine: "DuckDbEngine", data: Path) -> datetime:
    newest = engine.query("AciDnsEvents_CL | summarize Newest = max(TimeGenerated)").values("Newest")
    if not newest or newest[0] is None:
        raise RuleError(f"{data} has no event: there is no history to replay")
    return _whole_minute(newest[0]) + _MINUTE


def _whole_minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _progress(total: int) -> Any:
    """Say on a terminal how far it has come."""
    stderr = console.stderr()
    if not stderr.is_terminal:
        return None
    shares: dict[str, float] = {}

    def tell(name: str, share: float) -> None:
        shares[name] = share
        stderr.print(f"  {sum(shares.values()) / total:4.0%}  {name}\x1b[K", end="\r", highlight=False)

    return tell


def _show(found: "list[Backtest]", wishes: Wishes, seconds: float) -> None:
    if wishes.format == "json":
        console.show_json([as_json(one) for one in found])
    elif wishes.format == "csv":
        console.show_text(as_csv(found))
    else:
        first = found[0]
        evaluations = sum(one.evaluations for one in found)
        console.show(_table(found))
        console.show(
            f"{first.start:%Y-%m-%d %H:%M} to {first.end:%Y-%m-%d %H:%M} UTC: {counted(len(found), 'rule')}, "
            f"{evaluations:,} evaluations in {seconds:.0f} s ({evaluations / max(seconds, 1e-9):,.0f} a second)"
        )
    for one in found:
        if one.error:
            console.say(f"warning: {one.rule.name}: {counted(one.failed, 'evaluation')} failed: {one.error}")
        if one.dropped:
            console.say(f"warning: {one.rule.name}: {counted(one.dropped, 'alert')} not fired, over Azure's limits")


def _table(found: "list[Backtest]") -> "Table":
    from rich.markup import escape

    table = console.table()
    for heading in ("rule", "tells", "fired", "a week", "open", "longest", "mean to resolve", "noisiest"):
        numeric = heading in {"fired", "a week", "open", "longest", "mean to resolve"}
        table.add_column(heading, no_wrap=heading != "noisiest", justify="right" if numeric else "left")
    for one in found:
        noisiest = [f"{_series(key)} ({count})" for key, count in one.by_dimensions()[:_NOISIEST]]
        table.add_row(
            one.rule.name,
            one.rule.action_group,
            f"{one.fired:,}" + (f" (+{one.muted:,} muted)" if one.muted else ""),
            f"{one.per_week:.1f}",
            str(one.open) if one.rule.auto_mitigate else "—",
            _length(one.longest),
            _length(one.mean_time_to_resolve),
            escape(", ".join(noisiest)),
        )
    return table


def _series(key: tuple[tuple[str, str], ...]) -> str:
    """Write a series' values; of a resource's id its name."""
    return "/".join(text.rsplit("/", 1)[-1] for _, text in key if text) or "all"


def _length(span: timedelta | None) -> str:
    return "—" if span is None else to_short(timedelta(seconds=round(span.total_seconds())))


def as_json(one: Backtest) -> dict[str, Any]:
    """Give a rule's backtest as JSON values; lengths are seconds."""
    return {
        "rule": one.rule.name,
        "severity": one.rule.severity,
        "actionGroup": one.rule.action_group,
        "condition": condition(one.rule),
        "start": stamp(one.start),
        "end": stamp(one.end),
        "evaluations": one.evaluations,
        "failed": one.failed,
        "error": one.error,
        "fired": one.fired,
        "perWeek": round(one.per_week, 3),
        "muted": one.muted,
        "dropped": one.dropped,
        "open": one.open,
        "longestSeconds": one.longest.total_seconds() if one.longest is not None else None,
        "meanSecondsToResolve": one.mean_time_to_resolve.total_seconds() if one.mean_time_to_resolve else None,
        "byDimensions": [{"dimensions": dict(key), "fired": count} for key, count in one.by_dimensions()],
        "alerts": [
            {
                "dimensions": dict(episode.dimensions),
                "firedAt": stamp(episode.fired_at),
                "resolvedAt": stamp(episode.resolved_at) if episode.resolved_at else None,
                "value": episode.value,
            }
            for episode in one.episodes
        ],
    }


def as_csv(found: "list[Backtest]") -> str:
    """Give one line for each alert."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["rule", "severity", "fired_at", "resolved_at", "seconds", "value", "dimensions"])
    for one in found:
        for episode in one.episodes:
            lasted = episode.lasted(one.end).total_seconds() if one.rule.auto_mitigate else ""
            resolved = stamp(episode.resolved_at) if episode.resolved_at else ""
            value = "" if episode.value is None else f"{episode.value:g}"
            dimensions = ";".join(f"{name}={text}" for name, text in episode.dimensions)
            fired = stamp(episode.fired_at)
            writer.writerow([one.rule.name, one.rule.severity, fired, resolved, lasted, value, dimensions])
    return out.getvalue()
