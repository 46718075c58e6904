"""Private zones: record sets read and written with etags, zones and links listed.

Values come back normalised: lower case, no trailing dot, addresses in their short form. A record set that differs from
what is wanted by that alone (a target written `Web.Corp.Internal.`) counts as the same, as it does in DNS.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, get_args

from azure.core import MatchConditions

from cloud.errors import guard
from core.arm_id import ArmId
from core.errors import InputError, NotFoundError, PreconditionFailedError, ZoneMissingError
from core.links import VirtualNetworkLink
from core.names import normalise, parse_address
from core.records import RecordSet, RecordType, ZoneRef

if TYPE_CHECKING:
    from cloud.arm import Arm

_RECORD_MISSING: Final = "NotFound"
"""The code of the private DNS provider's own 404: it was asked, so the zone is there, and the record set is not."""
_ZONE_MISSING: Final = frozenset(
    {"ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"}
)
"""Codes of the gateway's 404s, which answers before the provider is asked. Recorded: zone missing on GET and on PUT."""
API_VERSION: Final = "2024-06-01"
PAGE_SIZE: Final = "1000"
"""Azure gives 100 record sets a page unless asked for more, and at most 1,000 ("Invalid $top value: '1001'. It must be
a number between '1' and '1000'.", MicrosoftDocs/feedback#1111)."""
_TYPES: Final[tuple[RecordType, ...]] = get_args(RecordType)


_RECORDS: Final[Mapping[RecordType, tuple[str, str]]] = {
    "A": ("aRecords", "ipv4Address"),
    "AAAA": ("aaaaRecords", "ipv6Address"),
    "PTR": ("ptrRecords", "ptrdname"),
}
Zones = list[ZoneRef]  # named here: inside the class, `list` is its method
Links = list[VirtualNetworkLink]


class PrivateDns:
    """Reads and writes private zones through the SDK."""

    def __init__(self, arm: "Arm") -> None:
        self._arm = arm

    def get(self, zone: ZoneRef, record_type: RecordType, name: str) -> RecordSet | None:
        """Read one record set; None only when Azure says that the record set, and not more than it, is missing."""
        operation = f"record_set.get {record_type}/{name} in {zone.name}"
        records = self._arm.private_dns(zone.subscription_id).record_sets
        try:
            with _in_zone(zone), guard(operation):
                return _record_set(zone, record_type, records.get(zone.resource_group, zone.name, record_type, name))
        except NotFoundError as error:
            if error.azure_code == _RECORD_MISSING:
                return None
            raise

    def put(self, record_set: RecordSet) -> RecordSet:
        """Write it, and give it back with its new etag.

        With an etag it is written only over exactly that (`If-Match`), without one only where there is none yet
        (`If-None-Match: *`); otherwise PreconditionFailedError. When an answer is lost and the call repeated, the
        repetition may fail so although the first one wrote: read again to know.
        """
        zone, etag = record_set.zone, record_set.etag
        condition = MatchConditions.IfMissing if etag is None else MatchConditions.IfNotModified
        records = self._arm.private_dns(zone.subscription_id).record_sets
        with _in_zone(zone), guard(f"record_set.put {record_set.type}/{record_set.name} in {zone.name}"):
            model = records.create_or_update(
                zone.resource_group, zone.name, record_set.type, record_set.name, _model(record_set),
                etag=etag, match_condition=condition,
            )  # fmt: skip
            return _record_set(zone, record_set.type, model)

    def delete(self, record_set: RecordSet) -> None:
        """Delete it if it still has its etag (PreconditionFailedError if not); one that is gone already is fine."""
        zone = record_set.zone
        if record_set.etag is None:
            raise ValueError(f"{record_set.fqdn}: a record set is deleted only with the etag it was read with")
        records = self._arm.private_dns(zone.subscription_id).record_sets
        try:
            with _in_zone(zone), guard(f"record_set.delete {record_set.type}/{record_set.name} in {zone.name}"):
                records.delete(
                    zone.resource_group, zone.name, record_set.type, record_set.name,
                    etag=record_set.etag, match_condition=MatchConditions.IfNotModified,
                )  # fmt: skip
        except NotFoundError as error:
            if error.azure_code != _RECORD_MISSING:
                raise
        except PreconditionFailedError:
            # A condition on nothing fails too: a repeated deletion whose first answer was lost, say. One read tells.
            if self.get(zone, record_set.type, record_set.name) is not None:
                raise

    def list(self, zone: ZoneRef, record_type: RecordType | None = None) -> Iterator[RecordSet]:
        """Read a zone's A, AAAA and PTR record sets, or one type's, page by page. Never 'empty' for a missing zone."""
        path = f"{_zone_path(zone)}/{record_type or 'ALL'}"
        with _in_zone(zone), guard(f"record_set.list {record_type or 'all'} in {zone.name}"):
            for body in self._arm.list(path, API_VERSION, **{"$top": PAGE_SIZE}):
                kind = _type_of(body["type"])
                if kind is not None:
                    yield _record_set(zone, kind, body)

    def zones(self, subscription_id: str) -> Zones:
        """List the private zones of a subscription, all pages."""
        with guard(f"private_zone.list in subscription {subscription_id}"):
            models = [*self._arm.private_dns(subscription_id).private_zones.list(raw_response_hook=self._arm.on_page)]
            ids = [ArmId.parse(model.id or "") for model in models]
        return [ZoneRef(found.subscription_id, found.resource_group, normalise(found.name)) for found in ids]

    def links(self, zone: ZoneRef) -> Links:
        """List the virtual network links of a zone, all pages."""
        links = self._arm.private_dns(zone.subscription_id).virtual_network_links
        with _in_zone(zone), guard(f"virtual_network_link.list in {zone.name}"):
            pages = links.list(zone.resource_group, zone.name, raw_response_hook=self._arm.on_page)
            return [_link(model) for model in pages]


