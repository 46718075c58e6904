"""Plays the demo: start the processes, build the landscape, play the acts, collect, judge, show."""

import fcntl
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import requests

from cli import console
from cli.demo import world
from cli.demo.acts import ACTS
from cli.demo.alarm import Alarms, alarms_of, judge_alarms
from cli.demo.azure import Azure, DemoError, wait_for
from cli.demo.checks import judge
from cli.demo.facts import Facts, collect
from cli.demo.processes import ROOT, Children
from cli.demo.report import Calls, Played, Report
from cli.demo.show import Show
from cli.demo.stage import Stage
from cli.demo.told import Act
from core.errors import EXIT_DONE, EXIT_FAILURE

TIME_SCALE: Final = 0.005
"""Event Grid waits 10 s after a first failure; here 50 ms. Only its waits are scaled."""
PAUSE_SECONDS: Final = 0.6
HOME: Final = Path(".local-azure")
ENVIRONMENT_FILE: Final = "demo.env"
_PRODUCT: Final = "aci-dns-truth/"
_THROTTLED: Final = 429
_HEARTBEATS: Final = frozenset({"probe_completed", "audit_completed", "canary"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it is to be played. `fast`: without pauses between the acts."""

    once: bool = False
    json: bool = False
    keep: bool = False
    seed: int = 0
    fast: bool = True


def demo(wishes: Wishes, acts: Sequence[Act] = ACTS) -> int:
    """Play the demo; 0 only if the final state is what it must be."""
    began = time.monotonic()
    show = Show(silent=wishes.json)
    with workplace(lasting=not wishes.once) as place, Children(place) as children:
        show.opening()
        with show.waiting("starting the local Azure and the functions host"):
            stage, azure = _open(wishes, place, children, show)
        with closing(azure):
            played = list(_play_all(acts, stage, show, pause=0 if wishes.fast else PAUSE_SECONDS))
            with show.waiting("reading the final state"):
                facts = collect(stage, [world.BATCH.fqdn])
            with show.waiting("evaluating the alert rules on a clock that runs ahead"):
                alarms = alarms_of(facts.rows, stage.waits)
            report = judge_all(played, (facts, alarms), len(acts), time.monotonic() - began)
            if wishes.json:
                console.show_json(report.to_json())
            show.closing(report)
            if wishes.keep and not wishes.once:
                show.kept(place / ENVIRONMENT_FILE, stage.resolvers)
                _serve_until_interrupted(children)
    if not wishes.once:
        show.farewell(place, wishes)
    return EXIT_DONE if report.ok else EXIT_FAILURE


def judge_all(played: Sequence[Played], seen: tuple[Facts, Alarms], acts: int, seconds: float) -> Report:
    """Put the report together."""
    facts, alarms = seen
    told = [act.told for act in played if act.told]
    expected = [item for one in told for item in one.expected]
    losers = [world.SECOND_WEB] if world.SECOND_WEB.id.lower() in facts.live else []
    hearts = sorted({str(row["Component"]) for row in facts.rows if row["EventType"] in _HEARTBEATS})
    checks = (*judge(facts, expected, losers), *judge_alarms(alarms, [due for one in told for due in one.due], hearts))
    return Report(tuple(played), checks, facts, acts, seconds, alarms)


@contextmanager
def workplace(*, lasting: bool) -> Iterator[Path]:
    """Give an empty folder: a temporary one, or one below .local-azure that stays for looking at afterwards.

    Two demos at once take two folders; the next one after them takes the first again.
    """
    if not lasting:
        with tempfile.TemporaryDirectory(prefix="drift-demo-") as folder:
            yield Path(folder)
        return
    try:
        HOME.mkdir(exist_ok=True)
    except OSError:  # not a folder that we may write to
        yield Path(tempfile.mkdtemp(prefix="drift-demo-"))
        return
    number = 1
    while True:
        place = HOME / ("demo" if number == 1 else f"demo-{number}")
        with (HOME / f"{place.name}.lock").open("w") as lock:
            if _locked(lock):
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                yield place
                return
        number += 1


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _open(wishes: Wishes, place: Path, children: Children, show: Show) -> tuple[Stage, Azure]:
    """Start both processes and build the landscape."""
    data = place.resolve()
    ready = children.start(
        "local-azure", ["cli", "local-azure", "up", "--data", str(data), "--seed", str(wishes.seed)], {}
    )
    azure = Azure(ready["arm"], ready["ca"], ready["environment"]["LOGS_WORKSPACE_ID"])
    with ExitStack() as undo:
        undo.callback(azure.close)
        resolvers = build_networks(azure)
        probing = world.probe_settings(resolvers[world.NET_ONE.name])
        repairing = {"REPAIR": "publish", "REPAIR_TOPIC_ENDPOINT": f"{ready['arm']}/eventgrid/repair/api/events"}
        environment = {**ready["environment"], "DNS_ZONE_MAP": world.zone_map(), **probing, **repairing}
        _write_environment(place / ENVIRONMENT_FILE, environment)
        host = children.start(
            "functions", ["local_azure.functions_host", "--app", str(ROOT), "--port", "0"], environment
        )
        azure.control("POST", "eventgrid", {"timeScale": TIME_SCALE, "functionHosts": {"*": host}})
        build_landscape(azure, _principal(environment))
        undo.pop_all()
    return Stage(azure, resolvers, environment, host, children.check, show.report), azure


def build_networks(azure: Azure) -> dict[str, str]:
    """Make the networks; give each one's resolver."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda net: azure.do("PUT", net.id, world.NETWORK_API, net.body()), world.NETWORKS))

    def found() -> dict[str, str] | None:
        known = {key.lower(): value for key, value in azure.control("GET", "dns")["resolvers"].items()}
        mine = {net.name: known.get(net.id.lower(), "") for net in world.NETWORKS}
        return mine if all(mine.values()) else None

    return wait_for("a resolver for each virtual network", found, 10)


def build_landscape(azure: Azure, principal: str) -> None:
    """Make zones, links and event subscriptions."""
    with ThreadPoolExecutor(4) as pool:
        zone = {"location": "global"}
        list(pool.map(lambda name: azure.do("PUT", world.zone_id(name), world.DNS_API, zone), world.ZONES))
        links = [(name, net) for name in world.ZONES for net in world.NETWORKS]
        list(pool.map(lambda pair: _link(azure, *pair), links))
        wanted = world.event_subscriptions(principal).items()
        list(pool.map(lambda item: azure.do("PUT", item[0], world.EVENTS_API, item[1]), wanted))


def _link(azure: Azure, zone: str, network: world.Network) -> None:
    path = f"{world.zone_id(zone)}/virtualNetworkLinks/{network.name}"
    azure.do("PUT", path, world.DNS_API, world.link_body(network))


def _principal(environment: Mapping[str, str]) -> str:
    """Give the object id of the function app's identity, from its own token."""
    import base64
    import json

    answer = requests.get(
        environment["IDENTITY_ENDPOINT"],
        params={"api-version": "2019-08-01", "resource": environment["ARM_ENDPOINT"]},
        headers={"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]},
        timeout=10,
    )
    body = answer.json()["access_token"].split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["oid"])


def _write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write a file to `source`, readable by its owner alone."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(lines)


def _play_all(acts: Sequence[Act], stage: Stage, show: Show, *, pause: float) -> Iterator[Played]:
    """Play the acts; one that fails is the last one."""
    for number, act in enumerate(acts, 1):
        with show.act(number, len(acts), act.name):
            played = _play(act, stage)
        show.played(number, played)
        yield played
        if played.told is None:
            return
        time.sleep(pause if number < len(acts) else 0)


def _play(act: Act, stage: Stage) -> Played:
    before = int(stage.azure.requests_since(0)["total"])
    began = time.monotonic()
    told, error = None, ""
    try:
        told = act.run(stage)
        stage.settle()
    except DemoError as failed:
        told, error = None, str(failed)
    return Played(act.name, told, error, _calls(stage.azure, before), time.monotonic() - began)


def _calls(azure: Azure, before: int) -> Calls:
    """Count what the toolkit itself asked of ARM since then, by its user agent."""
    rows: list[dict[str, Any]] = [
        row for row in azure.requests_since(before)["requests"] if _PRODUCT in row["user_agent"]
    ]  # fmt: skip
    throttled = sum(row["status"] == _THROTTLED for row in rows)
    reads = sum(row["method"] == "GET" and row["status"] != _THROTTLED for row in rows)
    return Calls(reads, len(rows) - reads - throttled, throttled)


def _serve_until_interrupted(children: Children) -> None:
    try:
        while True:
            children.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        return
