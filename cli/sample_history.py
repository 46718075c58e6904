"""`drift sample-history`: a made-up fleet's history in a file, to try queries, workbooks and notebooks on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cli import console
from core import events
from core.errors import EXIT_DONE, InputError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from pathlib import Path

    from local_azure.history.shape import Shape
    from local_azure.history.truth import Truth
    from local_azure.history.write import Progress

_DATABASE: Final = (".duckdb", ".ddb", ".db")


class WantedError(InputError):
    """An option that no history can be made by. The message says what to give."""

    code = "bad_option"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What history: `groups` or `events` say how big (one of them, or neither), `end` is ISO 8601 or empty.

    `as_deployed` runs what is scheduled as often as the deployment does, for alert rules that count on it.
    """

    out: Path
    days: float = 90
    groups: int | None = None
    events: int | None = None
    as_deployed: bool = False
    seed: int = 7
    end: str = ""
    truth: Path | None = None

    def shape(self) -> Shape:
        """Give the shape; raises WantedError."""
        from local_azure.history.shape import DEFAULT_END, DEFAULT_GROUPS, Shape

        end = _instant(self.end) if self.end else DEFAULT_END
        if self.groups is not None and self.events is not None:
            raise WantedError("--groups and --events both say how big the history is: give one of them")
        if self.events is not None and self.as_deployed:
            raise WantedError("--events decides how often is probed, and so does --as-deployed: give --groups instead")
        try:
            if self.events is not None:
                return Shape.of_events(self.events, self.days, end)
            shape = Shape.of_groups(DEFAULT_GROUPS if self.groups is None else self.groups, self.days, end)
            return shape.as_deployed() if self.as_deployed else shape
        except ValueError as error:
            raise WantedError(str(error)) from error


def sample_history(wanted: Wanted, *, json: bool) -> int:
    """Write the history, and say what is in it."""
    from local_azure.history.write import write_truth

    shape = wanted.shape()
    for path in (wanted.out, wanted.truth):
        if path is not None and not path.absolute().parent.is_dir():
            raise WantedError(f"{path}: there is no folder {path.absolute().parent}; make it first")
    rows, truth = _written(wanted, shape)
    if wanted.truth is not None:
        write_truth(wanted.truth, truth)
    if json:
        console.show_json(_summary(wanted, shape, rows, truth))
    else:
        _show(wanted, shape, rows, truth)
    return EXIT_DONE


def _written(wanted: Wanted, shape: Shape) -> tuple[Counter[str], Truth]:
    from local_azure.history.write import write_duckdb, write_parquet

    is_database = wanted.out.suffix.lower() in _DATABASE
    if not is_database and wanted.out.suffix.lower() not in {".parquet", ""}:
        raise WantedError(f"{wanted.out}: the name must end in .duckdb or .parquet, or in neither for a folder")
    if wanted.out.is_dir() and (is_database or wanted.out.suffix):
        raise WantedError(f"{wanted.out} is a folder")
    if not wanted.out.suffix and wanted.out.is_dir() and any(wanted.out.iterdir()):
        raise WantedError(f"{wanted.out} is a folder that is not empty; name a new one")
    write = write_duckdb if is_database else write_parquet
    try:
        with _bar() as progress:
            return write(wanted.out, shape, wanted.seed, progress)
    except OSError as error:
        raise WantedError(f"{wanted.out} cannot be written: {error.strerror or error}") from error


@contextmanager
def _bar() -> Iterator[Progress]:
    """Show how far it is on a terminal; a pipe gets nothing."""
    from rich.progress import Progress as Bar

    with Bar(console=console.stderr(), transient=True, disable=not console.stderr().is_terminal) as bar:
        task = bar.add_task("writing", total=1.0)

        def show(part: float, rows: int) -> None:
            bar.update(task, completed=part, description=f"{rows:,} events")

        yield show


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WantedError(f"--end {text!a} is no instant; write 2026-11-22 or 2026-11-22T06:00:00Z") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _summary(wanted: Wanted, shape: Shape, rows: Counter[str], truth: Truth) -> dict[str, object]:
    return {
        "out": str(wanted.out),
        "seed": wanted.seed,
        "start": shape.start.isoformat(),
        "end": shape.end.isoformat(),
        "groups": shape.groups,
        "rows": dict(rows),
        "incidents": len(truth.incidents),
        "wrongs": len(truth.wrongs),
    }


def _show(wanted: Wanted, shape: Shape, rows: Counter[str], truth: Truth) -> None:
    console.show(f"{wanted.out}: {rows[events.TABLE]:,} events of {shape.groups:,} container groups")
    console.show(f"  {shape.start:%Y-%m-%d %H:%M} to {shape.end:%Y-%m-%d %H:%M} UTC, seed {wanted.seed}")
    console.show(f"  {len(truth.wrongs):,} times DNS was wrong for a group, {len(truth.incidents)} incidents")
    for name, count in sorted(rows.items()):
        if name != events.TABLE:
            console.show(f"  {name}: {count:,} rows")
