"""The audit of a big fleet on the local Azure: calls, seconds, memory; and beside it octoDNS planning the same records.

    python -m bench.audit [--groups 10000] [--zones 40] [--drift 20] [--runs 3] [--octodns PYTHON] [--json]

Half of the zones are forward zones, each of one resource group, the others their reverse zones. Some groups (--drift)
were moved by the platform. Each run of the audit is a process of its own: its time is `audit()`'s, from the token to
the heartbeat, its memory the process's peak. PYTHON is an interpreter that has octodns and octodns-azure; its time is a
whole `octodns-sync` without --doit over zone files that say what DNS should be, its Azure client as it is but for the
sign-in.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.figures import Figures, goal, table
from core.records import owner_mark
from local_azure.arm.container_request import normalised
from local_azure.resources import ContainerGroup, PrivateZone, RecordSet, VirtualNetworkLink
from local_azure.server import LocalAzure

ROOT: Final = Path(__file__).resolve().parent.parent
SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000001"
GROUPS: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
VNET: Final = f"{GROUPS}/rg-net/providers/Microsoft.Network/virtualNetworks/spoke"
MAX_MIB: Final = 300.0
TIMES_OCTODNS: Final = 5
_OCTODNS: Final = """
import time
import octodns_azure
from azure.core.credentials import AccessToken
class Credential:
    def __init__(self, *given, **named): pass
    def get_token(self, *scopes, **named): return AccessToken("bench", int(time.time()) + 3600)
