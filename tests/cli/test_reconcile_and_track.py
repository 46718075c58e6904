"""`drift reconcile` and `drift track` against the local Azure: nothing is written unless asked, and codes say why."""

import json
import zlib

import pytest

from core.events import FALLBACK_MARKER
from local_azure.faults import Fault, FaultRule


@pytest.fixture
def group(spoke, request):
    """Give a fresh container group's id and address, its name derived from the test's."""
    return spoke.create(f"g{zlib.crc32(request.node.name.encode())}")


def test_a_dry_run_shows_the_plan_and_writes_nothing(drift, spoke, group):
    id_, ip = group
    ended = []
    written = spoke.writes(lambda: ended.append(drift("reconcile", id_, **spoke.environment)))
    done = ended[0]
    assert (done.code, written) == (0, [])
    assert "2 changes planned; nothing was changed. Run it again with --apply" in done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert [line[1:3] for line in lines if line[1:2] == ["create"]] == [["create", "PTR"], ["create", "A"]]
    assert ip in done.out


def test_a_dry_run_gives_the_plan_as_json(drift, spoke, group):
    id_, ip = group
    shown = drift("reconcile", id_, "--json", **spoke.environment).json()
    assert (shown["applied"], shown["dry_run"], shown["exit_code"]) == (False, True, 0)
    assert [(item["action"], item["type"]) for item in shown["changes"]] == [("create", "PTR"), ("create", "A")]
    assert shown["changes"][1]["after"] == [ip]


def test_apply_makes_dns_right_records_the_event_and_then_finds_nothing_to_do(drift, spoke, group):
    id_, ip = group
    done = drift("reconcile", id_, "--apply", "--json", **spoke.environment)
    shown = done.json()
    assert (done.code, shown["event"]["EventType"], shown["event"]["NewIp"]) == (0, "reconcile_updated", ip)
    assert shown["table"] == {"recorded": True, "fell_back": 0}
    rows = drift("events", "--group", id_.rpartition("/")[2], "--json", **spoke.environment).json()
    assert [row["EventType"] for row in rows] == ["reconcile_updated"]
    again = drift("reconcile", id_, **spoke.environment)
    assert (again.code, "DNS is right: nothing to change." in again.out) == (0, True)


def test_apply_without_an_event_table_says_that_nothing_is_recorded(drift, spoke, group):
    environment = {name: value for name, value in spoke.environment.items() if not name.startswith("LOGS_")}
    done = drift("reconcile", group[0], "--apply", **environment)
    assert done.code == 0
    assert "DNS is right now." in done.out
    assert "not recorded: LOGS_INGESTION_ENDPOINT is not set" in done.out


def test_a_name_conflict_fails_with_its_cause_in_both_modes(drift, spoke, group):
    id_, _ = group
    drift("reconcile", id_, "--apply", **spoke.environment)
    second = spoke.create(id_.rpartition("/")[2], "rg-two")[0]
    entry = {"forward_zone": "aci.corp.internal", "zones_resource_group": "rg-dns"}
    environment = {**spoke.environment, "DNS_ZONE_MAP": json.dumps({"rg-one": entry, "rg-two": entry})}
    for flags in ([], ["--apply"]):
        done = drift("reconcile", second, *flags, **environment)
        assert done.code == 1
        assert "name_conflict: " in done.err
        assert "Traceback" not in done.err


def test_a_group_between_two_states_asks_to_try_again(drift, spoke, group):
    id_, _ = group
    spoke.azure.world.groups[id_.lower()].shown_ip = "0.0.0.0"
    for flags in ([], ["--apply"]):
        done = drift("reconcile", id_, *flags, **spoke.environment)
        assert done.code == 75
        assert "not_ready" in done.err


def test_an_outage_asks_to_try_again(drift, spoke, group):
    environment = {**spoke.environment, "ARM_ENDPOINT": "https://127.0.0.1:9", "RECONCILE_DEADLINE_SECONDS": "1"}
    done = drift("reconcile", group[0], **environment)
    assert done.code == 75
    assert "Traceback" not in done.err
    assert "\nerror: unavailable: " in "\n" + done.err


@pytest.mark.parametrize("command", ["reconcile", "track"])
@pytest.mark.parametrize(
    ("group_id", "expected"),
    [
        ("web", (64, "not the id of a resource")),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/x", (64, "not a container group")),
        (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/$x",
            (64, "not the"),
        ),
        (
            "/subscriptions/s/resourceGroups/rg-unknown/providers/Microsoft.ContainerInstance/containerGroups/x",
            (78, "resource group 'rg-unknown' is not in the zone map (configured: rg-one)"),
        ),
    ],
)
def test_an_id_that_cannot_be_used_is_refused_with_the_reason(drift, spoke, command, group_id, expected):
    code, says = expected
    done = drift(command, group_id, **spoke.environment)
    assert (done.code, says in done.err, done.out) == (code, True, "")


def test_an_error_is_json_too_where_json_is_asked_for(drift, spoke):
    done = drift("track", "web", "--json", **spoke.environment)
    assert (done.code, done.json()["error"]["code"], done.json()["exit_code"]) == (64, "bad_input", 64)


def test_track_says_what_it_sees_before_and_after_a_repair_and_writes_nothing(drift, spoke, group):
    id_, _ = group

    def verdict() -> tuple[str, list[str]]:
        shown = drift("track", id_, "--json", **spoke.environment).json()
        return shown["verdict"], shown["kinds"]

    seen = []
    assert spoke.writes(lambda: seen.append(verdict())) == []
    drift("reconcile", id_, "--apply", **spoke.environment)
    seen.append(verdict())
    spoke.azure.call(lambda: spoke.azure.world.groups[id_.lower()].__setattr__("ip", "10.1.0.200"))
    seen.append(verdict())
    assert seen == [
        ("first_seen", []),
        ("no_change", []),
        ("drift_detected", ["a_mismatch", "ptr_missing", "ptr_stale"]),
    ]


def test_track_shows_a_person_how_to_repair(drift, spoke, group):
    done = drift("track", group[0], **spoke.environment)
    assert done.code == 0
    assert "not in DNS yet" in done.out
    assert f"drift reconcile {group[0]} --apply" in done.out


def test_apply_says_when_the_table_did_not_take_the_event_and_does_not_lose_it(drift, spoke, group):
    rule = FaultRule(Fault("error", status=403, code="Forbidden", message="no role"), operation="ingestion*")
    spoke.azure.call(lambda: spoke.azure.world.faults.add(rule))
    done = drift("reconcile", group[0], "--apply", **spoke.environment)
    spoke.azure.call(spoke.azure.world.faults.clear)
    assert done.code == 0
    assert "not accepted by the event table" in done.out
    assert FALLBACK_MARKER in done.err
