"""The one table: what each vantage sees, and what must be said of each target from there. Pure.

A vantage is what a client in one virtual network can resolve. Zones and their records are the same in all servers; what
differs is how a server says that it does not know, and that is the point.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FORWARD: Final = "corp.internal"
REVERSE: Final = "0.10.in-addr.arpa"
LONGER: Final = "2.0.10.in-addr.arpa"
WHOLE: Final = "10.in-addr.arpa"
REVERSE6: Final = "d.f.ip6.arpa"

CROWD: Final = tuple(f"crowd-{number:02}-{'x' * 48}.{FORWARD}" for number in range(19))
"""Names of one address: their PTR set is as large as Azure allows, 20 records, and fits no datagram."""
_ADDRESS6: Final = "fd00::4"
_PTR6: Final = "4" + ".0" * 29


@dataclass(frozen=True, slots=True)
class Record:
    """A record set's part: `name` relative to its zone."""

    name: str
    type: str
    value: str


ZONES: Final[Mapping[str, tuple[Record, ...]]] = {
    FORWARD: (
        Record("web", "A", "10.0.2.4"),
        Record("silent", "A", "10.0.2.5"),
        Record("moved", "A", "10.0.2.99"),
        Record("renamed", "A", "10.0.2.7"),
        Record("crowd", "A", "10.0.2.8"),
        Record("odd", "A", "10.0.2.9"),
        Record("six", "AAAA", _ADDRESS6),
    ),
    REVERSE: (
        Record("4.2", "PTR", f"web.{FORWARD}"),
        Record("6.2", "PTR", f"moved.{FORWARD}"),
        Record("7.2", "PTR", f"before.{FORWARD}"),
        Record("8.2", "PTR", f"crowd.{FORWARD}"),
        *(Record("8.2", "PTR", name) for name in CROWD),
        Record("9.2", "AAAA", _ADDRESS6),
    ),
    LONGER: (Record("200", "PTR", f"another.{FORWARD}"),),
    REVERSE6: (Record(_PTR6, "PTR", f"six.{FORWARD}"),),
}
MACHINE: Final = ("vm", "10.0.2.4")
"""A virtual machine, by name and address, in a network whose reverse zone is not linked."""
MACHINE_NAME: Final = "vm.internal.cloudapp.net"


class Vantage(StrEnum):
    """Where a client is, by what it can resolve."""

    LINKED = "linked"  # the forward zone and both reverse zones
    UNLINKED = "unlinked"  # the forward zone alone; a resolver's built-in empty zones answer the rest
    UNLINKED_ROOT = "unlinked_root"  # the same, where the root says that there is no such name
    UNLINKED_AS112 = "unlinked_as112"  # the same, where the public AS112 servers say so
    UNLINKED_OFFLINE = "unlinked_offline"  # the same, where nobody can be asked
    FORWARD_UNLINKED = "forward_unlinked"  # the reverse zones alone
    SHADOWED = "shadowed"  # linked, and a longer reverse zone too
    PLATFORM = "platform"  # the forward zone, and a virtual machine's default name at the address
    BYPASSED = "bypassed"  # everything is linked, and the client asks a server that forwards nothing to Azure
    SMALL_DATAGRAMS = "small_datagrams"  # linked, and no datagram above 512 bytes
    REFUSED = "refused"  # the server answers no one
    LAME = "lame"  # the server points elsewhere, and resolves nothing itself
    SILENT = "silent"  # no answer comes in time
    NOBODY = "nobody"  # nothing listens there
    DEFAULTS = "defaults"  # behind a forwarder that answers private reverse names itself


