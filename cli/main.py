"""`drift`: what can be asked of the toolkit at a shell. Declares the commands; the modules beside it do the work."""

import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli import console
from cli.alerts import alerts_app
from cli.ending import CODES, State
from cli.ending import end as _end
from cli.failures import EXIT_INTERRUPTED
from cli.infra import infra_app
from cli.kql import Data, Workspace, kql_app
from cli.workbook import workbook_app
from core.events import TOOL_VERSION, EventType
from core.probe_settings import TargetSource

app = typer.Typer(
    name="drift",
    help="Keeps Azure Private DNS true for Azure Container Instances, and shows it.",
    epilog=CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
config_app = typer.Typer(help="The settings.", no_args_is_help=True)
local_app = typer.Typer(help="An Azure on this machine, without a subscription.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(local_app, name="local-azure")
app.add_typer(alerts_app, name="alerts")
app.add_typer(infra_app, name="infra")
app.add_typer(kql_app, name="kql")
app.add_typer(workbook_app, name="workbook")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead.")]
GroupId = Annotated[str, typer.Argument(metavar="GROUP_ID", help="Full resource id of a container group.")]


@app.callback()
def _global_options(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="DRIFT_DEBUG", help="Log everything; show a stack trace with an error.")
    ] = False,
) -> None:
    State.debug = debug


@app.command("version")
def _version(json: Json = False) -> None:
    """Print the version."""
    console.show_json({"version": TOOL_VERSION}) if json else console.show(f"drift {TOOL_VERSION}")


