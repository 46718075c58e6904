"""The history of DNS for container groups as DataFrames: what every notebook here imports.

    from notebooks import history

    events = history.load_events("history.duckdb", "90d")
    drifts = history.drift_episodes(events)
    slo = history.query("slo", source="history.duckdb", timespan="90d", bucket="1d")

A source is a file or folder (DuckDB, Parquet, JSON lines), `demo`, or `workspace:<id>`; see notebooks/source.py.
"""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.events import Component
from kql import catalog
from kql.user_cache import user_cache
from notebooks import fetching, frames, loading
from notebooks.chunk_store import ChunkStore
from notebooks.cost import bytes_of_events, cost_of_events
from notebooks.episodes import drift_episodes
from notebooks.fetching import IncompleteHistoryError, Missing
from notebooks.frames import COLUMNS, LEAN, parsed, time_of
from notebooks.source import Files, HistoryError, Source, Workspace, as_timespan, last_instant, open_workspace, resolve
from notebooks.survival import compare_repair, repair_curve, survival_at
from notebooks.timelines import incident_timeline, ip_timeline
from notebooks.together import bursts, co_occurrence, deploy_day_effect, deploys
from notebooks.trends import anomaly_bands, before_after, drift_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd

    from kql.chunks import Progress
    from kql.engine import Timespan
    from kql.literals import Value

__all__ = [
    "COLUMNS", "LEAN", "OBSERVERS", "HistoryError", "IncompleteHistoryError", "Missing", "anomaly_bands",
    "before_after", "bursts", "bytes_of_events", "co_occurrence", "compare_repair", "cost_of_events", "default_cache",
    "deploy_day_effect", "deploys", "drift_episodes", "drift_rate", "incident_timeline", "ip_timeline", "load_events",
    "parsed", "query", "range_of", "repair_curve", "store_folder", "survival_at", "time_of", "what_is_missing",
]  # fmt: skip

OBSERVERS: Final = ("reconciler", "tracker", "audit")
"""The components that say what is in DNS: all that drift_episodes needs, and a tenth of the rows."""
_ALL: Final = datetime(9999, 1, 1, tzinfo=UTC)
_Name = str | os.PathLike[str] | Source | None


def load_events(  # noqa: PLR0913 - each is a choice of its own
    source: _Name = None,
    timespan: Timespan | str | None = None,
    *,
    columns: Iterable[str] | None = None,
    components: Sequence[str] = (),
    now: datetime | None = None,
    cache: str | os.PathLike[str] | None = None,
    refresh: bool = False,
    allow_partial: bool = False,
    progress: bool | Callable[[Progress], None] = True,
) -> pd.DataFrame:
    """Load the events of a time span, each fact once as AciDnsEvents() says, ordered by TimeGenerated.

    `timespan` goes by TimeGenerated: a timedelta or text (`90d`) back from `now`, (start, end), or None for
    everything (for a workspace: 90 days). `now` is the real time for a workspace, and that of the last event for
    files, so that an old file is read as it was. `components` are those whose events are wanted (none named: all),
    `columns` are those wanted (None: all; LEAN is what most figures need); types: notebooks/frames.py.

    A workspace is asked a day at a time, several at once, with a progress bar on stderr; what comes is kept as
    Parquet in `cache` (default: default_cache()), in a folder of its own, and not asked again unless it may have
    changed since, or `refresh`. What it cannot give raises IncompleteHistoryError, which names it; with
    `allow_partial` it is a warning, and `attrs["missing"]` of the frame.

    `attrs` also has `source`, `now`, `start` and `end`. Raises HistoryError, DataError for files, QueryError for a
    workspace that refuses, ValueError for a column or component that does not exist.
    """
    found, span, chosen = resolve(source), as_timespan(timespan), frames.checked(columns)
    unknown = [name for name in components if name not in set(Component)]
    if unknown:
        raise ValueError(f"there is no component {', '.join(unknown)}; there are {', '.join(Component)}")
    if isinstance(found, Files):
        frame = loading.load(found.path, span, chosen, now, components)
        frame.attrs.update(source=str(found), missing=())
        return frame
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    whole = fetching.DEFAULT_SPAN if span is None else span
    start, end = whole if isinstance(whole, tuple) else (moment - whole, moment)
    store = ChunkStore(store_folder(found, cache))
    if refresh:
        store.clear()
    missing = _fetched(found, store, (start, end), moment, progress)
    if missing and not allow_partial:
        raise IncompleteHistoryError(missing)
    files = store.files_between(start, end)
    # What was fetched is there, whenever it became visible: the workspace said so.
    frame = loading.load(files, (start, end), chosen, _ALL, components) if files else frames.empty(chosen)
    frame.attrs.update(loading.attributes((start, end), moment), source=str(found), missing=tuple(missing))
    if missing:
        warnings.warn(what_is_missing(frame), stacklevel=2)
    return frame


