"""Record sets, zones and links over the wire: conditions, pages, and which 404 means what."""

import json

import pytest

from cloud.arm import Arm
from cloud.arm_pipeline import Patience
from cloud.credentials import FixedTokenCredential
from cloud.private_dns import PrivateDns
from core.errors import ForbiddenError, NotFoundError, PreconditionFailedError, UnavailableError, ZoneMissingError
from core.links import VirtualNetworkLink
from core.records import RecordSet, ZoneRef

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ZONE = ZoneRef(SUBSCRIPTION, "rg-dns", "corp.internal")
PATH = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones/corp.internal"
RECORD_MISSING = {"code": "NotFound", "message": "The resource record 'web' does not exist in resource group 'rg-dns'."}
ZONE_MISSING = [
    {
        "error": {
            "code": "ResourceNotFound",
            "message": "The Resource 'Microsoft.Network/privateDnsZones/x' was not found.",
        }
    },
    {"error": {"code": "ParentResourceNotFound", "message": "the parent resource could not be found."}},
    {"error": {"code": "ResourceGroupNotFound", "message": "Resource group 'rg-dns' could not be found."}},
    {"error": {"code": "SubscriptionNotFound", "message": "The subscription could not be found."}},
]


def doors(scripted):
    return PrivateDns(Arm(FixedTokenCredential("t", 4102444800), endpoint=scripted.url, ca_bundle=scripted.ca,
                          patience=Patience(attempts=1)))  # fmt: skip


def wire(record_type="A", name="web", **properties):
    return {"id": f"{PATH}/{record_type}/{name}", "name": name, "etag": "37c84e55-8fd1",
            "type": f"Microsoft.Network/privateDnsZones/{record_type}",
            "properties": {"fqdn": f"{name}.corp.internal.", "ttl": 60, **properties}}  # fmt: skip


@pytest.mark.parametrize(
    ("record_type", "properties", "values"),
    [
        ("A", {"aRecords": [{"ipv4Address": "10.0.0.5"}, {"ipv4Address": "10.0.0.4"}]}, ("10.0.0.5", "10.0.0.4")),
        ("AAAA", {"aaaaRecords": [{"ipv6Address": "FD00:0:0::0004"}]}, ("fd00::4",)),
        ("PTR", {"ptrRecords": [{"ptrdname": "Web.Corp.Internal."}]}, ("web.corp.internal",)),
        ("PTR", {"ptrRecords": []}, ()),
        ("PTR", {}, ()),
        ("A", {"aRecords": [{"ipv4Address": "not an address"}]}, ("not an address",)),
    ],
)
def test_a_record_set_is_read_with_normalised_values_and_its_etag(scripted, record_type, properties, values):
    scripted.reply(200, wire(record_type, "Web", **properties))
    assert doors(scripted).get(ZONE, record_type, "web") == RecordSet(
        ZONE, record_type, "web", 60, values, {}, "37c84e55-8fd1"
    )


def test_metadata_is_read_and_null_metadata_is_none_at_all(scripted):
    scripted.reply(200, wire(metadata={"managed-by": "x"}))
    scripted.reply(200, wire(metadata=None))
    reader = doors(scripted)
    assert reader.get(ZONE, "A", "web").metadata == {"managed-by": "x"}
    assert reader.get(ZONE, "A", "web").metadata == {}


def test_slashes_that_azure_escapes_are_read(scripted):
    scripted.reply(200, json.dumps(wire()).replace("/", "\\/").encode())
    assert doors(scripted).get(ZONE, "A", "web").name == "web"


def test_a_missing_record_set_is_none(scripted):
    scripted.reply(404, RECORD_MISSING)
    assert doors(scripted).get(ZONE, "A", "web") is None


def calls(reader):
    record_set = RecordSet(ZONE, "A", "web", 60, ("10.0.0.4",), {}, "e")
    return {
        "get": lambda: reader.get(ZONE, "A", "web"),
        "put": lambda: reader.put(record_set),
        "delete": lambda: reader.delete(record_set),
        "list": lambda: list(reader.list(ZONE)),
        "list of a type": lambda: list(reader.list(ZONE, "PTR")),
        "links": lambda: reader.links(ZONE),
    }


@pytest.mark.parametrize("call", calls(None))
@pytest.mark.parametrize("body", ZONE_MISSING, ids=lambda body: body["error"]["code"])
def test_a_missing_zone_is_an_error_that_names_it(scripted, call, body):
    scripted.reply(404, body)
    with pytest.raises(ZoneMissingError, match=r"'corp.internal' was not found in resource group 'rg-dns'"):
        calls(doors(scripted))[call]()


