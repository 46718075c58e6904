"""The pipeline: counted, repeated as advised, and never past the deadline."""

import threading

import pytest

from cloud.arm import Arm
from cloud.arm_pipeline import Patience
from cloud.container_groups import ContainerGroups
from cloud.credentials import FixedTokenCredential
from cloud.private_dns import PrivateDns
from core.arm_id import container_group_id
from core.errors import ConfigurationError, DeadlineError, ThrottledError, UnavailableError
from core.records import RecordSet, ZoneRef

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ZONE = ZoneRef(SUBSCRIPTION, "rg-dns", "corp.internal")
RECORD = {"name": "web", "type": "Microsoft.Network/privateDnsZones/A", "etag": "e1", "properties": {"ttl": 60}}
TOKEN = FixedTokenCredential("token", 4102444800)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self, left=float("inf")):
        self.left = left
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.left -= seconds


def make(scripted, clock, *, bounded=True, **patience):
    return Arm(TOKEN, endpoint=scripted.url, ca_bundle=scripted.ca, deadline=(lambda: clock.left) if bounded else None,
               patience=Patience(sleep=clock.sleep, **patience))  # fmt: skip


def test_a_throttled_call_waits_as_long_as_azure_advises_and_then_succeeds(scripted):
    scripted.reply(429, {"code": "Throttled", "message": "m"}, Retry_After="7")
    scripted.reply(200, RECORD)
    clock = Clock()
    arm = make(scripted, clock)
    assert PrivateDns(arm).get(ZONE, "A", "web").etag == "e1"
    assert clock.slept == [7.0]
    assert (arm.calls, arm.reads, arm.writes) == (2, 2, 0)


def test_advice_that_does_not_fit_the_deadline_is_not_waited_for_but_handed_on(scripted):
    scripted.reply(429, {"code": "Throttled", "message": "m"}, Retry_After="30")
    clock = Clock(left=29)
    with pytest.raises(ThrottledError) as caught:
        PrivateDns(make(scripted, clock)).get(ZONE, "A", "web")
    assert caught.value.retry_after_seconds == 30
    assert clock.slept == []
    assert len(scripted.seen) == 1


def test_without_a_deadline_very_long_advice_is_not_waited_for_either(scripted):
    scripted.reply(429, {"code": "Throttled", "message": "m"}, Retry_After="3600")
    clock = Clock()
    with pytest.raises(ThrottledError) as caught:
        PrivateDns(make(scripted, clock, bounded=False)).get(ZONE, "A", "web")
    assert (caught.value.retry_after_seconds, clock.slept) == (3600, [])


def test_nothing_is_sent_when_no_time_is_left(scripted):
    scripted.reply(200, RECORD)
    with pytest.raises(DeadlineError, match=r"GET /subscriptions/.*/privateDnsZones/corp.internal/A/web"):
        PrivateDns(make(scripted, Clock(left=0))).get(ZONE, "A", "web")
    assert scripted.seen == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_failures_that_may_pass_are_repeated_with_growing_jittered_waits(scripted, status):
    scripted.reply(status, {"code": "X", "message": "m"})
    clock = Clock()
    with pytest.raises((UnavailableError, ThrottledError)):
        PrivateDns(make(scripted, clock, attempts=4, first_wait_seconds=1.0)).get(ZONE, "A", "web")
    assert len(scripted.seen) == 4
    assert len(clock.slept) == 3
    for waited, full in zip(clock.slept, (1, 2, 4), strict=True):
        assert full / 2 <= waited <= full


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412])
def test_refusals_are_not_repeated(scripted, status):
    scripted.reply(status, {"code": "X", "message": "m"}, Retry_After="1")
    clock = Clock()
    with pytest.raises(Exception, match=str(status)):
        PrivateDns(make(scripted, clock)).get(ZONE, "A", "web")
    assert (len(scripted.seen), clock.slept) == (1, [])


def test_a_reset_connection_is_tried_again(scripted):
    scripted.reply(fault="reset")
    scripted.reply(200, RECORD)
    arm = make(scripted, Clock())
    assert PrivateDns(arm).get(ZONE, "A", "web").etag == "e1"
    assert arm.reads == 2


