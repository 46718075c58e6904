"""What ARM does before and after a provider: authentication, versions, routes, rates, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

ZONE = "Microsoft.Network/privateDnsZones/corp.internal"
RG = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers"
SETTLED = {"properties": {"ttl": 60}}


def events(azure: LocalAzure) -> list[tuple[str, str, str]]:
    """(operation name, outcome, last part of the resource's id) of every event so far."""
    found: list[Any] = azure.call(lambda: list(azure.world.events))  # type: ignore[call-overload]
    return [(event.operation_name, event.outcome, event.resource_id.rpartition("/")[2]) for event in found]


def test_no_bearer_is_401_with_a_challenge(arm: Any) -> None:
    del arm.session.headers["Authorization"]
    answer = arm("GET", ZONE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationFailed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


VERSIONS = [
    ("", 400, "MissingApiVersionParameter"),
    ("?api-version=yesterday", 400, "InvalidApiVersionParameter"),
    ("?api-version=2017-01-01", 400, "NoRegisteredProviderFound"),
    ("?api-version=2018-09-01", 404, "ResourceNotFound"),
    ("?api-version=2020-06-01", 404, "ResourceNotFound"),
    ("?API-Version=2024-06-01", 404, "ResourceNotFound"),
]


@pytest.mark.parametrize(("query", "status", "code"), VERSIONS)
def test_private_dns_knows_its_api_versions(arm: Any, query: str, status: int, code: str) -> None:
    answer = arm.session.get(f"{arm.base}{RG}/{ZONE}{query}", timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("version", ["2018-10-01", "2023-05-01", "2024-05-01-preview", "2024-11-01-preview"])
def test_container_instance_takes_any_dated_version(arm: Any, version: str) -> None:
    path = f"Microsoft.ContainerInstance/containerGroups?api-version={version}"
    assert arm("GET", path).json() == {"value": []}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "Microsoft.Network/unicorns/one", 404, "InvalidResourceType"),
        ("GET", "Microsoft.Unknown/things", 404, "InvalidResourceType"),
        ("GET", "/nowhere", 404, "NotFound"),
        ("POST", ZONE, 405, "MethodNotAllowed"),
    ],
)
def test_what_has_no_route_gets_arms_own_errors(arm: Any, method: str, path: str, status: int, code: str) -> None:
    answer = arm(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_body_that_is_not_json_is_refused(arm: Any) -> None:
    url = f"{arm.base}{RG}/{ZONE}?api-version=2024-06-01"
    for data in (b"{not json", b"[1]", b""):
        answer = arm.session.put(url, data=data, timeout=5)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_a_body_above_4_mb_is_refused(arm: Any) -> None:
    answer = arm("PUT", ZONE, {"location": "global", "tags": {"k": "x" * (4 << 20)}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "RequestContentTooLarge")
    assert arm("GET", ZONE).status_code == 404


def test_case_of_the_path_makes_no_difference(arm: Any) -> None:
    arm.zone()
    path = f"{RG}/{ZONE}"
    for spelling in (path.lower(), path.upper(), path.replace("resourceGroups", "resourcegroups")):
        assert arm("GET", spelling).json()["name"] == "corp.internal"


def test_private_dns_headers_count_down_as_recorded(arm: Any) -> None:
    name = "x-ms-ratelimit-remaining-subscription-resource-requests"
    accepted = arm("PUT", ZONE, {"location": "global"})
    assert accepted.headers[name] == "11999"
    assert [arm("GET", ZONE).headers[name] for _ in range(2)] == ["499", "498"]
    assert arm("GET", f"{ZONE}/ALL").headers["x-ms-ratelimit-remaining-subscription-resource-entities-read"] == "59999"


def test_container_writes_carry_their_two_windows(arm: Any) -> None:
    headers = arm("PUT", "Microsoft.ContainerInstance/containerGroups/web", arm.group_body()).headers
    prefix = "x-ms-ratelimit-remaining-subscription-"
    assert headers[f"{prefix}resource-requests-pt5m"] == "899"
    assert headers[f"{prefix}resource-requests-pt1h"] == "1799"
    assert headers[f"{prefix}writes"] == "1199"


def test_nobody_is_throttled_unless_throttling_is_on(arm: Any) -> None:
    arm.zone()
    assert {arm("GET", ZONE).status_code for _ in range(600)} == {200}


def test_throttling_empties_arms_bucket_and_refills_it(arm: Any, azure: LocalAzure) -> None:
    now = [0.0]
    rates = azure.world.rates
    clock, rates.clock = rates.clock, lambda: now[0]
    try:
        arm.zone()
        azure.call(rates.reset)
        azure.world.settings.throttling = True
        codes = [arm("GET", ZONE).status_code for _ in range(251)]
        assert codes == [200] * 250 + [429]
        refused = arm("GET", ZONE)
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["error"]["code"] == "SubscriptionRequestsThrottled"
        assert arm("PUT", f"{ZONE}/A/web", SETTLED).status_code == 201
        now[0] = 1.0
        assert [arm("GET", ZONE).status_code for _ in range(26)] == [200] * 25 + [429]
        for now[0] in (30.0, 60.0):
            later = [arm("GET", ZONE) for _ in range(249)]
        assert (later[0].status_code, later[-1].status_code) == (200, 429)
        assert later[-1].json() == {
            "code": "Throttled",
            "message": "Too many operations are requested. Current operation is throttled.",
        }
        assert later[-1].headers["Retry-After"] == "10"
    finally:
        rates.clock = clock


def test_writes_emit_an_event_and_reads_do_not(arm: Any, azure: LocalAzure) -> None:
    arm.zone()
    arm("PUT", f"{ZONE}/ptr/4", SETTLED)
    arm("PATCH", f"{ZONE}/PTR/4", SETTLED)
    arm("GET", f"{ZONE}/PTR/4")
    arm("DELETE", f"{ZONE}/PTR/4")
    arm("DELETE", f"{ZONE}/PTR/4")
    zones = "Microsoft.Network/privateDnsZones"
    assert events(azure) == [
        (f"{zones}/write", "Success", "corp.internal"),
        (f"{zones}/PTR/write", "Success", "4"),
        (f"{zones}/PTR/write", "Success", "4"),
        (f"{zones}/PTR/delete", "Success", "4"),
    ]


def test_an_operations_event_comes_at_its_end(arm: Any, azure: LocalAzure) -> None:
    azure.world.settings.provisioning_seconds = 0.1
    path = "Microsoft.ContainerInstance/containerGroups/web"
    answer = arm("PUT", path, arm.group_body())
    assert events(azure) == []
    arm.finished(answer)
    arm.finished(arm("POST", f"{path}/restart"))
    arm("POST", f"{path}/stop")
    arm.finished(arm("POST", f"{path}/start"))
    arm("POST", f"{path}/containers/app/attach")
    arm("DELETE", path)
    groups = "Microsoft.ContainerInstance/containerGroups"
    assert [name.removeprefix(groups) for name, _, _ in events(azure)] == [
        "/write",
        "/restart/action",
        "/stop/action",
        "/start/action",
        "/delete",
    ]
    assert {outcome for _, outcome, _ in events(azure)} == {"Success"}
    assert {resource for _, _, resource in events(azure)} == {"web"}


def test_an_event_tells_who_did_what_and_when(arm: Any, azure: LocalAzure) -> None:
    arm.zone()
    arm("PUT", f"{ZONE}/A/web", SETTLED, x_ms_client_request_id="mine", x_ms_correlation_request_id="chain")
    event = azure.call(lambda: azure.world.events[-1])  # type: ignore[index]
    assert (event.method, event.kind) == ("PUT", "Write")
    assert (event.client_request_id, event.correlation_id) == ("mine", "chain")
    assert event.url.endswith("/A/web?api-version=2024-06-01")
    assert event.subscription_id == "00000000-0000-0000-0000-000000000001"
    assert event.claims["appid"] == "local"


def test_failed_writes_emit_failures(arm: Any, azure: LocalAzure) -> None:
    arm.zone()
    arm("PUT", f"{ZONE}/A/web", SETTLED, If_Match="stale")
    arm.finished(arm("PUT", ZONE, {"location": "global"}, If_None_Match="*"))
    assert [outcome for _, outcome, _ in events(azure)] == ["Success", "Failure", "Failure"]


def test_the_role_hook_sees_action_and_scope_and_can_refuse(arm: Any, azure: LocalAzure) -> None:
    asked: list[tuple[str, str]] = []

    def authorize(principal: Any, action: str, scope: str) -> bool:
        asked.append((action, scope.rpartition("/")[2]))
        return not action.endswith("/write")

    arm.zone()
    azure.world.authorize = authorize
    refused = arm("PUT", f"{ZONE}/A/web", SETTLED)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert arm("GET", f"{ZONE}/A").status_code == 200
    assert asked == [
        ("Microsoft.Network/privateDnsZones/A/write", "web"),
        ("Microsoft.Network/privateDnsZones/A/read", "corp.internal"),
    ]