@contextmanager
def _in_zone(zone: ZoneRef) -> Iterator[None]:
    try:
        yield
    except NotFoundError as error:
        if error.azure_code in _ZONE_MISSING:
            raise ZoneMissingError(zone.name, zone.resource_group, zone.subscription_id) from error
        raise


def _zone_path(zone: ZoneRef) -> str:
    return (
        f"/subscriptions/{zone.subscription_id}/resourceGroups/{zone.resource_group}"
        f"/providers/Microsoft.Network/privateDnsZones/{zone.name}"
    )


def _type_of(resource_type: str) -> RecordType | None:
    kind = resource_type.rpartition("/")[2].upper()
    return next((known for known in _TYPES if known == kind), None)


def _record_set(zone: ZoneRef, record_type: RecordType, body: Mapping[str, Any]) -> RecordSet:
    """Read a record set as it is on the wire: JSON of a list, or the SDK's model, which is a mapping of the same."""
    name, etag, properties = body.get("name"), body.get("etag"), body["properties"]
    ttl = properties.get("ttl")
    if not name or not etag or ttl is None:
        raise ValueError("a record set without its name, etag or TTL")  # an etag of None would mean: not there yet
    many, one = _RECORDS[record_type]
    return RecordSet(
        zone=zone,
        type=record_type,
        name=normalise(name),
        ttl=int(ttl),
        values=tuple(_value(record_type, record.get(one) or "") for record in properties.get(many) or ()),
        metadata=dict(properties.get("metadata") or {}),
        etag=etag,
        auto_registered=bool(properties.get("isAutoRegistered")),
    )


def _value(record_type: RecordType, text: str) -> str:
    if record_type == "PTR":
        return normalise(text)
    try:
        return str(parse_address(text))
    except InputError:
        return text


def _model(record_set: RecordSet) -> Any:
    from azure.mgmt.privatedns import models  # noqa: PLC0415 - loaded with the client, which is made when needed

    properties = models.RecordSetProperties(ttl=record_set.ttl, metadata=dict(record_set.metadata))
    if record_set.type == "A":
        properties.a_records = [models.ARecord(ipv4_address=value) for value in record_set.values]
    elif record_set.type == "AAAA":
        properties.aaaa_records = [models.AaaaRecord(ipv6_address=value) for value in record_set.values]
    else:
        properties.ptr_records = [models.PtrRecord(ptrdname=value) for value in record_set.values]
    return models.RecordSet(properties=properties)


def _link(model: Any) -> VirtualNetworkLink:
    network = model.virtual_network
    return VirtualNetworkLink(
        name=model.name or "",
        vnet_id=(network.id or "") if network else "",
        registration_enabled=bool(model.registration_enabled),
        state=str(getattr(model.virtual_network_link_state, "value", model.virtual_network_link_state) or ""),
        resolution_policy=str(getattr(model.resolution_policy, "value", model.resolution_policy) or "Default"),
    )
