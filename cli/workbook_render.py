"""`drift workbook render`: a workbook as one page in a file, over rows in files or a workspace."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli import console
from cli.query_source import BadRequestError
from cli.words import counted
from core.errors import EXIT_DONE, EXIT_FAILURE, InputError
from workbooks import substitute_time
from workbooks.model import ParameterKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbooks.layout import Layout
    from workbooks.render import Rendered

_UNSAFE: Final = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: a workbook (a file, or the name of one that ships), where to, over what, with what chosen."""

    workbook: str
    out: Path | None
    data: Path | None
    workspace: str | None
    parameters: tuple[str, ...] = ()
    last: str = ""


def render_file(wish: Wish) -> int:
    """Write the page. 1 when an item could not be answered: the page says which, and is written all the same."""
    from cli.workbook_source import open_feed
    from workbooks.dashboard.shelf import title_of
    from workbooks.dashboard.source import now
    from workbooks.render import Wanted, render

    layout = layout_named(wish.workbook)
    chosen = {**time_ranges(layout, wish.last), **given(layout, wish.parameters)}
    out = wish.out or Path(f"{_UNSAFE.sub('-', layout.workbook.name)}.html")
    if not out.absolute().parent.is_dir():
        raise InputError(f"{out}: there is no folder {out.absolute().parent}; make it first")
    with open_feed(wish.data, wish.workspace) as feed, feed.use() as source:
        wanted = Wanted(layout, title_of(layout.workbook.name), source.name, source.instant(), now(), chosen)
        rendered = render(replace(wanted, resources=source.resources), source.answers)
    _write(out, rendered.html)
    _show(out, rendered)
    return EXIT_FAILURE if rendered.problems else EXIT_DONE


def layout_named(name: str) -> Layout:
    """Read the one workbook that is meant. Raises InputError, WorkbookError."""
    from workbooks.dashboard.shelf import load, shipped

    path = Path(name)
    if not path.exists():
        known = {file.stem: file for file in shipped()}
        if name not in known:
            raise InputError(
                f"{name}: there is no such file, and no workbook of that name; there are {', '.join(known)}"
            )
        path = known[name]
    books = load([path]).books
    if len(books) != 1:
        raise InputError(f"{name} holds {len(books)} workbooks, and one page shows one: give a file with one")
    return next(iter(books.values()))


def given(layout: Layout, parameters: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Read `--param name=value`; a name that is given several times has several values. Raises BadRequestError."""
    known = sorted({each.key for each in layout.declared.all})
    found: dict[str, tuple[str, ...]] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise BadRequestError(f"--param {text!a}: write name=value; this workbook has {', '.join(known) or 'none'}")
        if name in _times(layout) and substitute_time.from_text(value) is None:
            raise BadRequestError(
                f"--param {text!a}: write a time range as 24h, 7d or 2026-01-01T00:00Z/2026-01-02T00:00Z"
            )
        found[name] = (*found.get(name, ()), value)
    return found


def time_ranges(layout: Layout, last: str) -> Mapping[str, tuple[str, ...]]:
    """Give `--last` to every time range of the workbook. Raises BadRequestError."""
    if not last:
        return {}
    if substitute_time.from_text(last) is None:
        raise BadRequestError(f"--last {last!a} is no length of time; write 4h, 24h or 7d")
    return dict.fromkeys(_times(layout), (last,))


def _times(layout: Layout) -> list[str]:
    kinds = ((each.key, each.parameter) for each in layout.declared.all if each.parameter)
    return [key for key, parameter in kinds if parameter.kind is ParameterKind.TIME_RANGE]


def _write(out: Path, html: str) -> None:
    """Write the whole file or nothing."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        unfinished.write_text(html, "utf-8")
        unfinished.replace(out)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from error


def _show(out: Path, rendered: Rendered) -> None:
    items = sum(1 for found in rendered.fragments.values() if found.shown)
    size = f"{out.stat().st_size / 1e6:.1f} MB"
    console.show(f"{out}: {counted(items, 'item')}, {counted(rendered.badges, 'badge')}, {size}")
    for problem in rendered.problems:
        console.say(f"  not answered: {problem}")
