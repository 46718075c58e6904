"""`drift workbook`: Azure Workbooks as files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.ending import CODES, end

workbook_app = typer.Typer(help="Azure Workbooks as files: checked, counted, rendered.", no_args_is_help=True)


@workbook_app.command("check", epilog=CODES)
def _check(  # noqa: PLR0913, PLR0917 - one for each option
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Workbooks, or ARM templates that hold some.")],
    format_: Annotated[str, typer.Option("--format", metavar="table|json", help="How to print.")] = "table",
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Also print what changes nothing on the page.")] = False,
    count: Annotated[
        bool, typer.Option("--count", help="Count what the files hold, as Markdown; check nothing.")
    ] = False,
    queries: Annotated[
        bool, typer.Option("--queries/--no-queries", help="Also parse the queries, and check the columns they give.")
    ] = True,
) -> None:
    """Check JSON, names, parameters, queries and columns, and say what is not rendered here. Exit code 1 on errors."""
    from cli.workbook_check import Wishes, check_files, count_files

    if format_ not in {"table", "json"}:
        raise typer.BadParameter(f"{format_!r} is neither table nor json", param_hint="--format")
    kind: Literal["table", "json"] = "json" if json or format_ == "json" else "table"
    wishes = Wishes(format=kind, notes=notes, queries=queries)
    end(lambda: count_files(files, wishes) if count else check_files(files, wishes), json=kind == "json")


@workbook_app.command("render", epilog=CODES)
def _render(  # noqa: PLR0913, PLR0917 - one for each option
    workbook: Annotated[str, typer.Argument(metavar="FILE", help="A workbook, or the name of one that ships (fleet).")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PAGE", help="The page to write; NAME.html here otherwise.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Rows in files: .duckdb, .parquet or .jsonl, a folder or a pattern.")
    ] = None,
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace", envvar="LOGS_WORKSPACE_ID", help="Workspace id (a GUID) of the Log Analytics workspace."
        ),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="Choose a value; again for several.")
    ] = None,
    last: Annotated[str, typer.Option("--last", help="Every time range of the workbook: 4h, 24h, 7d.")] = "",
) -> None:
    """Write a workbook as one page in one file, which opens offline. Exit code 1 when an item could not be answered."""
    from cli.workbook_render import Wish, render_file

    wish = Wish(workbook, out, data, workspace, tuple(param or ()), last)
    end(lambda: render_file(wish), json=False)
