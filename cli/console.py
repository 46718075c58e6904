"""What a person or a program reads: results on stdout, everything else on stderr, as tables or as JSON.

Colour and boxes are for terminals; into a pipe or a file goes plain text, one line per row, which grep can use. A
reader that goes away (`drift events | head -1`) is no error: the rest is dropped, the exit code stays the command's.
"""

import json
import os
import sys
from functools import cache
from typing import IO, TYPE_CHECKING, Any, Final

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.table import Table

PIPE_WIDTH: Final = 1000
"""Columns when nobody looks: wide enough that a row stays one line."""


class _Console(Console):
    """A console whose reader may leave."""

    def on_broken_pipe(self) -> None:
        drop(self.file)


def stdout() -> Console:
    """Give the console of results."""
    return _console(sys.stdout)


def stderr() -> Console:
    """Give the console of messages and errors."""
    return _console(sys.stderr)


def show(renderable: "RenderableType" = "") -> None:
    """Print a result for a person."""
    stdout().print(renderable)


def show_steps(sentences: "Iterable[str]", commands: "Iterable[str]") -> None:
    """Print what is the matter, indented, and then the commands that help: these are never broken, for copying."""
    from rich.padding import Padding

    for sentence in sentences:
        show(Padding(sentence, (0, 0, 0, 2), expand=False))
    for command in commands:
        stdout().print(f"  [bold]→[/] {command}", soft_wrap=True)


def say(renderable: "RenderableType") -> None:
    """Print a message that is not the result."""
    stderr().print(renderable)


def table(title: str = "", *, headings: bool = True) -> "Table":
    """Give an empty table in the style of all of ours: no frame, so that it is quiet and greps well."""
    from rich import box
    from rich.table import Table

    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        show_header=headings,
        box=box.SIMPLE_HEAD,
        show_edge=False,
    )


def show_json(value: Any, *, one_line: bool = False) -> None:
    """Print a result for a program: one JSON document, ASCII, so that no locale can spoil it."""
    show_text(json.dumps(value, indent=None if one_line else 2, default=str) + "\n")


def show_text(text: str) -> None:
    """Print a result for a program as it is."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)


def drop(stream: IO[str]) -> None:
    """Send what is still to come to nowhere, the interpreter's own flush at exit included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def prepare_streams() -> None:
    """Make the three standard streams usable: closed ones lead nowhere, what an encoding lacks is replaced."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is the closed one's
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - kept open
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def flush() -> None:
    """Write out what is buffered, or find that the reader has left."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            drop(stream)


@cache
def _console(stream: IO[str]) -> Console:
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_WIDTH
    return _Console(file=stream, width=width, highlight=False, soft_wrap=False)
