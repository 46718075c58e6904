"""The acts that only a resolver can show: a zone that is not linked, and a PTR that is gone. NXDOMAIN both times.

The probe is asked from each network. It is given names and addresses, has no identity and no endpoint of Azure in its
environment, and tells the two apart by the answer alone. Beside it the function app's own probe runs in spoke one.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cli.demo import world
from cli.demo.azure import DemoError
from cli.demo.processes import ROOT, base_environment
from cli.demo.stage import COMMAND_SECONDS, Stage
from cli.demo.told import Clock, Due, Expected, Told, kinds_of, unrepaired
from cli.demo.world import API, DNS_API, NET_ONE, NETWORKS, QUEUE, REVERSE_ZONES, WEB, Group, Network
from core.events import DriftKind, EventType
from core.names import parse_address, relative_name, reverse_name
from probe.verdict import Verdict

PROBED: Final = (WEB, API, QUEUE)
"""Two groups of spoke one and one of spoke two, whose reverse zone stays linked."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What `drift probe` said in one network: its exit code, verdict by host name, and the fixes of what is wrong."""

    code: int
    verdicts: Mapping[str, str]
    fixes: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Tell whether every name and address is as it should be there."""
        return self.code == 0 and set(self.verdicts.values()) == {Verdict.OK.value}


def unlink(stage: Stage) -> Told:
    """Take a reverse zone's link to one spoke away: the PTRs are there, and that spoke alone cannot see them."""
    zone, since, ips = REVERSE_ZONES[0], datetime.now(UTC), _addresses(stage)
    link = f"{world.zone_id(zone)}/virtualNetworkLinks/{NET_ONE.name}"
    stage.azure.do("DELETE", link, DNS_API)
    stage.until(
        f"{NET_ONE.name} does not see {zone}",
        lambda: stage.look(WEB.fqdn, ips[WEB], NET_ONE.name).ptr.rcode == "NXDOMAIN",
    )
    seen = probe_everywhere(stage, ips)
    here = seen[NET_ONE.name]
    _require(here, {WEB: Verdict.REVERSE_ZONE_UNLINKED, API: Verdict.REVERSE_ZONE_UNLINKED, QUEUE: Verdict.OK})
    wanted = ("az network private-dns link vnet create", f"--zone-name {zone}", f"--virtual-network {NET_ONE.id}")
    if not all(part in fix for fix in here.fixes for part in wanted):
        raise DemoError(f"the probe's fix was to link {zone} to {NET_ONE.name}, and it is: {here.fixes}")
    _require_right(seen[network.name] for network in NETWORKS if network is not NET_ONE)
    stage.run_function("probe")
    stage.until_row(WEB, EventType.PROBE_FAILED, since)
    stage.wait_for_nobody()
    with Clock() as clock:
        stage.azure.do("PUT", link, DNS_API, world.link_body(NET_ONE))
        right = stage.until_right(WEB, ips[WEB])
    _require_right(probe_everywhere(stage, ips, [NET_ONE]).values())
    stage.run_function("probe")
    said = f"{Verdict.REVERSE_ZONE_UNLINKED} → {wanted[0]} {wanted[1]} …"
    return Told(
        did=f"{zone} loses its link to spoke one",
        before="PTR unseen",
        after=str(right.a),
        ptr_after=str(right.ptr),
        seconds=clock.seconds,
        drifted=f"{NET_ONE.name}: {zone} was not linked to it, its addresses had no names",
        repaired_by="the link that the probe asks for",
        note=f"probe there, without an identity: {said}; elsewhere: ok",
        expected=(
            Expected(WEB, EventType.PROBE_FAILED, error_code=Verdict.REVERSE_ZONE_UNLINKED.value),
            Expected(API, EventType.PROBE_FAILED, error_code=Verdict.REVERSE_ZONE_UNLINKED.value),
            Expected(QUEUE, EventType.PROBE_OK),
            Expected(WEB, EventType.PROBE_OK),
        ),
        due=(Due("reverse-zone-unlinked", {"Vantage": NET_ONE.id, "Zone": zone}),),
    )


