"""Private record sets as DNS record sets: ARM's JSON on one side, wire rdata on the other. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import dns.name
import dns.rdata
import dns.rrset
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from local_azure.world import RecordSet

TYPES: Final = ("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")
"""What a private zone can hold. There is no NS: a private zone has no delegation and no NS set at its apex."""

SOA_DEFAULTS: Final[Mapping[str, Any]] = {
    "host": "azureprivatedns.net",
    "email": "azureprivatedns-host.microsoft.com",
    "serialNumber": 1,
    "refreshTime": 3600,
    "retryTime": 300,
    "expireTime": 2419200,
    "minimumTtl": 10,
}
"""A new zone's SOA. The serial stays 1 whatever is written, so it can't signal a change."""
SOA_TTL: Final = 3600

_MAX_TXT = 255  # bytes in one character-string; ARM takes longer ones and the server splits them


def rrset(owner: dns.name.Name, records: "RecordSet") -> dns.rrset.RRset | None:
    """Give the record set as DNS sends it, owned by `owner`; None when it holds no record (ARM allows empty sets)."""
    if records.type.upper() == "SOA":
        return soa(owner, records)
    rdatas = [rdata for rdata in _rdatas(records.type.upper(), records.properties) if rdata is not None]
    return dns.rrset.from_rdata_list(owner, records.ttl, rdatas) if rdatas else None


def soa(owner: dns.name.Name, records: "RecordSet | None") -> dns.rrset.RRset:
    """Give the zone's SOA at `owner`, from its @ SOA set, or as Azure creates it where the set is missing."""
    given = records.properties.get("soaRecord") or {} if records else {}
    value = {**SOA_DEFAULTS, **{key: item for key, item in given.items() if item is not None}}
    rdata = _rdata(
        RdataType.SOA,
        _name(value["host"]),
        _name(value["email"]),
        int(value["serialNumber"]),
        int(value["refreshTime"]),
        int(value["retryTime"]),
        int(value["expireTime"]),
        int(value["minimumTtl"]),
    )
    return dns.rrset.from_rdata(owner, records.ttl if records else SOA_TTL, rdata)


def _rdatas(kind: str, properties: Mapping[str, Any]) -> Iterator[dns.rdata.Rdata | None]:
    """Each value of one set; reads ARM's keys (aRecords, cnameRecord, …)."""
    if kind == "CNAME":
        target = (properties.get("cnameRecord") or {}).get("cname")
        yield _rdata(RdataType.CNAME, _name(target)) if target else None
        return
    rdtype = RdataType.make(kind)
    for value in properties.get(f"{kind.lower()}Records") or ():
        yield _rdata(rdtype, *_FIELDS[rdtype](value))


def _rdata(kind: RdataType, *fields: Any) -> dns.rdata.Rdata:
    """Make rdata of dnspython's class for the type."""
    make = dns.rdata.get_rdata_class(RdataClass.IN, kind)  # type: ignore[no-untyped-call]  # dnspython's own gap
    rdata: dns.rdata.Rdata = make(RdataClass.IN, kind, *fields)
    return rdata


def _strings(texts: list[str]) -> list[bytes]:
    """Cut a TXT value's texts into character-strings."""
    encoded = [text.encode() for text in texts]
    return [text[at : at + _MAX_TXT] for text in encoded for at in range(0, max(len(text), 1), _MAX_TXT)]


_FIELDS: Final[Mapping[RdataType, Callable[[Mapping[str, Any]], tuple[Any, ...]]]] = {
    RdataType.A: lambda value: (value["ipv4Address"],),
    RdataType.AAAA: lambda value: (value["ipv6Address"],),
    RdataType.PTR: lambda value: (_name(value["ptrdname"]),),
    RdataType.MX: lambda value: (int(value["preference"]), _name(value["exchange"])),
    RdataType.SRV: lambda value: (
        int(value["priority"]),
        int(value["weight"]),
        int(value["port"]),
        _name(value["target"]),
    ),
    RdataType.TXT: lambda value: (_strings(value["value"]),),
}


def _name(text: str) -> dns.name.Name:
    """ARM stores names as they were sent, with or without the final dot; on the wire they are absolute."""
    return dns.name.from_text(text.removesuffix(".") + ".")
