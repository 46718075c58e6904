"""Knot DNS and NSD: authoritative servers, which resolve nothing and refuse what they do not hold.

A root zone stands for what a resolver would ask others for; without one, a name in no zone is REFUSED.
"""

from pathlib import Path
from typing import Final

from local_azure.peers.each import OneForEach
from local_azure.peers.process import Endpoint, Launch
from local_azure.peers.situations import Vantage
from local_azure.peers.zone_files import file_name, files_of

_VANTAGES: Final = (
    *(Vantage.LINKED, Vantage.UNLINKED_ROOT, Vantage.UNLINKED_AS112, Vantage.FORWARD_UNLINKED, Vantage.SHADOWED),
    *(Vantage.PLATFORM, Vantage.BYPASSED, Vantage.SMALL_DATAGRAMS, Vantage.REFUSED, Vantage.LAME, Vantage.NOBODY),
)
_USUAL: Final = 1232
_SMALLEST_OF_NSD: Final = 512
_SMALLEST_OF_KNOT: Final = 1220


def _zones_of(vantage: Vantage) -> dict[str, str]:
    """Give a vantage's zones; none where everything is to be refused."""
    return {} if vantage is Vantage.REFUSED else dict(files_of(vantage, has_recursion=False))


def _payload(vantage: Vantage, smallest: int) -> int:
    return smallest if vantage is Vantage.SMALL_DATAGRAMS else _USUAL


class Knot(OneForEach):
    """`knotd`."""

    program = "knotd"
    vantages = _VANTAGES

    def launch(self, vantage: Vantage, directory: Path, port: int) -> Launch:
        """Say how it is started."""
        zones, payload = _zones_of(vantage), _payload(vantage, _SMALLEST_OF_KNOT)
        lines = [
            f'server:\n  rundir: "{directory}"\n  pidfile: "{directory}/pid"\n  listen: 127.0.0.1@{port}',
            f"  udp-workers: 1\n  tcp-workers: 2\n  background-workers: 1\n  udp-max-payload: {payload}",
            "  automatic-acl: off",
            f'control:\n  listen: "{directory}/control"',
            f'database:\n  storage: "{directory}/db"',
            f'template:\n  - id: default\n    storage: "{directory}"\n    zonefile-sync: -1\n    journal-content: none',
            "zone:" if zones else "",
            *(f'  - domain: "{zone}"\n    file: "{file_name(zone)}"' for zone in zones),
        ]
        files = {file_name(zone): text for zone, text in zones.items()}
        return _launch(self.program, ("-c", f"{directory}/knot.conf"), {**files, "knot.conf": _text(lines)}, port)


class Nsd(OneForEach):
    """`nsd`."""

    program = "nsd"
    vantages = _VANTAGES

    def launch(self, vantage: Vantage, directory: Path, port: int) -> Launch:
        """Say how it is started."""
        zones, payload = _zones_of(vantage), _payload(vantage, _SMALLEST_OF_NSD)
        lines = [
            f'server:\n  ip-address: 127.0.0.1@{port}\n  port: {port}\n  server-count: 1\n  username: ""\n  chroot: ""',
            f'  zonesdir: "{directory}"\n  pidfile: "{directory}/pid"\n  zonelistfile: "{directory}/zone.list"',
            f'  xfrdfile: "{directory}/xfrd"\n  xfrdir: "{directory}"\n  database: ""',
            f"  ipv4-edns-size: {payload}\n  refuse-any: no\n  rrl-ratelimit: 0",
            "remote-control:\n  control-enable: no",
            *(f'zone:\n  name: "{zone}"\n  zonefile: "{file_name(zone)}"' for zone in zones),
        ]
        files = {file_name(zone): text for zone, text in zones.items()}
        return _launch(self.program, ("-d", "-c", f"{directory}/nsd.conf"), {**files, "nsd.conf": _text(lines)}, port)


def _text(lines: list[str]) -> str:
    return "\n".join([*lines, ""])


def _launch(program: str, arguments: tuple[str, ...], files: dict[str, str], port: int) -> Launch:
    return Launch(program, arguments, files, (Endpoint("127.0.0.1", port),))