def delete_ptr(stage: Stage) -> Told:
    """Delete a PTR by hand: NXDOMAIN again, now from the zone itself, and in every network."""
    zone, since, ips = REVERSE_ZONES[0], datetime.now(UTC), _addresses(stage)
    name = relative_name(reverse_name(parse_address(ips[WEB])), zone)
    stage.azure.do("DELETE", f"{world.zone_id(zone)}/PTR/{name}", DNS_API)
    seen = probe_everywhere(stage, ips)
    for probed in seen.values():
        _require(probed, {WEB: Verdict.PTR_MISSING, API: Verdict.OK, QUEUE: Verdict.OK})
    stage.run_function("probe")
    stage.until_row(WEB, EventType.PROBE_FAILED, since)
    row = stage.until_row(WEB, EventType.DRIFT_DETECTED, since)
    stage.wait_for_nobody()
    with Clock() as clock:
        stage.drift("reconcile", WEB.id, "--apply", "--json")
        right = stage.until_right(WEB, ips[WEB])
    _require_right(probe_everywhere(stage, ips, [NET_ONE]).values())
    return Told(
        did="somebody deletes web's PTR",
        before="no PTR",
        after=str(right.a),
        ptr_after=str(right.ptr),
        seconds=clock.seconds,
        drifted=f"web: {ips[WEB]} had no name",
        repaired_by="drift reconcile --apply",
        note=f"probe, in every network alike: {Verdict.PTR_MISSING}; tracker: drift_detected ({kinds_of(row)})",
        expected=(
            Expected(WEB, EventType.PROBE_FAILED, error_code=Verdict.PTR_MISSING.value),
            Expected(WEB, EventType.DRIFT_DETECTED, DriftKind.PTR_MISSING),
            Expected(WEB, EventType.RECONCILE_UPDATED),
        ),
        due=(unrepaired(WEB),),
    )


def probe_everywhere(
    stage: Stage, ips: Mapping[Group, str], networks: Sequence[Network] = NETWORKS
) -> dict[str, Probed]:
    """Ask from each network at the same time."""
    stage.report(f"for drift probe in {', '.join(network.name for network in networks)}")
    with ThreadPoolExecutor(len(networks)) as pool:
        found = pool.map(lambda network: _probe(stage, network, ips), networks)
        return dict(zip((network.name for network in networks), found, strict=True))


def _addresses(stage: Stage) -> dict[Group, str]:
    return {group: stage.address(group) for group in PROBED}


def _require(probed: Probed, verdicts: Mapping[Group, Verdict]) -> None:
    wanted = {group.name: verdict.value for group, verdict in verdicts.items()}
    if (probed.code, probed.verdicts) != (1, wanted):
        raise DemoError(f"the probe was to say {wanted} (exit code 1), and said {probed.verdicts} ({probed.code})")


def _require_right(probed: Iterable[Probed]) -> None:
    for each in probed:
        if not each.is_right:
            raise DemoError(f"the probe was to find all right, and said {each.verdicts} ({each.code})")


def _probe(stage: Stage, network: Network, ips: Mapping[Group, str]) -> Probed:
    """Run `drift probe` as in a container in that network: it is told names, addresses and zones, and nothing else."""
    resolver = stage.resolvers[network.name].replace(":", "#")
    command = ["probe", "--targets", "-", "--vnet", network.id, "--resolver", resolver, "--json",
               "--confirm-seconds", world.CONFIRM_SECONDS]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "cli", *command],
        input="".join(f"{group.fqdn} {ip}\n" for group, ip in ips.items()),
        env={**base_environment(), "DNS_ZONE_MAP": world.zone_map()},
        cwd=ROOT, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode not in {0, 1}:
        raise DemoError(f"drift probe in {network.name} ended with {done.returncode}: {done.stderr[-1000:]}")
    results: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    verdicts = {str(result["target"]["fqdn"]).partition(".")[0]: str(result["verdict"]) for result in results}
    return Probed(done.returncode, verdicts, tuple(str(result["fix"]) for result in results if "fix" in result))
