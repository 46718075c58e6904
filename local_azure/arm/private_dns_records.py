"""Record sets: synchronous, with etags, conditions and paging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from local_azure.arm import record_values as values
from local_azure.arm.call import ArmError, Call, Reply, dns_error, parent_not_found
from local_azure.world import PrivateZone, RecordSet

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RECORD_SETS = 25_000
PAGE = 100
MAX_PAGE = 1000


def zone_of(call: Call) -> PrivateZone:
    """Give the zone a record set belongs to. Raises ArmError 404 as the front door does."""
    zone = call.world.zones.get(call.path.id_of(1).lower())
    if zone is None:
        raise parent_not_found(call)
    return zone


def wire(zone: PrivateZone, record_set: RecordSet) -> dict[str, Any]:
    """Give a record set as Azure answers it; an empty CNAME has no cnameRecord."""
    kind, name = record_set.type, record_set.name
    key, many, _ = values.SHAPES[kind]
    properties: dict[str, Any] = {}
    if record_set.properties.get("metadata") is not None:
        properties["metadata"] = record_set.properties["metadata"]
    properties["fqdn"] = f"{zone.name}." if name == "@" else f"{name}.{zone.name}."
    properties["ttl"] = record_set.ttl
    records = record_set.properties.get(key)
    if records is not None or many:
        properties[key] = records or []
    properties["isAutoRegistered"] = bool(record_set.properties.get("isAutoRegistered"))
    return {
        "id": f"{zone.id}/{kind}/{name}",
        "name": name,
        "type": f"Microsoft.Network/privateDnsZones/{kind}",
        "etag": record_set.etag,
        "properties": properties,
    }


def bare(etag: str) -> str:
    """Give an etag without the quotes that some clients put around it and some do not."""
    return etag.strip().removeprefix("W/").strip('"')


def check_conditions(
    headers: Mapping[str, str], body: Any, etag: str | None, modified: ArmError, exists: ArmError
) -> None:
    """Check If-None-Match and If-Match (a header beats the body's etag) against the etag of what exists, or None."""
    none_match = headers.get("if-none-match")
    if none_match is not None and etag is not None and (none_match == "*" or bare(none_match) == bare(etag)):
        raise exists
    match = headers.get("if-match")
    if match is None and isinstance(body, dict) and isinstance(body.get("etag"), str):
        match = body["etag"]
    if not match:
        return
    if match == "*":
        if etag is None:
            raise modified
    elif etag is None or bare(match) != bare(etag):
        raise modified


def _check(call: Call, existing: RecordSet | None) -> None:
    name = call.path.name
    check_conditions(
        call.headers,
        call.body,
        existing.etag if existing else None,
        dns_error(412, "PreconditionFailed", f"The Record set {name} has been modified (etag mismatch)."),
        dns_error(
            412, "PreconditionFailed", f"The Record set {name} exists already and hence cannot be created again."
        ),
    )


def _missing(call: Call) -> ArmError:
    path = call.path
    return dns_error(
        404,
        "NotFound",
        f"The resource record '{path.name}' does not exist in resource group '{path.resource_group}' of "
        f"subscription '{path.subscription}'.",
    )


def _key(call: Call) -> tuple[str, str]:
    return call.path.types[-1].upper(), call.path.name.lower()


def _answer(status: int, zone: PrivateZone, record_set: RecordSet) -> Reply:
    return Reply(status, wire(zone, record_set), {"ETag": record_set.etag}, escaped=True)


def get(call: Call) -> Reply:
    """Answer GET."""
    zone = zone_of(call)
    record_set = zone.record_sets.get(_key(call))
    if record_set is None:
        raise _missing(call)
    return _answer(200, zone, record_set)


def put(call: Call) -> Reply:
    """Answer PUT: 201 or 200."""
    zone, (kind, key) = zone_of(call), _key(call)
    existing = zone.record_sets.get((kind, key))
    properties = call.section("properties")
    _check(call, existing)
    values.check_name(call.path.name, kind)
    fresh = RecordSet(kind, existing.name if existing else call.path.name, values.ttl_of(properties), {}, "")
    _fill(fresh, properties)
    _check_room(zone, fresh, existing)
    return _store(call, zone, fresh, 200 if existing else 201)


def patch(call: Call) -> Reply:
    """Answer PATCH: what is not named stays."""
    zone = zone_of(call)
    existing = zone.record_sets.get(_key(call))
    if existing is None:
        raise _missing(call)
    properties = call.section("properties")
    _check(call, existing)
    key = values.SHAPES[existing.type][0]
    merged = {"metadata": existing.properties.get("metadata"), key: existing.properties.get(key), **properties}
    fresh = RecordSet(existing.type, existing.name, values.ttl_of({"ttl": existing.ttl, **properties}), {}, "")
    _fill(fresh, merged)
    return _store(call, zone, fresh, 200)


def delete(call: Call) -> Reply:
    """Answer DELETE: 200, or 204 when there was none."""
    zone, key = zone_of(call), _key(call)
    existing = zone.record_sets.get(key)
    _check(call, existing)
    if key[0] == "SOA":
        raise values.bad_request("The SOA record set of a zone cannot be deleted.")
    if existing is None:
        return Reply(204, emits=False)
    del zone.record_sets[key]
    call.world.changed()
    return Reply(200)


def _fill(record_set: RecordSet, properties: Mapping[str, Any]) -> None:
    records = values.records_of(record_set.type, properties)
    if records is not None:
        record_set.properties[values.SHAPES[record_set.type][0]] = records
    metadata = values.metadata_of(properties)
    if metadata is not None:
        record_set.properties["metadata"] = metadata


def _check_room(zone: PrivateZone, fresh: RecordSet, existing: RecordSet | None) -> None:
    if existing is not None:
        return
    if len(zone.record_sets) >= MAX_RECORD_SETS:
        raise values.bad_request(f"The zone '{zone.name}' has reached its limit of {MAX_RECORD_SETS} record sets.")
    name = fresh.name.lower()
    others = [kind for kind in values.SHAPES if kind != "CNAME"] if fresh.type == "CNAME" else ["CNAME"]
    if any((kind, name) in zone.record_sets for kind in others):
        what = "another record set" if fresh.type == "CNAME" else "a CNAME record"
        raise dns_error(
            409,
            "Conflict",
            f"The record could not be created because {what} with the same name already exists in this zone.",
        )


def _store(call: Call, zone: PrivateZone, record_set: RecordSet, status: int) -> Reply:
    record_set.etag = call.world.new_uuid()
    zone.record_sets[(record_set.type, record_set.name.lower())] = record_set
    call.world.changed()
    return _answer(status, zone, record_set)


def page_size(call: Call) -> int:
    """$top, 100 when absent. Raises ArmError 400."""
    text = call.query.get("$top")
    if text is None:
        return PAGE
    if not text.isdigit() or int(text) < 1:
        raise values.bad_request(f"The value '{text}' of '$top' is not valid. It must be a positive number.")
    return min(int(text), MAX_PAGE)


def next_link(call: Call, token: str) -> str:
    """Give the absolute URL of the next page: this request with another $skipToken."""
    kept = {key: value for key, value in call.query.items() if key != "$skiptoken"}
    query = "&".join(f"{key}={quote(value)}" for key, value in kept.items())
    return f"{call.base}{call.path.raw}?{query}&$skipToken={quote(token)}"


def listing(call: Call) -> Reply:
    """GET of a type or of ALL, by pages, optionally only the names below $recordsetnamesuffix."""
    zone, size = zone_of(call), page_size(call)
    kind = call.path.types[-1].upper()
    suffix = call.query.get("$recordsetnamesuffix", "").lower()
    keys = [
        key
        for key in zone.record_sets.ordered()
        if (kind == "ALL" or key[0] == kind) and (not suffix or key[1].endswith(f".{suffix}"))
    ]
    start = _position(keys, call.query.get("$skiptoken", ""))
    body: dict[str, Any] = {"value": [wire(zone, zone.record_sets[key]) for key in keys[start : start + size]]}
    if start + size < len(keys):
        last = keys[start + size - 1]
        body["nextLink"] = next_link(call, f"{last[0]}:{last[1]}")
    return Reply(200, body, escaped=True)


def _position(keys: list[tuple[str, str]], token: str) -> int:
    """Give the index after the record set a token names, or where it would be if it was deleted meanwhile."""
    if not token:
        return 0
    kind, _, name = unquote(token).partition(":")
    after = (name != "@", name, kind)
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        key = keys[middle]
        if (key[1] != "@", key[1], key[0]) <= after:
            low = middle + 1
        else:
            high = middle
    return low