@config_app.command("check", epilog=CODES)
def _config_check(
    file: Annotated[
        Path | None, typer.Option("--file", help="A zone map to check in place of the one that is set.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the effective configuration, or every reason why it cannot be used."""
    from cli.config_check import check

    _end(lambda: check(file, json=json), json=json)


@app.command("reconcile", epilog=CODES)
def _reconcile(
    group_id: GroupId,
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes. Without it nothing is written.")] = False,
    json: Json = False,
) -> None:
    """Show what would make DNS right for one container group, or make it so."""
    from cli.reconcile import reconcile

    _end(lambda: reconcile(group_id, apply=apply, json=json), json=json)


@app.command("track", epilog=CODES)
def _track(
    group_id: GroupId,
    links: Annotated[
        bool, typer.Option("--links/--no-links", help="Also read the zones' virtual network links.")
    ] = True,
    json: Json = False,
) -> None:
    """Say whether DNS is right for one container group. Only reads."""
    from cli.track import track

    _end(lambda: track(group_id, links=links, json=json), json=json)


@app.command("probe", epilog=CODES)
def _probe(  # noqa: PLR0913, PLR0917 - one for each option
    resolver: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDR[#PORT]", help="Ask this name server; several are asked each on its own."),
    ] = None,
    targets: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Names and addresses to ask for, lines or JSON; - is stdin.")
    ] = None,
    source: Annotated[
        TargetSource | None, typer.Option("--from", help="Where targets come from: live groups, DNS, or given ones.")
    ] = None,
    vnet: Annotated[str | None, typer.Option(metavar="ID", help="The virtual network that this is run in.")] = None,
    json: Json = False,
    format_: Annotated[str, typer.Option("--format", metavar="table|json|junit|prometheus", help="How to print.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Probe again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.1, max=86_400, help="Seconds between two runs of --watch.")] = 60.0,
    confirm: Annotated[
        bool, typer.Option("--confirm/--no-confirm", help="Look twice before it is called wrong.")
    ] = True,
    confirm_seconds: Annotated[
        float | None, typer.Option(min=0, max=300, help="At most so long before the second look.")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=10_000, help="Questions at a time.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.05, max=60, help="Seconds for each message.")] = None,
    deadline: Annotated[float | None, typer.Option(min=1, max=3600, help="Seconds for the whole run.")] = None,
    fail_on: Annotated[
        list[str] | None, typer.Option(metavar="VERDICT[,…]", help="Verdicts that count: any, never, or their names.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record/--no-record", help="Send rows to the event table where one is configured.")
    ] = True,
) -> None:
    """Ask the resolver for every name and address, and say why an answer is wrong. Never writes DNS."""
    from cli import probe_wishes as wish
    from cli.probe import probe

    kind = wish.chosen_format(format_, json=json)
    wishes = wish.Wishes(
        resolvers=wish.checked_resolvers(resolver or ()),
        targets=wish.checked_targets(targets),
        source=wish.checked_source(source, targets),
        vnet=wish.checked_vnet(vnet),
        confirm_seconds=confirm_seconds if confirm else 0,
        concurrency=concurrency,
        timeout_seconds=timeout,
        deadline_seconds=deadline,
        fail_on=wish.checked_fail_on(fail_on or ()),
        format=kind,
        watch=wish.checked_watch(every if watch else None, kind),
        record=record,
    )
    _end(lambda: probe(wishes), json=kind is wish.Format.JSON)


@app.command("links", epilog=CODES)
def _links(
    vnet: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A virtual network that must see every zone (PROBE_VNETS).")
    ] = None,
    json: Json = False,
) -> None:
    """Say whether every virtual network that must see a zone is linked to it. Only reads."""
    from cli.links import links
    from cli.probe_wishes import checked_vnet

    vnets = tuple(filter(None, map(checked_vnet, vnet or ())))
    _end(lambda: links(vnets, json=json), json=json)


@app.command("audit", epilog=CODES)
def _audit(  # noqa: PLR0913, PLR0917 - one for each option
    resource_group: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this resource group of the zone map; repeatable.")
    ] = None,
    format_: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")] = "table",
    json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Publish an event for each group that the reconciler can put right.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Publish although so much looks wrong.")] = False,
    record: Annotated[
        bool, typer.Option("--record/--no-record", help="Write the rows of a run to the event table.")
    ] = False,
) -> None:
    """Compare the whole fleet with DNS. Never writes DNS; with --repair it has the reconciler look."""
    from cli.audit import audit, options_of

    options = options_of(resource_group or [], repair=repair, force=force)
    as_json = json or format_ == "json"
    _end(lambda: audit(options, record=record, json=as_json), json=as_json)


@app.command("events", epilog=CODES)
def _events(  # noqa: PLR0913, PLR0917 - one for each option
    last: Annotated[str, typer.Option("--last", help="How far back: 90s, 30m, 1h, 7d.")] = "1h",
    type_: Annotated[EventType | None, typer.Option("--type", help="Only events of this type.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="Only events of the container group with this name.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many, the newest.")] = 50,
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace", envvar="LOGS_WORKSPACE_ID", help="Workspace id (a GUID) of the Log Analytics workspace."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Read a local Azure's data instead: its folder or .duckdb file.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what happened lately, newest first: rows of the event table."""
    from cli.events import Asked, events, parse_last

    asked = Asked(timespan=parse_last(last), type=type_, group=group, limit=limit)
    _end(lambda: events(asked, workspace=workspace, data=data, json=json), json=json)


@app.command("sample-history", epilog=CODES)
def _sample_history(  # noqa: PLR0913, PLR0917 - one for each option
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="A .duckdb or .parquet file; any other name is a folder, a Parquet file for each table."
        ),
    ],
    days: Annotated[float, typer.Option("--days", help="How long the history is.")] = 90,
    groups: Annotated[int | None, typer.Option("--groups", help="How many container groups there are.")] = None,
    events: Annotated[int | None, typer.Option("--events", help="About how many events, in place of --groups.")] = None,
    as_deployed: Annotated[
        bool,
        typer.Option(
            "--as-deployed",
            help="Probe, audit and send canaries as often as the deployment does; six times the rows.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same rows.")] = 7,
    end: Annotated[str, typer.Option("--end", metavar="ISO", help="When it ends; a fixed day otherwise.")] = "",
    truth: Annotated[
        Path | None, typer.Option("--truth", help="Also write what really happened to this JSON file.")
    ] = None,
    json: Json = False,
) -> None:
    """Write the history of a made-up fleet: months of events, to try queries, workbooks and notebooks on."""
    from cli.sample_history import Wanted, sample_history

    wanted = Wanted(out, days, groups, events, as_deployed, seed, end, truth)
    _end(lambda: sample_history(wanted, json=json), json=json)


@app.command("export", epilog=CODES)
def _export(  # noqa: PLR0913, PLR0917 - one for each option
    out: Annotated[Path, typer.Option("--out", help="The .parquet file to write.")],
    last: Annotated[
        str, typer.Option("--last", help="How far back: 30m, 12h, 90d. Files count from their last event.")
    ] = "90d",
    data: Data = None,
    workspace: Workspace = None,
    hash_names: Annotated[
        bool, typer.Option("--hash-names", help="Replace names, ids and addresses by keyed hashes; joins still work.")
    ] = False,
    salt_file: Annotated[
        Path | None,
        typer.Option("--salt-file", help="The key of the hashes; made when it is not there. Keep it secret."),
    ] = None,
    json: Json = False,
) -> None:
    """Write events to one Parquet file, each fact once, for notebooks and other tools."""
    from cli.events import parse_last
    from cli.export import Wanted, export

    wanted = Wanted(out, parse_last(last), data, workspace, hash_names, salt_file)
    _end(lambda: export(wanted, json=json), json=json)


@app.command("dashboard", epilog=CODES)
def _dashboard(  # noqa: PLR0913, PLR0917 - one for each option
    data: Data = None,
    workspace: Workspace = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 chooses a free one.")] = 0,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    open_: Annotated[bool, typer.Option("--open", help="Open a browser.")] = False,
    workbook: Annotated[
        list[Path] | None, typer.Option("--workbook", metavar="FILE", help="Show these in place of those that ship.")
    ] = None,
) -> None:
    """Show the workbooks in a browser, over rows in files or a workspace. Only reads; this machine only."""
    from cli.dashboard import Wish, dashboard

    wish = Wish(data, workspace, host, port, open_, tuple(workbook or ()))
    _end(lambda: dashboard(wish), json=False)


@local_app.command("up", epilog=CODES)
def _local_azure_up(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 chooses a free one.")] = 0,
    data: Annotated[
        Path | None, typer.Option("--data", help="Keep the state in this folder; otherwise in memory.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Makes ids, jitter and random faults repeatable.")] = 0,
) -> None:
    """Serve a local Azure until it is stopped. Prints one JSON line when it is ready."""
    from local_azure.up import serve

    _end(lambda: serve(port=port, data=data, seed=seed), json=False)


@app.command("demo", epilog=CODES)
def _demo(
    once: Annotated[bool, typer.Option("--once", help="Play it, print the result, clean up, end.")] = False,
    json: Json = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the local Azure running at the end, until Ctrl-C.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Makes the local Azure's ids and jitter repeatable.")] = 0,
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause between acts.")] = False,
) -> None:
    """Play the whole job on a local Azure: drift appears, is found, is repaired, and what cannot be is explained."""
    from cli.demo.script import Wishes, demo

    if keep and once:
        raise typer.BadParameter("--once cleans up at the end: leave it out to keep anything", param_hint="--keep")
    wishes = Wishes(once=once, json=json, keep=keep, seed=seed, fast=fast or once or json)
    _end(lambda: demo(wishes), json=json)


def run(arguments: list[str] | None = None) -> int:
    """Run `drift` and give its exit code."""
    console.prepare_streams()
    # A terminal that is closed says SIGHUP; under nohup that is ignored, and stays so.
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _terminate) for number in numbers}
    try:
        app(arguments, prog_name="drift")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if code == EXIT_INTERRUPTED:
        sys.stderr.write("interrupted\n")
    console.flush()
    return code


def _terminate(number: int, _frame: object) -> None:
    """Leave through the same doors as Ctrl-C, so that everything started is cleaned up."""
    raise SystemExit(128 + number)