@pytest.mark.parametrize("call", calls(None))
@pytest.mark.parametrize(
    "body", [b"", b"<html>not here</html>", b'{"error":{"code":"InvalidResourceType","message":"m"}}']
)
def test_any_other_404_is_an_error_and_never_emptiness(scripted, call, body):
    scripted.reply(404, body)
    with pytest.raises(NotFoundError):
        calls(doors(scripted))[call]()


@pytest.mark.parametrize("call", ["list", "list of a type", "links", "put"])
def test_the_providers_own_404_is_no_emptiness_where_no_record_set_was_read(scripted, call):
    scripted.reply(404, RECORD_MISSING)
    with pytest.raises(NotFoundError):
        calls(doors(scripted))[call]()


def test_a_new_record_set_is_written_only_where_there_is_none(scripted):
    scripted.reply(201, wire("PTR", "4.0.0", ptrRecords=[{"ptrdname": "web.corp.internal"}]))
    written = doors(scripted).put(RecordSet(ZONE, "PTR", "4.0.0", 60, ("web.corp.internal",), {"a": "b"}))
    (seen,) = scripted.seen
    assert (seen.method, seen.path.split("?")[0]) == ("PUT", f"{PATH}/PTR/4.0.0")
    assert (seen.headers["If-None-Match"], "If-Match" in seen.headers) == ("*", False)
    assert json.loads(seen.body) == {
        "properties": {"ttl": 60, "metadata": {"a": "b"}, "ptrRecords": [{"ptrdname": "web.corp.internal"}]}
    }
    assert written.etag == "37c84e55-8fd1"


@pytest.mark.parametrize(
    ("record_type", "value", "properties"),
    [
        ("A", "10.0.0.4", {"aRecords": [{"ipv4Address": "10.0.0.4"}]}),
        ("AAAA", "fd00::4", {"aaaaRecords": [{"ipv6Address": "fd00::4"}]}),
    ],
)
def test_an_address_record_set_is_written_over_exactly_what_was_read(scripted, record_type, value, properties):
    scripted.reply(200, wire(record_type, **properties))
    doors(scripted).put(RecordSet(ZONE, record_type, "web", 60, (value,), {}, "abc"))
    (seen,) = scripted.seen
    assert (seen.headers["If-Match"], "If-None-Match" in seen.headers) == ('"abc"', False)
    assert json.loads(seen.body)["properties"] == {"ttl": 60, "metadata": {}, **properties}


@pytest.mark.parametrize("etag", [None, "abc"])
def test_a_write_over_something_else_is_a_failed_precondition(scripted, etag):
    scripted.reply(412, {"code": "PreconditionFailed", "message": "m"})
    with pytest.raises(PreconditionFailedError):
        doors(scripted).put(RecordSet(ZONE, "A", "web", 60, ("10.0.0.4",), {}, etag))


def test_a_record_set_is_deleted_only_as_it_was_read(scripted):
    scripted.reply(200)
    doors(scripted).delete(RecordSet(ZONE, "A", "web", 60, (), {}, "abc"))
    assert (scripted.seen[0].method, scripted.seen[0].headers["If-Match"]) == ("DELETE", '"abc"')


def test_a_deletion_that_fails_on_its_condition_is_an_error_while_the_record_set_is_there(scripted):
    scripted.reply(412, {"code": "PreconditionFailed", "message": "m"})
    scripted.reply(200, wire())
    with pytest.raises(PreconditionFailedError):
        doors(scripted).delete(RecordSet(ZONE, "A", "web", 60, (), {}, "abc"))


def test_a_deletion_that_fails_on_its_condition_is_done_when_the_record_set_is_gone(scripted):
    scripted.reply(412, {"code": "PreconditionFailed", "message": "m"})
    scripted.reply(404, RECORD_MISSING)
    doors(scripted).delete(RecordSet(ZONE, "A", "web", 60, (), {}, "abc"))


@pytest.mark.parametrize("answer", [(204, None), (404, RECORD_MISSING)])
def test_deleting_what_is_gone_already_is_fine(scripted, answer):
    scripted.reply(*answer)
    doors(scripted).delete(RecordSet(ZONE, "A", "web", 60, (), {}, "abc"))


def test_deleting_without_an_etag_is_refused_before_anything_is_sent(scripted):
    with pytest.raises(ValueError, match="etag"):
        doors(scripted).delete(RecordSet(ZONE, "A", "web", 60, ()))
    assert scripted.seen == []


