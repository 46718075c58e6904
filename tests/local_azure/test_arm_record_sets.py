"""Record sets as Azure's private DNS answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local_azure.world import RecordSet

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

A = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
SAMPLES: list[tuple[str, str, Any]] = [
    ("A", "aRecords", [{"ipv4Address": "10.0.0.4"}]),
    ("AAAA", "aaaaRecords", [{"ipv6Address": "fd00::4"}]),
    ("CNAME", "cnameRecord", {"cname": "web.corp.internal"}),
    ("MX", "mxRecords", [{"exchange": "mail.corp.internal", "preference": 10}]),
    ("PTR", "ptrRecords", [{"ptrdname": "web.corp.internal"}]),
    ("SRV", "srvRecords", [{"port": 80, "priority": 1, "target": "web.corp.internal", "weight": 5}]),
    ("TXT", "txtRecords", [{"value": ["one", "two"]}]),
]


@pytest.mark.parametrize(("kind", "key", "records"), SAMPLES)
def test_each_type_is_created_read_and_deleted(arm: Any, kind: str, key: str, records: Any) -> None:
    path = f"{arm.zone()}/{kind.lower()}/web"
    created = arm("PUT", path, {"properties": {"ttl": 60, key: records}})
    assert created.status_code == 201
    body = created.json()
    assert body["type"] == f"Microsoft.Network/privateDnsZones/{kind}"
    assert body["id"].endswith(f"/privateDnsZones/corp.internal/{kind}/web")
    assert body["properties"] == {"fqdn": "web.corp.internal.", "ttl": 60, key: records, "isAutoRegistered": False}
    assert created.headers["ETag"] == body["etag"]
    assert arm("GET", path).json() == body
    assert arm("DELETE", path).status_code == 200
    assert arm("GET", path).json()["code"] == "NotFound"
    assert arm("DELETE", path).status_code == 204


def test_slashes_are_escaped_as_recorded(arm: Any) -> None:
    text = arm("PUT", f"{arm.zone()}/A/web", A).text
    assert '"type":"Microsoft.Network\\/privateDnsZones\\/A"' in text
    assert "/" not in text.replace("\\/", "")


def test_every_put_has_another_etag_and_the_second_answers_200(arm: Any) -> None:
    path = f"{arm.zone()}/A/web"
    first, second = arm("PUT", path, A), arm("PUT", path, A)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["etag"] != second.json()["etag"]


@pytest.mark.parametrize("quoted", [False, True])
def test_if_match_is_taken_bare_and_quoted(arm: Any, quoted: bool) -> None:
    path = f"{arm.zone()}/A/web"
    etag = arm("PUT", path, A).json()["etag"]
    sent = f'"{etag}"' if quoted else etag
    assert arm("PUT", path, A, If_Match=sent).status_code == 200
    stale = arm("PUT", path, A, If_Match=sent)
    assert stale.status_code == 412
    assert stale.json() == {
        "code": "PreconditionFailed",
        "message": "The Record set web has been modified (etag mismatch).",
    }


def test_a_header_beats_the_etag_of_the_body(arm: Any) -> None:
    path = f"{arm.zone()}/A/web"
    etag = arm("PUT", path, A).json()["etag"]
    assert arm("PUT", path, {**A, "etag": "stale"}).status_code == 412
    assert arm("PUT", path, {**A, "etag": "stale"}, If_Match=etag).status_code == 200


def test_if_none_match_star_refuses_what_exists(arm: Any) -> None:
    path = f"{arm.zone()}/A/web"
    assert arm("PUT", path, A, If_None_Match="*").status_code == 201
    again = arm("PUT", path, A, If_None_Match="*")
    assert again.status_code == 412
    assert "exists already and hence cannot be created again" in again.json()["message"]


def test_if_match_star_needs_something_there(arm: Any) -> None:
    path = f"{arm.zone()}/A/web"
    assert arm("PUT", path, A, If_Match="*").status_code == 412
    arm("PUT", path, A)
    assert arm("PUT", path, A, If_Match="*").status_code == 200


def test_delete_with_a_stale_etag_deletes_nothing(arm: Any) -> None:
    path = f"{arm.zone()}/A/web"
    arm("PUT", path, A)
    assert arm("DELETE", path, If_Match="stale").status_code == 412
    assert arm("GET", path).status_code == 200


def test_names_are_compared_without_case_and_keep_their_first_spelling(arm: Any) -> None:
    zone = arm.zone()
    arm("PUT", f"{zone}/A/Web", A)
    assert arm("PUT", f"{zone}/a/WEB", A).status_code == 200
    assert arm("GET", f"{zone.upper()}/A/web").json()["name"] == "Web"


def test_patch_keeps_what_it_does_not_name(arm: Any) -> None:
    path = f"{arm.zone()}/A/web"
    arm("PUT", path, A)
    body = arm("PATCH", path, {"properties": {"metadata": {"managed-by": "me"}}}).json()
    assert body["properties"]["aRecords"] == [{"ipv4Address": "10.0.0.4"}]
    assert body["properties"]["metadata"] == {"managed-by": "me"}
    assert body["properties"]["ttl"] == 300


def test_an_empty_set_is_legal_and_an_empty_cname_has_no_record(arm: Any) -> None:
    zone = arm.zone()
    assert arm("PUT", f"{zone}/A/web", {"properties": {"ttl": 0}}).json()["properties"]["aRecords"] == []
    assert "cnameRecord" not in arm("PUT", f"{zone}/CNAME/www", {"properties": {"ttl": 0}}).json()["properties"]


def test_a_new_zone_has_its_soa_which_cannot_be_deleted(arm: Any) -> None:
    zone = arm.zone()
    soa = arm("GET", f"{zone}/SOA/@").json()
    assert soa["properties"]["fqdn"] == "corp.internal."
    assert soa["properties"]["soaRecord"] == {
        "email": "azureprivatedns-host.microsoft.com",
        "expireTime": 2419200,
        "host": "azureprivatedns.net",
        "minimumTtl": 10,
        "refreshTime": 3600,
        "retryTime": 300,
        "serialNumber": 1,
    }
    assert arm("DELETE", f"{zone}/SOA/@").status_code == 400


REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("no ttl", "A/web", {"aRecords": []}, 400, "BadRequest"),
    ("a negative ttl", "A/web", {"ttl": -1}, 400, "BadRequest"),
    ("a ttl above 31 bits", "A/web", {"ttl": 2**31}, 400, "BadRequest"),
    ("a ttl that is text", "A/web", {"ttl": "60"}, 400, "BadRequest"),
    ("no address", "A/web", {"ttl": 1, "aRecords": [{"ipv4Address": "10.0.0"}]}, 400, "BadRequest"),
    ("IPv6 in A", "A/web", {"ttl": 1, "aRecords": [{"ipv4Address": "::1"}]}, 400, "BadRequest"),
    ("IPv4 in AAAA", "AAAA/web", {"ttl": 1, "aaaaRecords": [{"ipv6Address": "10.0.0.1"}]}, 400, "BadRequest"),
    ("another type's records", "A/web", {"ttl": 1, "ptrRecords": [{"ptrdname": "x"}]}, 400, "BadRequest"),
    ("no list", "A/web", {"ttl": 1, "aRecords": {}}, 400, "InvalidRequestContent"),
    ("the same record twice", "A/web", {"ttl": 1, "aRecords": [{"ipv4Address": "10.0.0.1"}] * 2}, 400, "BadRequest"),
    (
        "21 records",
        "A/web",
        {"ttl": 1, "aRecords": [{"ipv4Address": f"10.0.0.{n}"} for n in range(21)]},
        400,
        "BadRequest",
    ),
    ("a long TXT string", "TXT/web", {"ttl": 1, "txtRecords": [{"value": ["x" * 256]}]}, 400, "BadRequest"),
    ("an SRV port", "SRV/web", {"ttl": 1, "srvRecords": [{"port": 65536}]}, 400, "BadRequest"),
    ("a bad name", "A/we b", {"ttl": 1}, 400, "BadRequest"),
    ("a label of 64", f"A/{'x' * 64}", {"ttl": 1}, 400, "BadRequest"),
    ("a star inside", "A/a.*", {"ttl": 1}, 400, "BadRequest"),
    ("a CNAME at the apex", "CNAME/@", {"ttl": 1}, 400, "BadRequest"),
    ("an SOA elsewhere", "SOA/web", {"ttl": 1}, 400, "BadRequest"),
    ("metadata of numbers", "A/web", {"ttl": 1, "metadata": {"n": 1}}, 400, "InvalidRequestContent"),
    ("metadata of 11", "A/web", {"ttl": 1, "metadata": {str(n): "" for n in range(11)}}, 400, "BadRequest"),
    ("an unknown type", "NS/web", {"ttl": 1}, 404, "InvalidResourceType"),
]


@pytest.mark.parametrize(
    ("path", "properties", "status", "code"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_bad_record_sets_are_refused(arm: Any, path: str, properties: dict[str, Any], status: int, code: str) -> None:
    answer = arm("PUT", f"{arm.zone()}/{path}", {"properties": properties})
    body = answer.json()
    assert (answer.status_code, body.get("error", body)["code"]) == (status, code)
    assert arm("GET", f"{arm.zone()}/ALL").json()["value"][1:] == []


def test_cname_and_another_type_cannot_share_a_name(arm: Any) -> None:
    zone = arm.zone()
    arm("PUT", f"{zone}/A/web", A)
    arm("PUT", f"{zone}/CNAME/www", {"properties": {"ttl": 1, "cnameRecord": {"cname": "web"}}})
    assert arm("PUT", f"{zone}/CNAME/web", {"properties": {"ttl": 1}}).status_code == 409
    assert arm("PUT", f"{zone}/A/www", A).json()["code"] == "Conflict"


def test_a_zone_holds_at_most_25000_record_sets(arm: Any, azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = arm.zone()
    monkeypatch.setattr("local_azure.arm.private_dns_records.MAX_RECORD_SETS", 2)
    assert arm("PUT", f"{zone}/A/one", A).status_code == 201
    assert arm("PUT", f"{zone}/A/two", A).status_code == 400
    assert arm("PUT", f"{zone}/A/one", A).status_code == 200


@pytest.mark.parametrize(
    ("method", "below", "kind", "verb"),
    [
        ("GET", "A/web", "A", "read"),
        ("GET", "A", "A", "read"),
        ("GET", "ALL", "ALL", "read"),
        ("GET", "virtualNetworkLinks", "virtualNetworkLinks", "read"),
        ("PUT", "A/web", "A", "write"),
        ("PATCH", "A/web", "A", "write"),
        ("DELETE", "A/web", "A", "delete"),
    ],
)
def test_a_missing_zone_is_the_front_doors_404(arm: Any, method: str, below: str, kind: str, verb: str) -> None:
    answer = arm(method, f"Microsoft.Network/privateDnsZones/no.zone/{below}", A if verb == "write" else None)
    assert (answer.status_code, answer.headers["x-ms-failure-cause"]) == (404, "gateway")
    error = answer.json()["error"]
    assert error["code"] == "ParentResourceNotFound"
    assert error["message"].startswith(f"Failed to perform '{verb}' on resource(s) of type 'privateDnsZones/{kind}',")
    assert error["message"].endswith("/privateDnsZones/no.zone' could not be found.")


def fill(azure: LocalAzure, count: int) -> None:
    def put() -> None:
        zone = next(iter(azure.world.zones.values()))
        for number in range(count):
            records = {"aRecords": [{"ipv4Address": "10.0.0.4"}]}
            zone.record_sets[("A", f"h{number:05}")] = RecordSet("A", f"h{number:05}", 1, records, "e")

    azure.call(put)


def pages(arm: Any, path: str) -> list[list[str]]:
    found, answer = [], arm("GET", path).json()
    while True:
        found.append([item["name"] for item in answer["value"]])
        if "nextLink" not in answer:
            return found
        assert answer["nextLink"].startswith(arm.base)
        answer = arm.session.get(answer["nextLink"], timeout=10).json()


def test_a_list_goes_by_pages_of_100_in_order_without_loss(arm: Any, azure: LocalAzure) -> None:
    zone = arm.zone()
    fill(azure, 250)
    got = pages(arm, f"{zone}/ALL")
    assert [len(page) for page in got] == [100, 100, 51]
    assert [name for page in got for name in page] == ["@", *(f"h{number:05}" for number in range(250))]


def test_top_and_suffix_and_type_narrow_a_list(arm: Any, azure: LocalAzure) -> None:
    zone = arm.zone()
    for name in ("web.eu", "db.eu", "eu", "web.us"):
        arm("PUT", f"{zone}/A/{name}", A)
    arm("PUT", f"{zone}/PTR/ptr.eu", {"properties": {"ttl": 1}})
    assert pages(arm, f"{zone}/A?$top=1&$recordsetnamesuffix=EU") == [["db.eu"], ["web.eu"]]
    assert pages(arm, f"{zone}/aLL?$recordsetnamesuffix=eu") == [["db.eu", "ptr.eu", "web.eu"]]
    assert pages(arm, f"{zone}/ptr") == [["ptr.eu"]]
    assert arm("GET", f"{zone}/A?$top=0").status_code == 400


def test_a_page_follows_although_its_predecessors_last_was_deleted(arm: Any, azure: LocalAzure) -> None:
    zone = arm.zone()
    fill(azure, 4)
    first = arm("GET", f"{zone}/A?$top=2").json()
    arm("DELETE", f"{zone}/A/h00001")
    second = arm.session.get(first["nextLink"], timeout=10).json()
    assert [item["name"] for item in second["value"]] == ["h00002", "h00003"]
