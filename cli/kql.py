"""`drift kql`: the queries and workspace functions that ship, shown, run and checked."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.ending import CODES, end

kql_app = typer.Typer(help="The KQL: queries and workspace functions, shown, run, checked.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Ask rows in files: a .duckdb file, Parquet, JSON lines, or a folder."),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace", metavar="ID", envvar="LOGS_WORKSPACE_ID", help="Ask this workspace, by its id (a GUID)."
    ),
]


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


class CheckFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


@kql_app.command("list", epilog=CODES)
def _list(json: Json = False) -> None:
    """Show every query and function, and what it answers."""
    from cli.kql_show import show_all

    end(lambda: show_all(json=json), json=json)


@kql_app.command("show", epilog=CODES)
def _show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A query, or a function with or without its brackets.")],
    json: Json = False,
) -> None:
    """Show one query or function: what it means, its parameters and columns, its text."""
    from cli.kql_show import show_one

    end(lambda: show_one(name, json=json), json=json)


@kql_app.command("run", epilog=CODES)
def _run(  # noqa: PLR0913, PLR0917 - one for each option
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|-]", help="A query or function; - reads KQL from stdin.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="F", help="Run the KQL in this file.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A parameter; may be given again.")
    ] = None,
    last: Annotated[str | None, typer.Option("--last", help="How far back: 90s, 30m, 1h, 7d. By default 1d.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From when on: ISO 8601, else UTC.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Until when; for --data also what now() is.")
    ] = None,
    workspace: Workspace = None,
    data: Data = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="F", help="Write to this file, whole or not at all.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Print at most so many rows.")] = None,
) -> None:
    """Ask a workspace or files, and print the answer."""
    from cli.kql_run import Wish, run, time_range

    wish = Wish(
        name=name,
        file=file,
        parameters=tuple(param or ()),
        range=time_range(last, from_, to),
        workspace=workspace,
        data=data,
        format=format_,
        out=out,
        limit=limit,
    )
    end(lambda: run(wish), json=format_ is Format.JSON)


@kql_app.command("check", epilog=CODES)
def _check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]", help="Files to check; without any, all that ship.")
    ] = None,
    format_: Annotated[CheckFormat, typer.Option("--format", help="How to print.")] = CheckFormat.TEXT,
    require_parser: Annotated[
        bool,
        typer.Option("--require-parser", envvar="REQUIRE_TOOLS", help="Fail where Microsoft's parser cannot run."),
    ] = False,
) -> None:
    """Check KQL by Microsoft's parser, the local engine and the rules of the corpus. Exit code 1 for findings."""
    from cli.kql_check import check

    as_json = format_ is CheckFormat.JSON
    end(lambda: check(files or [], json=as_json, require_parser=require_parser), json=as_json)