def query(
    name: str,
    *,
    source: _Name = None,
    timespan: Timespan | str | None = None,
    now: datetime | None = None,
    **parameters: Value,
) -> pd.DataFrame:
    """Answer a shipped query (`drift-episodes`) or workspace function (`AciDnsSlo`) as a DataFrame.

    `source`, `timespan` and `now` as for load_events; the parameters are the query's own (`drift kql list`). The
    frame's `attrs["partial"]` says why an answer is not whole, or is None. Raises HistoryError for a name or
    parameter that does not exist, QueryError for what the engine refuses.
    """
    found, span = resolve(source), as_timespan(timespan)
    try:
        text = catalog.call(name, **parameters) if name in catalog.functions() else catalog.query(name, **parameters)
    except catalog.CatalogError as error:
        raise HistoryError(str(error)) from error
    frame = _from_files(found, text, span, now) if isinstance(found, Files) else _from_workspace(found, text, span, now)
    if frame.attrs["partial"]:
        warnings.warn(f"{name}: the answer is not whole: {frame.attrs['partial']}", stacklevel=2)
    return frame


def range_of(events: pd.DataFrame) -> tuple[datetime, datetime] | None:
    """Give the time range that load_events was asked for: the `timespan` with which a query sees the same rows."""
    start, end = events.attrs.get("start"), events.attrs.get("end")
    return (start, end) if start and end else None


def what_is_missing(events: pd.DataFrame) -> str:
    """Say which stretches of time a frame of load_events does not have; empty when it is whole."""
    missing: tuple[Missing, ...] = events.attrs.get("missing", ())
    return "the history is not whole; missing are\n" + "\n".join(f"  {each}" for each in missing) if missing else ""


def default_cache() -> Path:
    """Give the folder in which what workspaces gave is kept: below XDG_CACHE_HOME or ~/.cache."""
    return user_cache() / "history"


def store_folder(source: Workspace, cache: str | os.PathLike[str] | None = None) -> Path:
    """Give a workspace's own folder in a cache; another endpoint is another workspace. Raises HistoryError."""
    folder = default_cache() if cache is None else Path(cache)
    if folder.exists() and not folder.is_dir():
        raise HistoryError(f"{folder}: the cache must be a folder")
    endpoint = f"-{hashlib.sha256(source.endpoint.encode()).hexdigest()[:8]}" if source.endpoint else ""
    return folder / f"{source.id}{endpoint}"


def _from_files(source: Files, text: str, span: Timespan | None, now: datetime | None) -> pd.DataFrame:
    from kql.data import open_data  # noqa: PLC0415 - a workspace needs no DuckDB
    from kql.duckdb_engine import DuckDbEngine  # noqa: PLC0415 - same

    with closing(open_data(source.path)) as connection:
        moment = now or last_instant(connection)
        return frames.of_result(DuckDbEngine(connection).query(text, timespan=span, now=moment))


def _from_workspace(source: Workspace, text: str, span: Timespan | None, now: datetime | None) -> pd.DataFrame:
    from kql.workspace_engine import WorkspaceEngine  # noqa: PLC0415 - files need no SDK

    with open_workspace(source) as workspace:
        return frames.of_result(WorkspaceEngine(workspace, on_partial="mark").query(text, timespan=span, now=now))


def _fetched(
    source: Workspace,
    store: ChunkStore,
    span: tuple[datetime, datetime],
    now: datetime,
    progress: bool | Callable[[Progress], None],
) -> list[Missing]:
    from kql.workspace_engine import WorkspaceEngine  # noqa: PLC0415 - as above

    with open_workspace(source) as workspace, _bar(progress) as tell:
        return fetching.fetch(WorkspaceEngine(workspace), store, *span, now=now, progress=tell)


@contextmanager
def _bar(progress: bool | Callable[[Progress], None]) -> Iterator[Callable[[Progress], None] | None]:
    if not isinstance(progress, bool):
        yield progress
        return
    from tqdm import tqdm  # noqa: PLC0415 - a terminal without the notebooks' libraries needs no bar

    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    with tqdm(total=1.0, desc="loading", disable=not progress, bar_format=form, leave=False, file=sys.stderr) as bar:

        def tell(at: Progress) -> None:
            bar.set_postfix_str(f", {at.rows:,} events", refresh=False)
            bar.update(at.share - bar.n)

        yield tell