def test_a_write_whose_answer_was_lost_is_repeated_with_the_same_condition(scripted):
    scripted.reply(fault="reset")
    scripted.reply(201, RECORD)
    arm = make(scripted, Clock())
    PrivateDns(arm).put(RecordSet(ZONE, "A", "web", 60, ("10.0.0.4",)))
    assert [seen.headers["If-None-Match"] for seen in scripted.seen] == ["*", "*"]
    assert scripted.seen[0].body == scripted.seen[1].body
    assert (arm.reads, arm.writes) == (0, 2)


def test_the_read_timeout_shrinks_to_the_time_left(scripted):
    release = threading.Event()

    def never(_):
        release.wait(10)
        raise AssertionError

    scripted.decide(never)
    arm = Arm(TOKEN, endpoint=scripted.url, ca_bundle=scripted.ca, deadline=lambda: 0.3, patience=Patience(attempts=1))
    try:
        with pytest.raises(UnavailableError, match="timed out"):
            PrivateDns(arm).get(ZONE, "A", "web")
    finally:
        release.set()


def test_throttling_is_logged_with_what_and_how_long(scripted, caplog):
    scripted.reply(429, {"code": "Throttled", "message": "m"}, Retry_After="7")
    scripted.reply(200, RECORD)
    PrivateDns(make(scripted, Clock())).get(ZONE, "A", "web")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "cloud.arm_pipeline"]
    assert line.startswith(f"GET /subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dns/")
    assert line.endswith("/privateDnsZones/corp.internal/A/web: 429, attempt 1 of 4; waiting 7.0 s")


def test_requests_name_the_toolkit_and_carry_an_id_of_their_own(scripted):
    scripted.reply(200, RECORD)
    doors = PrivateDns(make(scripted, Clock()))
    doors.get(ZONE, "A", "web")
    doors.get(ZONE, "A", "web")
    first, second = scripted.seen
    assert first.headers["User-Agent"].startswith("aci-dns-truth/0.1.0")
    assert first.headers["x-ms-client-request-id"] != second.headers["x-ms-client-request-id"]


def test_a_missing_provider_registration_is_reported_and_not_repaired(scripted):
    scripted.reply(409, {"error": {"code": "MissingSubscriptionRegistration", "message": "m"}})
    with pytest.raises(Exception, match="MissingSubscriptionRegistration"):
        PrivateDns(make(scripted, Clock())).get(ZONE, "A", "web")
    assert [seen.method for seen in scripted.seen] == ["GET"]


def test_a_redirect_does_not_carry_the_token_elsewhere(scripted):
    scripted.reply(307, None, Location="https://127.0.0.1:1/elsewhere")
    with pytest.raises(UnavailableError):
        PrivateDns(make(scripted, Clock())).get(ZONE, "A", "web")
    assert len(scripted.seen) == 1


def test_views_count_for_themselves_and_share_the_connections(scripted):
    scripted.reply(200, RECORD)
    arm = make(scripted, Clock())
    one, two = arm.fork(), arm.fork()
    PrivateDns(one).get(ZONE, "A", "web")
    PrivateDns(two).get(ZONE, "A", "web")
    PrivateDns(two).get(ZONE, "A", "web")
    assert (arm.calls, one.calls, two.calls) == (0, 1, 2)
    assert one._wire.transport is two._wire.transport


def test_tokens_are_asked_for_the_endpoint_in_use():
    asked = []

    class Credential(FixedTokenCredential):
        def get_token(self, *scopes, **kwargs):
            asked.extend(scopes)
            return super().get_token(*scopes, **kwargs)

    assert Arm(Credential("t", 1), endpoint="https://management.azure.com/").token() == "t"
    assert asked == ["https://management.azure.com/.default"]


def test_a_ca_bundle_that_is_not_there_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
        Arm(TOKEN, ca_bundle=str(tmp_path / "none.pem"))


def test_both_clients_share_one_connection_pool(scripted):
    scripted.reply(200, RECORD)
    scripted.reply(404, {"error": {"code": "ResourceNotFound", "message": "m"}})
    arm = make(scripted, Clock())
    PrivateDns(arm).get(ZONE, "A", "web")
    ContainerGroups(arm).get(container_group_id(SUBSCRIPTION, "rg", "web"))
    assert arm.calls == 2
    arm.close()
