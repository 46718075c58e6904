"""Reads what Azure says, as much of it as a cross-check or a link audit needs. What cannot be read becomes a remark.

Calls: one list per subscription, one per zone that matters, and for the failing targets one per record set and group;
where many targets of a zone fail, the zone is listed instead.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from core.arm_id import ArmId
from core.errors import ForbiddenError, InputError, ToolkitError, ZoneMissingError
from core.live import LiveGroup
from core.names import is_within, relative_name
from core.records import RecordType, ZoneRef
from core.run_context import RunContext
from probe.target import Target, Vantage
from probe.zones import AzureFacts, Zone, distinct

MAX_GETS: Final = 20
"""More record sets than that of one zone and type are read by listing them."""
MAX_GROUPS: Final = 100
"""Groups that are read again, one call each; a fleet that fails as a whole is not read again as a whole."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Wanted = dict[tuple[ZoneRef, RecordType], set[str]]


@dataclass(slots=True)
class FactReader:
    """Reads for one run; `remarks` say what could not be read."""

    context: RunContext
    remarks: list[str] = field(default_factory=list)

    def for_targets(self, targets: Sequence[Target], vantage: Vantage) -> AzureFacts:
        """Read what a cross-check of these targets needs."""
        refs = distinct(ref for target in targets for ref in (target.forward, target.reverse) if ref)
        known = self.zones(refs)
        return replace(
            known,
            records=self._records(targets, known),
            groups=self._groups(targets),
            dns_servers=self._dns_servers(vantage),
        )

    def zones(self, wanted: Iterable[ZoneRef]) -> AzureFacts:
        """Read the wanted zones and their links, and the zones of the same name and below, which may be in the way.

        Reader on the zones alone does not reach their subscription: they are then read one by one, and what is in the
        way is not looked for.
        """
        wanted = list(wanted)
        names = {ref.name for ref in wanted}
        found: list[Zone] = []
        listed: set[str] = set()
        missing: set[ZoneRef] = set()
        for subscription in sorted({ref.subscription_id.lower() for ref in wanted if ref.subscription_id}):
            refs = self._list(subscription)
            if refs is not None:
                listed.add(subscription)
                refs = [ref for ref in refs if any(is_within(ref.name, name) for name in names)]
            else:
                refs = [ref for ref in wanted if ref.subscription_id.lower() == subscription and ref.resource_group]
            for ref in refs:
                zone = self._zone(ref)
                found += [zone] if zone else []
                missing |= set() if zone else {ref}
        return AzureFacts(zones=tuple(found), listed=frozenset(listed), missing=frozenset(missing))

    def _list(self, subscription: str) -> list[ZoneRef] | None:
        """List a subscription's zones; None when that may not be done, or failed."""
        try:
            return list(self.context.private_dns.zones(subscription))
        except ForbiddenError:
            self.remarks.append(f"zones in the way are not looked for: {subscription} may not be listed")
        except ToolkitError as error:
            self.remarks.append(str(error).partition("\n")[0])
        return None

    def _zone(self, ref: ZoneRef) -> Zone | None:
        """Read one zone's links; None when it does not exist, or no longer."""
        try:
            return Zone(ref, tuple(self.context.private_dns.links(ref)))
        except ZoneMissingError:
            return None
        except ToolkitError as error:
            self.remarks.append(str(error).partition("\n")[0])
            return Zone(ref, links_known=False)

    def _records(self, targets: Sequence[Target], known: AzureFacts) -> dict[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for (zone, kind), names in _wanted_records(targets, known).items():
            read = self._listed(zone, kind) if len(names) > MAX_GETS else self._got(zone, kind, names)
            if read is not None:
                found.update({(name, kind): read.get(name, ()) for name in names})
        return found

    def _listed(self, zone: ZoneRef, kind: RecordType) -> dict[str, tuple[str, ...]] | None:
        return self._read(
            lambda ref: {each.fqdn: each.values for each in self.context.private_dns.list(ref, kind)}, zone
        )

    def _got(self, zone: ZoneRef, kind: RecordType, names: set[str]) -> dict[str, tuple[str, ...]] | None:
        def read(ref: ZoneRef) -> dict[str, tuple[str, ...]]:
            found = (self.context.private_dns.get(ref, kind, relative_name(name, ref.name)) for name in sorted(names))
            return {each.fqdn: each.values for each in found if each}

        return self._read(read, zone)

    def _groups(self, targets: Sequence[Target]) -> dict[str, LiveGroup]:
        ids = list(dict.fromkeys(target.group for target in targets if target.group))
        if len(ids) > MAX_GROUPS:
            self.remarks.append(f"{MAX_GROUPS} of {len(ids)} failing container groups were read again")
        found = (self._read(self.context.container_groups.get, group) for group in ids[:MAX_GROUPS])
        return {str(live.id).lower(): live for live in found if live}

    def _dns_servers(self, vantage: Vantage) -> tuple[str, ...] | None:
        if self.context.networks is None or not vantage.vnet_id:
            return None
        network = self._read(self.context.networks.get, vantage.vnet_id)
        return network.dns_servers if network else None

    def _read(self, read: Callable[[Key], Value], key: Key) -> Value | None:
        try:
            return read(key)
        except ToolkitError as error:
            self.remarks.append(str(error).partition("\n")[0])
            return None


def network_of(subnet_id: str) -> str | None:
    """Give the id of the virtual network that a subnet is in; None for what is no subnet's id."""
    try:
        subnet = ArmId.parse(subnet_id)
    except InputError:
        return None
    network = ArmId(subnet.subscription_id, subnet.resource_group, subnet.provider, subnet.segments[:1])
    return str(network)


def _wanted_records(targets: Sequence[Target], known: AzureFacts) -> Wanted:
    """List what to look up: the names below each zone that exists."""
    wanted: Wanted = defaultdict(set)
    for target in targets:
        forward = known.zone(target.forward)
        reverse = known.zone(target.reverse) if target.reverse else None
        if forward is not None:
            wanted[forward.ref, target.address_type].add(target.fqdn)
        if reverse is not None:
            wanted[reverse.ref, "PTR"].add(target.ptr_name)
    return wanted
