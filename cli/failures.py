"""How errors look, and which exit code they end with: one panel that says what, where, and what to do."""

from typing import Any, Final

from core.errors import (
    EXIT_BAD_CONFIGURATION,
    EXIT_BAD_CONTRACT,
    EXIT_DONE,
    EXIT_FAILURE,
    EXIT_TRY_AGAIN,
    ConfigurationError,
    ToolkitError,
)

EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
EXIT_CODES: Final[tuple[tuple[int, str], ...]] = (
    (EXIT_DONE, "done"),
    (EXIT_FAILURE, "failure"),
    (EXIT_USAGE, "wrong usage"),
    (EXIT_BAD_CONTRACT, "bad input"),
    (EXIT_TRY_AGAIN, "try again later"),
    (EXIT_BAD_CONFIGURATION, "bad configuration"),
    (EXIT_INTERRUPTED, "interrupted"),
)
_ADVICE: Final = {
    "bad_input": "give it as Azure does, a resource id for example by `az container show --query id --output tsv`",
    "bad_configuration": "repair the settings; `drift config check` shows them all",
    "zone_missing": "create the zone, or correct the zone map; `drift config check` shows what is configured",
    "forbidden": "sign in (`az login`), or have the role assigned; see docs/cli.md",
    "throttled": "wait as long as Azure asks, then run it again",
    "unavailable": "check the network and ARM_ENDPOINT, then run it again",
    "demo_failed": "`drift demo` without --once leaves the logs of both processes in .local-azure/demo",
    "not_ready": "run it again when Azure has finished its change",
}


def exit_code_of(error: BaseException) -> int:
    """Give the code that a process ends with."""
    return error.exit_code if isinstance(error, ToolkitError) else EXIT_FAILURE


def to_json(error: BaseException) -> dict[str, Any]:
    """Give the error as a program reads it."""
    known = isinstance(error, ToolkitError)
    found: dict[str, Any] = {"code": error.code if known else "unexpected", "message": str(error)}  # type: ignore[attr-defined]
    if isinstance(error, ConfigurationError) and error.reasons:
        found["message"] = error.message
        found["reasons"] = [{"path": reason.path, "message": reason.message} for reason in error.reasons]
    return {"error": found, "exit_code": exit_code_of(error)}


def show_error(error: BaseException) -> None:
    """Print an error on stderr: a panel on a terminal, plain lines elsewhere."""
    if isinstance(error, ToolkitError):
        show_problem(error.code, str(error), advice_for(error))
    else:
        text = f"unexpected {type(error).__name__}: {error}"
        show_problem("defect", text, "this should not happen; `drift --debug …` shows where it did")


def show_problem(title: str, text: str, advice: str = "") -> None:
    """Print one problem: its short cause, what happened, what to do."""
    from rich.markup import escape
    from rich.panel import Panel

    from cli import console

    stderr = console.stderr()
    if not stderr.is_terminal:
        stderr.print(f"error: {title}: {text}", markup=False, soft_wrap=True)
        if advice:
            stderr.print(f"  what to do: {advice}", markup=False, soft_wrap=True)
        return
    body = escape(text) + (f"\n[bold]→[/] {escape(advice)}" if advice else "")
    stderr.print(Panel(body, title=f"[bold]{escape(title)}[/]", title_align="left", border_style="red"))


def advice_for(error: ToolkitError) -> str:
    """Say what a person at a shell can do, where the message does not say it already."""
    return _ADVICE.get(error.code, "")