def test_a_zone_is_listed_over_all_pages_without_other_types(scripted):
    scripted.reply(
        200, {"value": [wire("SOA", "@"), wire("TXT", "t"), wire("A", "a")], "nextLink": f"{scripted.url}/2?p=2"}
    )
    scripted.reply(200, {"value": [], "nextLink": f"{scripted.url}/3?p=3"})
    scripted.reply(200, {"value": [wire("ptr", "p"), wire("AAAA", "b"), wire("CNAME", "c")]})
    found = [(record.type, record.name) for record in doors(scripted).list(ZONE)]
    assert found == [("A", "a"), ("PTR", "p"), ("AAAA", "b")]
    assert len(scripted.seen) == 3


def test_the_largest_pages_that_azure_gives_are_asked_for(scripted):
    scripted.reply(200, {"value": []})
    list(doors(scripted).list(ZONE, "PTR"))
    assert "$top=1000" in scripted.seen[0].path


def test_the_token_is_not_sent_to_another_place_for_the_next_page(scripted):
    scripted.reply(200, {"value": [wire("A", "a")], "nextLink": "https://elsewhere.example/2"})
    with pytest.raises(UnavailableError, match="at another place"):
        list(doors(scripted).list(ZONE))
    assert len(scripted.seen) == 1


def test_pages_are_read_as_they_are_needed(scripted):
    scripted.reply(200, {"value": [wire("A", "a")], "nextLink": f"{scripted.url}/2"})
    next(doors(scripted).list(ZONE))
    assert len(scripted.seen) == 1


def test_a_page_that_fails_fails_the_list(scripted):
    scripted.reply(200, {"value": [wire("A", "a")], "nextLink": f"{scripted.url}/2"})
    scripted.reply(403, {"error": {"code": "AuthorizationFailed", "message": "m"}})
    with pytest.raises(ForbiddenError):
        list(doors(scripted).list(ZONE))


def test_zones_are_listed_over_all_pages_with_their_resource_groups(scripted):
    def zone(group, name):
        identity = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones/{name}"
        )
        return {"id": identity, "name": name, "properties": {}}

    scripted.reply(200, {"value": [zone("rg-one", "Corp.Internal")], "nextLink": f"{scripted.url}/2"})
    scripted.reply(200, {"value": [zone("rg-two", "10.in-addr.arpa")]})
    assert doors(scripted).zones(SUBSCRIPTION) == [
        ZoneRef(SUBSCRIPTION, "rg-one", "corp.internal"),
        ZoneRef(SUBSCRIPTION, "rg-two", "10.in-addr.arpa"),
    ]


def test_links_are_listed_with_what_they_say(scripted):
    vnet = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v"
    full = {"registrationEnabled": True, "virtualNetwork": {"id": vnet}, "virtualNetworkLinkState": "InProgress",
            "resolutionPolicy": "NxDomainRedirect"}  # fmt: skip
    scripted.reply(200, {"value": [{"name": "one", "properties": full}], "nextLink": f"{scripted.url}/2"})
    scripted.reply(200, {"value": [{"name": "two", "properties": {"virtualNetwork": {"id": vnet}}}]})
    one, two = doors(scripted).links(ZONE)
    assert one == VirtualNetworkLink("one", vnet, True, "InProgress", "NxDomainRedirect")
    assert (one.is_complete, two) == (False, VirtualNetworkLink("two", vnet, False, "", "Default"))


@pytest.mark.parametrize("call", [name for name in calls(None) if name != "delete"])
@pytest.mark.parametrize("body", [[], "text", 7, {"properties": "x", "value": ["x"]}, {"value": [{"properties": []}]}])
def test_an_answer_of_another_shape_is_no_answer(scripted, call, body):
    scripted.reply(200, body)
    with pytest.raises(UnavailableError, match="could not be read"):
        calls(doors(scripted))[call]()


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}])
@pytest.mark.parametrize("call", ["list", "list of a type", "links", "zones"])
def test_a_page_without_a_list_is_not_an_empty_list(scripted, call, body):
    scripted.reply(200, body)
    reader = doors(scripted)
    with pytest.raises(UnavailableError, match="could not be read"):
        {**calls(reader), "zones": lambda: reader.zones(SUBSCRIPTION)}[call]()


@pytest.mark.parametrize("missing", ["name", "etag"])
def test_a_record_set_without_its_name_or_etag_is_no_answer(scripted, missing):
    scripted.reply(200, {**wire(), missing: None})
    with pytest.raises(UnavailableError, match="without its name, etag or TTL"):
        doors(scripted).get(ZONE, "A", "web")
