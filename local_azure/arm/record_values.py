"""What a record set may hold: the pure checks of the private DNS provider, and the canonical wire form.

The limits are documented. The texts of the refusals are not recorded anywhere, so only status and code are Azure's.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from local_azure.arm.call import ArmError, dns_error, invalid_content

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_RECORDS = 20
MAX_TTL = 2**31 - 1
MAX_TXT_CHARACTERS = 4096
MAX_TXT_VALUE = 255
MAX_METADATA = 10
MAX_NAME, MAX_LABEL = 253, 63
_LABEL = re.compile(r"^(\*|[A-Za-z0-9_-]{1,63})$")
# The SOA that every new private zone starts with; the serial number never changes.
DEFAULT_SOA: Mapping[str, Any] = {
    "email": "azureprivatedns-host.microsoft.com",
    "expireTime": 2419200,
    "host": "azureprivatedns.net",
    "minimumTtl": 10,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}


def bad_request(message: str) -> ArmError:
    """Make the DNS provider's 400."""
    return dns_error(400, "BadRequest", message)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise bad_request(f"The value of '{what}' is not valid: a non-empty string is needed.")
    return value


def _number(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise bad_request(f"The value '{value}' of '{what}' is not valid. It must be between {low} and {high}.")
    return value


def _name(value: Any, what: str) -> str:
    text = _text(value, what)
    # A lone dot is the root: a null MX, a service that is decidedly not there.
    if text == ".":
        return text
    labels = text.removesuffix(".").split(".")
    if len(text.removesuffix(".")) > MAX_NAME or not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise bad_request(f"The value '{text}' of '{what}' is not a valid domain name.")
    return text


def _ipv4(record: dict[str, Any]) -> dict[str, Any]:
    text = _text(record.get("ipv4Address"), "ipv4Address")
    try:
        return {"ipv4Address": str(ipaddress.IPv4Address(text))}
    except ValueError:
        raise bad_request(f"The value '{text}' of 'ipv4Address' is not a valid IPv4 address.") from None


def _ipv6(record: dict[str, Any]) -> dict[str, Any]:
    text = _text(record.get("ipv6Address"), "ipv6Address")
    try:
        return {"ipv6Address": str(ipaddress.IPv6Address(text))}
    except ValueError:
        raise bad_request(f"The value '{text}' of 'ipv6Address' is not a valid IPv6 address.") from None


def _mx(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "exchange": _name(record.get("exchange"), "exchange"),
        "preference": _number(record.get("preference"), "preference", 0, 65535),
    }


def _ptr(record: dict[str, Any]) -> dict[str, Any]:
    return {"ptrdname": _name(record.get("ptrdname"), "ptrdname")}


def _srv(record: dict[str, Any]) -> dict[str, Any]:
    numbers = {key: _number(record.get(key), key, 0, 65535) for key in ("port", "priority", "weight")}
    return {**numbers, "target": _name(record.get("target"), "target")}


def _txt(record: dict[str, Any]) -> dict[str, Any]:
    values = record.get("value")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise bad_request("The value of 'txtRecords' is not valid: 'value' must be a list of strings.")
    if any(len(value) > MAX_TXT_VALUE for value in values) or sum(map(len, values)) > MAX_TXT_CHARACTERS:
        raise bad_request(
            f"A TXT record holds at most {MAX_TXT_CHARACTERS} characters, in strings of at most {MAX_TXT_VALUE}."
        )
    return {"value": values}


def _cname(record: dict[str, Any]) -> dict[str, Any]:
    return {"cname": _name(record.get("cname"), "cname")}


def _soa(record: dict[str, Any]) -> dict[str, Any]:
    merged = {**DEFAULT_SOA, **{key: value for key, value in record.items() if value is not None}}
    for key in ("expireTime", "minimumTtl", "refreshTime", "retryTime"):
        _number(merged[key], key, 0, MAX_TTL)
    # Host and serial number belong to the platform: what is sent for them is ignored.
    return {**merged, "host": DEFAULT_SOA["host"], "serialNumber": DEFAULT_SOA["serialNumber"]}


# type -> (property, whether it is a list, check of one record)
SHAPES: dict[str, tuple[str, bool, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "A": ("aRecords", True, _ipv4),
    "AAAA": ("aaaaRecords", True, _ipv6),
    "CNAME": ("cnameRecord", False, _cname),
    "MX": ("mxRecords", True, _mx),
    "PTR": ("ptrRecords", True, _ptr),
    "SOA": ("soaRecord", False, _soa),
    "SRV": ("srvRecords", True, _srv),
    "TXT": ("txtRecords", True, _txt),
}
PROPERTIES = {name.lower(): name for name, _, _ in SHAPES.values()}


def check_name(name: str, record_type: str) -> None:
    """Check that DNS can have a relative record set name. Raises ArmError 400."""
    if name == "@":
        if record_type == "CNAME":
            raise bad_request("A CNAME record set cannot be created at the zone apex.")
        return
    if len(name) > MAX_NAME or not all(_LABEL.match(label) for label in name.split(".")) or "*" in name[1:]:
        raise bad_request(f"The record set name '{name}' is not valid.")
    if record_type == "SOA":
        raise bad_request("An SOA record set can only be at the zone apex, '@'.")


def ttl_of(properties: Mapping[str, Any]) -> int:
    """Give the time to live, in seconds. Raises ArmError 400."""
    value = properties.get("ttl", properties.get("TTL"))
    if value is None:
        raise bad_request("The property 'ttl' is required.")
    return _number(value, "ttl", 0, MAX_TTL)


def metadata_of(properties: Mapping[str, Any]) -> dict[str, str] | None:
    """Give the metadata, None when absent. Raises ArmError 400."""
    metadata = properties.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise invalid_content("The request content was invalid: 'metadata' must map names to strings.")
    if len(metadata) > MAX_METADATA:
        raise bad_request(f"A record set can have at most {MAX_METADATA} metadata pairs.")
    return metadata


def records_of(record_type: str, properties: Mapping[str, Any]) -> Any:
    """Give the records in their wire form: a list, an object, or None for an empty CNAME. Raises ArmError 400."""
    key, many, check = SHAPES[record_type]
    given = {name.lower(): value for name, value in properties.items()}
    for other in given.keys() & PROPERTIES.keys():
        if PROPERTIES[other] != key and given[other]:
            raise bad_request(f"A record set of type {record_type} cannot have '{PROPERTIES[other]}'.")
    value = given.get(key.lower())
    if many:
        return _list(key, value, check)
    if value is None:
        return dict(DEFAULT_SOA) if record_type == "SOA" else None
    if not isinstance(value, dict):
        raise invalid_content(f"The request content was invalid: '{key}' must be an object.")
    return check(value)


def _list(key: str, value: Any, check: Callable[[dict[str, Any]], dict[str, Any]]) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise invalid_content(f"The request content was invalid: '{key}' must be a list of objects.")
    if len(value) > MAX_RECORDS:
        raise bad_request(f"The record set has {len(value)} records. A record set can have at most {MAX_RECORDS}.")
    records = [check(record) for record in value]
    if any(record in records[:index] for index, record in enumerate(records)):
        raise bad_request(f"The records of '{key}' are not unique.")
    return records
