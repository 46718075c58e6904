"""`drift probe` against the resolvers of a local Azure: what is wrong, why, what to do, and the exit code."""

import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from cli.probe import exit_code
from cli.probe_wishes import checked_fail_on
from local_azure.fleet import Fleet
from local_azure.peers.nobody import closed_endpoint
from local_azure.server import LocalAzure

FORWARD, REVERSE = "aci.corp.internal", "1.10.in-addr.arpa"
ZONE_MAP = json.dumps(
    {
        "rg-one": {
            "forward_zone": FORWARD,
            "reverse_zones": [REVERSE],
            "zones_resource_group": "rg-dns",
            "zones_subscription_id": "00000000-0000-0000-0000-000000000001",
        }
    }
)


@pytest.fixture(scope="module")
def net():
    """Two networks see the forward zone, `near` alone the reverse zone; web is right, `orphan` has no PTR."""
    with LocalAzure.start(provisioning_seconds=0.0) as azure:
        fleet = Fleet(azure)
        near, far = fleet.vnet("vnet-near", "10.1.0.0/24"), fleet.vnet("vnet-far", "10.2.0.0/24")
        fleet.zone(FORWARD, near, far)
        fleet.zone(REVERSE, near)
        ip = fleet.create("rg-one", "web", near)
        fleet.put_record(FORWARD, "A", "web", ip)
        fleet.put_record(REVERSE, "PTR", ".".join(reversed(ip.split(".")[2:])), f"web.{FORWARD}")
        fleet.put_record(FORWARD, "A", "orphan", "10.1.0.77")
        known = {id_.lower(): at for id_, at in fleet.control("GET", "dns")["resolvers"].items()}
        resolvers = {vnet: known[vnet.lower()].replace(":", "#") for vnet in (near, far)}
        offline = {"DNS_ZONE_MAP": ZONE_MAP}
        yield SimpleNamespace(
            fleet=fleet, near=near, far=far, ip=ip, resolvers=resolvers, offline=offline,
            online={**azure.environment(), **offline}, requests=lambda: azure.world.requests.total,
            rows=lambda: azure.call(lambda: list(azure.world.logs.engine.query("AciDnsEvents_CL"))),
        )  # fmt: skip


@pytest.fixture
def probe(net, drift, tmp_path):
    """Give `probe(vnet, *options, targets=…, env=…)`: the command with these targets, without an Azure to ask."""

    def call(vnet, *options, targets=None, env=net.offline):
        file = tmp_path / "targets"
        file.write_text(targets if targets is not None else f"web.{FORWARD} {net.ip}\n", encoding="utf-8")
        here = ("--vnet", vnet, "--resolver", net.resolvers[vnet], "--targets", str(file))
        return drift("probe", *here, "--confirm-seconds", "0.05", *options, **env)

    return call


def test_where_all_is_right_it_says_so_first_and_ends_with_0(net, probe):
    done = probe(net.near)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"all 1 right from rg-net/vnet-near at {net.resolvers[net.near]}"


def test_an_unlinked_reverse_zone_is_named_with_its_fix_in_that_network_alone_and_without_asking_azure(net, probe):
    before = net.requests()
    done = probe(net.far)
    assert net.requests() == before
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("1 of 1 wrong from rg-net/vnet-far")
    assert "reverse_zone_unlinked" in done.out
    assert f"{REVERSE} is not linked to rg-net/vnet-far" in done.out
    assert (
        "→ az network private-dns link vnet create --subscription 00000000-0000-0000-0000-000000000001 "
        f"--resource-group rg-dns --zone-name {REVERSE} --name to-vnet-far --virtual-network {net.far}"
    ) in done.out


def test_a_command_to_copy_is_one_line_however_narrow_the_terminal(net, probe):
    lines = probe(net.far, env={**net.offline, "COLUMNS": "40"}).out.splitlines()
    (fix,) = [line for line in lines if "→" in line]
    assert fix.startswith("  → az network private-dns link vnet create")
    assert fix.endswith("--registration-enabled false")
    assert max(len(line) for line in lines if line is not fix) <= 40


def test_a_sentence_in_a_pipe_is_not_filled_up_with_blanks(net, probe):
    lines = probe(net.far).out.splitlines()
    (sentence,) = [line for line in lines if "is not linked to" in line]
    assert (sentence[:3], sentence[-1]) == ("  t", "t")


def test_a_missing_ptr_is_told_apart_from_an_unlinked_zone(net, probe):
    target = f"orphan.{FORWARD} 10.1.0.77"
    verdicts = {vnet: probe(vnet, "--json", targets=target).json()["results"][0]["verdict"]
                for vnet in (net.near, net.far)}  # fmt: skip
    assert verdicts == {net.near: "ptr_missing", net.far: "reverse_zone_unlinked"}


def test_what_is_wrong_stands_before_what_is_right_and_one_line_repairs_several(net, probe):
    lines = [f"web.{FORWARD} {net.ip}", f"orphan.{FORWARD} 10.1.0.77", f"web.{FORWARD} 10.1.0.99"]
    out = probe(net.near, targets="\n".join(lines)).out.splitlines()
    verdicts = [line.split()[0] for line in out[4:7]]
    assert (out[0].split(" from")[0], sorted(verdicts[:2]), verdicts[2]) == (
        "2 of 3 wrong", ["a_mismatch", "ptr_missing"], "ok",
    )  # fmt: skip
    far = probe(net.far, targets="\n".join(lines[:2])).out
    assert (far.count("→"), far.count("reverse_zone_unlinked")) == (1, 4)  # two rows, one paragraph, one count


