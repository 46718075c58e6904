"""`drift alerts`: the alert rules, their lint, unit tests, replay over history, and the bodies that are deployed."""

from pathlib import Path
from typing import Annotated

import typer

from cli.ending import CODES, end

alerts_app = typer.Typer(help="The alert rules: shown, checked, tested, replayed, built.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead.")]
Rules = Annotated[
    Path | None, typer.Option("--rules", metavar="DIR", help="Rules of another folder than alerts/rules.")
]


@alerts_app.command("list", epilog=CODES)
def _list(rules: Rules = None, json: Json = False) -> None:
    """Show every rule: how severe, who is told, how often it looks."""
    from cli.alerts_show import show_all

    end(lambda: show_all(rules, json=json), json=json)


@alerts_app.command("show", epilog=CODES)
def _show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The rule's name.")],
    rules: Rules = None,
    json: Json = False,
) -> None:
    """Show one rule in full, with what follows from its settings."""
    from cli.alerts_show import show_one

    end(lambda: show_one(name, rules, json=json), json=json)


@alerts_app.command("test", epilog=CODES)
def _test(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]", help="Files of unit tests; all of alerts/tests.")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", metavar="NAME", help="Only tests of this rule.")] = None,
    json: Json = False,
) -> None:
    """Run the rules' unit tests. Exit code 1 when one fails."""
    from cli.alerts_test import run_tests

    end(lambda: run_tests(files or [], rule or [], json=json), json=json)


@alerts_app.command("check", epilog=CODES)
def _check(
    rules: Rules = None,
    tests: Annotated[
        Path | None, typer.Option("--tests", metavar="DIR", help="Unit tests of another folder than alerts/tests.")
    ] = None,
    runbooks: Annotated[
        Path | None, typer.Option("--runbooks", metavar="DIR", help="Runbooks of another folder than docs/runbooks.")
    ] = None,
    require_parser: Annotated[
        bool,
        typer.Option(
            "--require-parser", envvar="REQUIRE_TOOLS", help="Fail where Microsoft's KQL parser (Node) is missing."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Lint the rules. Exit code 1 for an error or a warning; a note is only said."""
    from cli.alerts_check import Folders, check

    folders = Folders.of(rules, tests, runbooks)
    end(lambda: check(folders, require_parser=require_parser, json=json), json=json)


@alerts_app.command("build", epilog=CODES)
def _build(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; infra/generated/alerts.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when a file is not as built.")
    ] = False,
    rules: Rules = None,
    json: Json = False,
) -> None:
    """Write the ARM bodies that infra/ deploys, one for each rule."""
    from cli.alerts_build import build

    end(lambda: build(rules, out, only_check=check, json=json), json=json)


@alerts_app.command("backtest", epilog=CODES)
def _backtest(  # noqa: PLR0913, PLR0917 - one for each option
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Rows in files: DuckDB, Parquet, JSON lines, or a folder of them."),
    ] = None,
    workspace: Annotated[
        str | None,
        typer.Option("--workspace", envvar="LOGS_WORKSPACE_ID", help="Rows of a Log Analytics workspace (a GUID)."),
    ] = None,
    last: Annotated[str, typer.Option("--last", help="How much history: 12h, 30d.")] = "30d",
    end_: Annotated[
        str | None, typer.Option("--end", metavar="ISO", help="Until when; the newest row of --data, or now.")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", metavar="NAME", help="Only this rule.")] = None,
    format_: Annotated[str, typer.Option("--format", metavar="table|json|csv", help="How to print.")] = "table",
    rules: Rules = None,
) -> None:
    """Replay the rules over real history: how often each would have fired, for what, and for how long."""
    from cli.alerts_backtest import Wishes, backtest

    wishes = Wishes.of(data=data, workspace=workspace, last=last, end=end_, rules=rule or [], format_=format_)
    end(lambda: backtest(wishes, rules), json=wishes.format == "json")
