"""`drift infra`: what the deployment is made of; written, checked without a compiler, and what it costs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.ending import CODES, end

infra_app = typer.Typer(help="The deployment: generated files, checks, an estimate of its cost.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead.")]


@infra_app.command("build", epilog=CODES)
def _build(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when a file differs from its source.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the files that the Bicep loads, and the tables of the docs, from their sources."""
    from cli.infra_run import build

    end(lambda: build(check=check, json=json), json=json)


@infra_app.command("check", epilog=CODES)
def _check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]", help="Bicep files; all of infra/, with what it loads.")
    ] = None,
    codes: Annotated[bool, typer.Option("--codes", help="List what is checked, and under which code.")] = False,
    json: Json = False,
) -> None:
    """Check the Bicep without a compiler. Exit code 1 when something is found."""
    from cli.infra_run import check, list_codes

    end(lambda: list_codes(json=json) if codes else check(files or [], json=json), json=json)


@infra_app.command("cost", epilog=CODES)
def _cost(  # noqa: PLR0913, PLR0917 - one for each option
    groups: Annotated[int, typer.Option("--groups", min=0, help="How many container groups there are.")] = 100,
    changes: Annotated[
        float, typer.Option("--changes-per-day", min=0, help="Creations, restarts, stops, deletions of one group.")
    ] = 1.0,
    probe_minutes: Annotated[float, typer.Option("--probe-minutes", min=0.1, help="Minutes between two probes.")] = 10,
    probe_emit: Annotated[
        Literal["all", "failures"], typer.Option("--probe-emit", help="Rows of the probe: PROBE_EMIT.")
    ] = "failures",
    rules: Annotated[int, typer.Option("--alert-rules", min=0, help="Alert rules.")] = 12,
    endpoints: Annotated[int, typer.Option("--private-endpoints", min=0, help="Private endpoints.")] = 0,
    probes: Annotated[int, typer.Option("--probes", min=0, help="Probes in further networks.")] = 0,
    prices: Annotated[
        Path | None, typer.Option("--prices", help="Your unit prices, in a copy of infra/prices.yaml.")
    ] = None,
    json: Json = False,
) -> None:
    """Estimate a month's cost. Quantities follow from the fleet; prices are those of the price list."""
    from cli.infra_run import cost
    from infra.costs import Fleet

    fleet = Fleet(
        groups,
        changes_per_day=changes,
        probe_minutes=probe_minutes,
        probe_all_rows=probe_emit == "all",
        alert_rules=rules,
        private_endpoints=endpoints,
        probes=probes,
    )
    end(lambda: cost(fleet, prices, json=json), json=json)