def test_a_failure_counts_after_a_second_look(net, probe):
    first, second = (probe(net.far, *options, "--json").json()["results"][0] for options in ((), ("--no-confirm",)))
    assert first["confirmed_after_seconds"] == 0.05
    assert "confirmation" not in second


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 1),
        (("--fail-on", "any"), 1),
        (("--fail-on", "never"), 0),
        (("--fail-on", "a_mismatch,ptr_missing"), 0),
        (("--fail-on", "a_mismatch", "--fail-on", "reverse_zone_unlinked"), 1),
    ],
)
def test_the_caller_decides_which_verdicts_count(net, probe, options, code):
    done = probe(net.far, *options)
    assert (done.code, "reverse_zone_unlinked" in done.out) == (code, True)


@pytest.mark.parametrize(
    "options",
    [
        ("--fail-on", "nonsense"),
        ("--fail-on", "never,ok"),
        ("--resolver", "dns.corp.internal"),
        ("--vnet", "vnet-near"),
        ("--vnet", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateDnsZones/z"),
        ("--targets", "/does/not/exist"),
        ("--targets", "-", "--from", "live"),
        ("--format", "xml"),
        ("--format", "junit", "--json"),
        ("--watch", "--format", "prometheus"),
        ("--timeout", "0"),
    ],
)
def test_wrong_usage_is_2_and_names_the_option(drift, options):
    done = drift("probe", *options)
    assert (done.code, done.out) == (2, "")
    assert f"'{options[0]}'" in done.err or options[0] in done.err or "--json" in done.err


@pytest.mark.parametrize("targets", ["[]", "# none yet\n"])
def test_no_target_is_2(net, probe, targets):
    done = probe(net.near, targets=targets)
    assert (done.code, done.out.startswith("nothing was asked")) == (2, True)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_empty_list_of_targets_is_2_and_never_taken_for_all_is_right(net, probe, options):
    done = probe(net.near, *options, targets=" \n")
    assert (done.code, "is empty" in done.err, "--json" not in options or done.json()["exit_code"] == 2) == (
        2,
        True,
        True,
    )


def test_a_bad_target_is_named_with_its_line_the_others_are_asked_and_the_code_is_2(net, probe):
    done = probe(net.near, targets=f"web.{FORWARD} {net.ip}\nweb.{FORWARD}\n")
    assert done.code == 2
    assert "all 1 right" in done.out
    assert "not asked for: " in done.out
    assert "targets line 2: a name and an address are expected" in done.out


def test_wrong_dns_wins_over_a_bad_target(net, probe):
    assert probe(net.far, targets=f"web.{FORWARD} {net.ip}\nnonsense\n").code == 1


def test_a_resolver_that_is_not_there_is_2(net, drift, tmp_path):
    nobody = closed_endpoint()
    file = tmp_path / "targets"
    file.write_text(f"web.{FORWARD} {net.ip}", encoding="utf-8")
    done = drift("probe", "--targets", str(file), "--resolver", f"{nobody.host}#{nobody.port}", "--timeout", "0.05",
                 "--no-confirm", **net.offline)  # fmt: skip
    assert (done.code, done.out.startswith("nobody answers at")) == (2, True)


def test_without_a_zone_map_live_targets_are_a_bad_configuration(drift):
    done = drift("probe", "--json")
    assert (done.code, done.json()["error"]["reasons"][0]["path"]) == (78, "DNS_ZONE_MAP")


def test_given_targets_that_say_their_zones_need_no_zone_map(net, drift, drift_process):
    target = f"web.{FORWARD} {net.ip} forward_zone={FORWARD} reverse_zone={REVERSE}"
    done = drift("probe", "--resolver", net.resolvers[net.near], PROBE_TARGETS=target)
    assert (done.code, done.err) == (0, "")


def test_live_targets_are_checked_against_azure_and_the_rows_are_recorded(net, drift):
    options = ("--vnet", net.far, "--resolver", net.resolvers[net.far], "--no-confirm")
    done = drift("probe", "--from", "live", "--json", *options, **net.online)
    (result,) = done.json()["results"]
    assert (done.code, result["verdict"], result["cross_check"]["hop"]) == (1, "reverse_zone_unlinked", "link")
    rows = [row for row in net.rows() if row["CorrelationId"] == done.json()["run_id"]]
    assert sorted(row["EventType"] for row in rows) == ["probe_completed", "probe_failed"]
    assert {row["Vantage"] for row in rows} == {net.far}
    count = len(net.rows())
    assert drift("probe", "--no-record", *options, **net.online).code == 1
    assert len(net.rows()) == count


def test_the_records_of_the_zone_can_be_the_targets(net, drift):
    options = ("--from", "dns", "--resolver", net.resolvers[net.near], "--no-confirm", "--no-record", "--json")
    results = drift("probe", *options, **net.online).json()["results"]
    verdicts = {result["target"]["fqdn"].partition(".")[0]: result["verdict"] for result in results}
    assert verdicts == {"web": "ok", "orphan": "ptr_missing"}


def test_watching_prints_a_line_for_each_run_until_it_is_stopped(net, project_root):
    target = f"web.{FORWARD} {net.ip}"
    command = [sys.executable, "-m", "cli", "probe", "--watch", "--every", "0.1", "--json", "--resolver",
               net.resolvers[net.near]]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=project_root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PATH": "/usr/bin:/bin", "PROBE_TARGETS": target, **net.offline},
    )  # fmt: skip
    try:
        runs = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert [run["exit_code"] for run in runs] == [0, 0]
    assert runs[0]["run_id"] != runs[1]["run_id"]
    assert (process.returncode, err) == (143, "")


def test_nobody_answering_at_all_counts_only_if_anything_does():
    report = SimpleNamespace(results=(), bad_targets=(), failing=())
    assert exit_code(report, checked_fail_on(["any"])) == 2