octodns_azure.ClientSecretCredential = Credential
from octodns.cmds.sync import main
main()
"""


def pairs(asked: argparse.Namespace) -> Iterator[tuple[int, str, str]]:
    """Give (resource group's number, name, address) of every group, the address as DNS has it."""
    halves = asked.zones // 2
    for number in range(asked.groups):
        place, within = number % halves, number // halves
        yield place, f"g{number}", f"10.{place}.{within >> 8 & 255}.{within & 255}"


def lay_out(azure: LocalAzure, asked: argparse.Namespace) -> None:
    """Fill the local Azure behind ARM's back: zones, links, groups and their records, the last groups moved."""
    world, halves = azure.world, asked.zones // 2
    for place in range(halves):
        for name in (f"z{place}.corp.internal", f"{place}.10.in-addr.arpa"):
            zone = PrivateZone(f"{GROUPS}/rg-dns/providers/Microsoft.Network/privateDnsZones/{name}", name, "etag")
            zone.links["spoke"] = VirtualNetworkLink("spoke", "etag", VNET)
            world.zones[zone.id.lower()] = zone
    resources = {"requests": {"cpu": 1.0, "memoryInGB": 1.0}}
    container = {"name": "app", "properties": {"image": "nginx", "ports": [{"port": 80}], "resources": resources}}
    address = {"type": "Private", "ports": [{"port": 80}]}
    wanted = {"containers": [container], "osType": "Linux", "ipAddress": address}
    properties = normalised({**wanted, "subnetIds": [{"id": f"{VNET}/subnets/aci"}]})
    for number, (place, name, ip) in enumerate(pairs(asked)):
        id_ = f"{GROUPS}/rg-{place}/providers/Microsoft.ContainerInstance/containerGroups/{name}"
        group = ContainerGroup(id_, name, "westeurope", properties)
        group.state, group.provisioning_state, group.subnet_id = "Running", "Succeeded", f"{VNET}/subnets/aci"
        group.ip = f"10.{place}.250.{number & 255}" if number >= asked.groups - asked.drift else ip
        world.groups[id_.lower()] = group
        _write(world, place, group, ip)


def _write(world: Any, place: int, group: ContainerGroup, ip: str) -> None:
    mark = owner_mark(group.id)
    forward, reverse = f"z{place}.corp.internal", f"{place}.10.in-addr.arpa"
    pointer = ".".join(reversed(ip.split(".")[2:]))
    a = {"aRecords": [{"ipv4Address": ip}], "metadata": {**mark, "written-address": ip}}
    ptr = {"ptrRecords": [{"ptrdname": f"{group.name}.{forward}"}], "metadata": mark}
    for zone, kind, name, values in ((forward, "A", group.name, a), (reverse, "PTR", pointer, ptr)):
        found = world.zones[f"{GROUPS}/rg-dns/providers/Microsoft.Network/privateDnsZones/{zone}".lower()]
        found.record_sets[kind, name] = RecordSet(kind, name, 60, values, "etag")


def zone_map(halves: int) -> str:
    """Give the zone map of the fleet."""
    return json.dumps({
        f"rg-{place}": {"forward_zone": f"z{place}.corp.internal", "reverse_zones": [f"{place}.10.in-addr.arpa"],
                        "zones_resource_group": "rg-dns"}
        for place in range(halves)
    })  # fmt: skip


def audit_once(azure: LocalAzure, asked: argparse.Namespace) -> dict[str, float]:
    """Audit in a process of its own; it must find what was moved, and nothing else."""
    settings = {"DNS_ZONE_MAP": zone_map(asked.zones // 2), "AUDIT_SUBSCRIPTION_ID": SUBSCRIPTION}
    found: dict[str, Any] = _run([sys.executable, "-m", "bench.audit", "--child"], {**azure.environment(), **settings})
    wrong = {kind for kind, number in found["findings"].items() if number}
    if found["groups"] != asked.groups or found["drifting"] != asked.drift or not wrong <= {
        "a_mismatch", "ptr_missing", "ptr_stale",
    }:  # fmt: skip
        raise RuntimeError(f"the audit found something else than what was laid out: {found}")
    return {name: float(found[name]) for name in ("seconds", "cpu_seconds", "peak_mib", "arm_calls", "pages")}


def _run(command: list[str], environment: Mapping[str, str]) -> Any:
    base = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env={**base, **environment}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[1:3]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def child() -> int:
    """Audit in this process and print what it took."""
    from cloud.credentials import FixedTokenCredential  # noqa: PLC0415 - the measuring process needs none of it
    from cloud.services import build, run_context  # noqa: PLC0415 - same
    from cloud.sink import MemorySink  # noqa: PLC0415 - same
    from core.settings import Settings  # noqa: PLC0415 - same
    from tracker.audit import audit  # noqa: PLC0415 - same

    settings = Settings.from_env(os.environ, lambda _: "")
    services = build(settings, credential=FixedTokenCredential("bench", int(time.time()) + 3600), sink=MemorySink())
    context = run_context(services, settings, "bench", deadline_seconds=settings.audit.deadline_seconds)
    began, cpu = time.perf_counter(), time.process_time()
    details = audit(context).details
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    services.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    numbers = {name: details[name] for name in ("groups", "pages", "arm_calls", "findings")}
    drifting = details["verdicts"]["drift_detected"]
    print(json.dumps({**numbers, "drifting": drifting, "seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak}))
    return 0


def write_octodns(folder: Path, azure: LocalAzure, asked: argparse.Namespace) -> Path:
    """Write octoDNS's configuration, and the zones as they should be; give the configuration's path."""
    zones: dict[str, dict[str, Any]] = {}
    for place, name, ip in pairs(asked):
        forward = f"z{place}.corp.internal"
        pointer = ".".join(reversed(ip.split(".")[2:]))
        zones.setdefault(forward, {})[name] = {"type": "A", "value": ip, "ttl": 60}
        ptr = {"type": "PTR", "value": f"{name}.{forward}.", "ttl": 60}
        zones.setdefault(f"{place}.10.in-addr.arpa", {})[pointer] = ptr
    for zone, records in zones.items():
        (folder / f"{zone}.yaml").write_text(json.dumps(records), encoding="utf-8")  # YAML reads JSON
    source = {"class": "octodns.provider.yaml.YamlProvider", "directory": str(folder), "enforce_order": False}
    target = {"class": "octodns_azure.AzurePrivateProvider", "sub_id": SUBSCRIPTION, "resource_group": "rg-dns",
              "base_url": azure.arm, "client_id": "bench", "key": "bench", "directory_id": "bench"}  # fmt: skip
    known = {f"{zone}.": {"sources": ["source"], "targets": ["azure"]} for zone in zones}
    configuration = {"manager": {"max_workers": 1}, "providers": {"source": source, "azure": target}, "zones": known}
    (folder / "configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
    return folder / "configuration.json"


def octodns_once(python: str, azure: LocalAzure, configuration: Path) -> dict[str, float]:
    """Plan with octoDNS; give what its process took."""
    environment = {"PATH": os.defpath, "REQUESTS_CA_BUNDLE": str(azure.ca)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [python, "-c", _OCTODNS, "--config-file", str(configuration), "--quiet"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"octoDNS ended with {done.returncode}: {done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu}


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure the audit, and octoDNS in turns with it; figures are milliseconds."""
    found: dict[str, Any] = {"taken": datetime.now(UTC).date().isoformat(), "groups": asked.groups,
                             "zones": asked.zones, "drift": asked.drift}  # fmt: skip
    with LocalAzure.start(parts=(), provisioning_seconds=0.0) as azure, tempfile.TemporaryDirectory() as folder:
        azure.call(lambda: lay_out(azure, asked))
        configuration = write_octodns(Path(folder), azure, asked) if asked.octodns else None
        runs, others = [], []
        for _ in range(asked.runs):
            runs.append(audit_once(azure, asked))
            if configuration:
                others.append(octodns_once(asked.octodns, azure, configuration))
    found["audit"] = Figures.of(1000 * run["seconds"] for run in runs)
    found["cpu"] = Figures.of(1000 * run["cpu_seconds"] for run in runs)
    found |= {name: max(run[name] for run in runs) for name in ("peak_mib", "arm_calls", "pages")}
    if others:
        found["octodns"] = Figures.of(1000 * run["seconds"] for run in others)
        found["octodns_cpu"] = Figures.of(1000 * run["cpu_seconds"] for run in others)
    return found


def show(found: Mapping[str, Any]) -> str:
    """Lay the figures out for a reader."""
    calls, pages, bound = found["arm_calls"], found["pages"], found["pages"] + 2 * found["zones"]
    what = f"audit: {found['groups']:,} groups, {found['zones']} zones, {found['drift']} moved"
    rows = [(what, found["audit"], f"{calls:.0f} calls, {found['peak_mib']:.0f} MiB at most")]
    rows.append(("  its CPU time", found["cpu"], ""))
    goals = [
        goal(calls <= bound, f"calls ≤ pages + 2 for each zone ({pages:.0f} + {2 * found['zones']})")
        + f" ({calls:.0f})",
        goal(found["peak_mib"] <= MAX_MIB, f"memory ≤ {MAX_MIB:.0f} MiB") + f" ({found['peak_mib']:.0f})",
    ]
    if "octodns" in found:
        times = found["octodns"].median / found["audit"].median
        rows.append(
            (
                "octoDNS plans the same records",
                found["octodns"],
                f"{times:.1f} times as long",
            )
        )
        cpu = found["octodns_cpu"].median / found["cpu"].median
        rows.append(("  its CPU time", found["octodns_cpu"], f"{cpu:.1f} times as much"))
        goals.append(goal(times >= TIMES_OCTODNS, f"octoDNS ≥ {TIMES_OCTODNS} times as long") + f" ({times:.1f})")
    return "\n".join([found["taken"], table(rows), *goals])


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 0 whether or not the goals are met: a benchmark says what is."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description="Measure the audit of a fleet.")
    parser.add_argument("--groups", type=int, default=10_000)
    parser.add_argument("--zones", type=int, default=40, help="an even number: forward zones and their reverse zones")
    parser.add_argument("--drift", type=int, default=20, help="groups that the platform has moved")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--octodns", default="", metavar="PYTHON", help="an interpreter that has octodns-azure")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout instead")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.child:
        return child()
    if asked.runs < 1 or asked.zones < 2 or asked.zones % 2 or not 0 <= asked.drift <= asked.groups:  # noqa: PLR2004 - a pair
        parser.error("--runs is 1 or more, --zones even, and --drift at most --groups")
    found = measure(asked)
    print(json.dumps(found, indent=2, default=lambda each: each.to_json()) if asked.json else show(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