SEES: Final[Mapping[Vantage, tuple[str, ...]]] = {
    Vantage.LINKED: (FORWARD, REVERSE, REVERSE6),
    Vantage.UNLINKED: (FORWARD,),
    Vantage.UNLINKED_ROOT: (FORWARD,),
    Vantage.UNLINKED_AS112: (FORWARD,),
    Vantage.UNLINKED_OFFLINE: (FORWARD,),
    Vantage.FORWARD_UNLINKED: (REVERSE, REVERSE6),
    Vantage.SHADOWED: (FORWARD, REVERSE, LONGER, REVERSE6),
    Vantage.PLATFORM: (FORWARD,),
    Vantage.BYPASSED: (),
    Vantage.SMALL_DATAGRAMS: (FORWARD, REVERSE, REVERSE6),
    Vantage.REFUSED: (FORWARD, REVERSE, REVERSE6),
    Vantage.LAME: (),
    Vantage.SILENT: (FORWARD, REVERSE, REVERSE6),
    Vantage.NOBODY: (),
    Vantage.DEFAULTS: (FORWARD, REVERSE, REVERSE6),
}
"""The zones that a vantage resolves."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What must be said (`verdict`, by the probe's name) of a target from a vantage.

    `reverse_zone` is the configured one; `by_tcp` says that the reverse answer fits no datagram.
    """

    vantage: Vantage
    host: str
    ip: str
    verdict: str
    reverse_zone: str = REVERSE
    by_tcp: bool = False

    @property
    def fqdn(self) -> str:
        """Give the target's name."""
        return f"{self.host}.{FORWARD}"

    def __str__(self) -> str:
        return f"{self.vantage}-{self.host}-{self.reverse_zone.split('.', maxsplit=1)[0]}-{self.verdict}"


def _rows(vantage: Vantage, *rows: tuple[str, str, str]) -> Iterator[Situation]:
    for host, ip, verdict in rows:
        reverse = REVERSE6 if ":" in ip else REVERSE
        yield Situation(vantage, host, ip, verdict, reverse, by_tcp=host == "crowd" and verdict == "ok")


_WEB, _SILENT, _SIX = ("web", "10.0.2.4"), ("silent", "10.0.2.5"), ("six", _ADDRESS6)
_IN_LINKED: Final = (
    (*_WEB, "ok"),
    (*_SILENT, "ptr_missing"),
    ("gone", "10.0.2.11", "a_missing"),
    ("moved", "10.0.2.6", "a_mismatch"),
    ("renamed", "10.0.2.7", "ptr_mismatch"),
    ("crowd", "10.0.2.8", "ok"),
    ("odd", "10.0.2.9", "nodata"),
    ("six", "10.0.2.10", "nodata"),
    (*_SIX, "ok"),
    ("six", "fd00::5", "a_mismatch"),
)
_UNLINKED: Final = tuple((*target, "reverse_zone_unlinked") for target in (_WEB, _SILENT, _SIX))

SITUATIONS: Final[tuple[Situation, ...]] = (
    *_rows(Vantage.LINKED, *_IN_LINKED),
    *_rows(Vantage.SMALL_DATAGRAMS, *_IN_LINKED),
    *(
        row
        for vantage in (Vantage.UNLINKED, Vantage.UNLINKED_ROOT, Vantage.UNLINKED_AS112, Vantage.DEFAULTS)
        for row in _rows(vantage, *_UNLINKED, ("gone", "10.0.2.11", "a_missing"))
    ),
    # The empty zone that answers instead has the very name of the configured one.
    *(
        Situation(vantage, *_WEB, "reverse_zone_unlinked", WHOLE)
        for vantage in (Vantage.UNLINKED, Vantage.UNLINKED_AS112, Vantage.DEFAULTS)
    ),
    *_rows(Vantage.UNLINKED_OFFLINE, (*_WEB, "servfail")),
    *_rows(Vantage.FORWARD_UNLINKED, (*_WEB, "forward_zone_unlinked"), (*_SIX, "forward_zone_unlinked")),
    *_rows(Vantage.BYPASSED, (*_WEB, "forward_zone_unlinked"), (*_SIX, "forward_zone_unlinked")),
    *_rows(Vantage.SHADOWED, (*_WEB, "reverse_zone_shadowed"), (*_SILENT, "reverse_zone_shadowed"), (*_SIX, "ok")),
    *_rows(Vantage.PLATFORM, (*_WEB, "platform_default"), (*_SILENT, "reverse_zone_unlinked")),
    *_rows(Vantage.REFUSED, (*_WEB, "refused")),
    *_rows(Vantage.LAME, (*_WEB, "lame")),
    *_rows(Vantage.SILENT, (*_WEB, "timeout")),
    *_rows(Vantage.NOBODY, (*_WEB, "unreachable")),
)
