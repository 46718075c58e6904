"""How every command ends: with an exit code, and an error that is shown, never thrown at a person."""

from collections.abc import Callable
from typing import Final

import typer

from cli import console
from cli.failures import EXIT_CODES, exit_code_of, show_error, to_json

CODES: Final = "Exit codes: " + " · ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES) + "."


class State:
    """What the global options say; one process runs one command."""

    debug = False


def end(command: Callable[[], int], *, json: bool) -> None:
    """Run a command and end with its exit code; an error is shown, never thrown at a person."""
    from cli.session import configure_logging

    configure_logging(debug=State.debug)
    try:
        code = command()
    except Exception as error:  # noqa: BLE001 - the last place where an error can be shown decently
        if State.debug:
            console.stderr().print_exception()
        if json:
            console.show_json(to_json(error))
        show_error(error)
        code = exit_code_of(error)
    raise typer.Exit(code)
