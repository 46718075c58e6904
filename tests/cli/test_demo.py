"""The demo as a whole: it ends as it must, it fails when it does not, and it leaves nothing behind."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.demo import script, world
from cli.demo.acts import ACTS, create
from cli.demo.alarm import MAY_FIRE
from cli.demo.azure import DemoError, wait_for
from cli.demo.processes import Children
from cli.demo.script import Wishes, demo, workplace
from cli.demo.told import Act, Told

pytestmark = pytest.mark.timeout(170)  # some 20 s on an idle machine; ten processes on a busy one take their time


@pytest.fixture(scope="module")
def played():
    """Play it once for all tests of this module."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--once", "--json"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=160,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_the_demo_ends_as_it_must_and_says_so_in_json_alone(played):
    code, report, err = played
    assert [check for check in report["checks"] if not check["ok"]] == []
    assert [act for act in report["acts"] if not act["ok"]] == []
    assert (code, report["ok"], err) == (0, True, "")


def test_every_act_is_played_in_its_order(played):
    assert [act["act"] for act in played[1]["acts"]] == [act.name for act in ACTS]


def test_what_drifted_was_repaired_except_the_conflict_which_says_why(played):
    acts = {act["act"]: act for act in played[1]["acts"]}
    assert [name for name, act in acts.items() if act["repaired_by"] is None] == ["name conflict"]
    assert all(act["repair_seconds"] > 0 for name, act in acts.items() if name != "name conflict")
    (wrong,) = played[1]["still_wrong"]
    assert "belongs to another live container group" in wrong["why"]


def test_the_probe_tells_an_unlinked_zone_and_a_missing_ptr_apart_and_leaves_its_rows(played):
    notes = {act["act"]: act["note"] for act in played[1]["acts"]}
    assert "reverse_zone_unlinked → az network private-dns link vnet create" in notes["unlinked zone"]
    assert "in every network alike: ptr_missing" in notes["deleted PTR"]
    rows = {item["type"]: item["rows"] for item in played[1]["events"] if item["component"] == "probe"}
    assert (rows["probe_failed"], rows["probe_completed"]) == (3, 3)
    assert rows["probe_ok"] > 0


def test_the_alerts_that_must_fire_do_with_their_dimensions_and_resolve_after_the_repair(played):
    fired = [
        (alert["rule"], alert["dimensions"].get("ContainerGroup") or alert["dimensions"]["Zone"],
         alert["resolved_after_minutes"] is not None)
        for alert in played[1]["alerts"]["fired"] if alert["rule"] not in MAY_FIRE
    ]  # fmt: skip
    assert fired == [
        ("drift-not-repaired", "web", True),
        ("drift-not-repaired", "api", True),
        ("reverse-zone-unlinked", "1.10.in-addr.arpa", True),
        ("drift-not-repaired", "web", True),
        ("name-conflict", "web", False),
    ]


def test_silence_after_the_end_is_heard_of_every_heartbeat(played):
    silent = {(alert["rule"], alert["dimensions"]["Component"]) for alert in played[1]["alerts"]["fired_on_silence"]}
    assert silent == {("heartbeat-missing", name) for name in ("reconciler", "tracker", "probe", "audit")}


def test_throttling_really_happened(played):
    assert played[1]["arm_calls"]["throttled"] == 3


def test_a_final_state_that_is_wrong_fails_the_demo(capsys):
    def spoil(stage):
        path = f"{world.zone_id(world.FORWARD_ZONE)}/A/web"
        stage.azure.do("PUT", path, world.DNS_API, world.address_record("10.9.9.9"))
        return Told("spoils web", "", "", "", 0.0, "web", "")

    code = demo(Wishes(once=True, json=True), [Act("creation", create), Act("sabotage", spoil)])
    report = json.loads(capsys.readouterr().out)
    assert (code, report["ok"]) == (1, False)
    assert "vnet-one: A web.aci.corp.internal" in [check["name"] for check in report["checks"] if not check["ok"]]


def test_an_act_that_waits_in_vain_says_for_what_and_fails_the_demo(capsys):
    def wait_in_vain(_stage):
        return wait_for("a miracle", lambda: None, 0.1)

    code = demo(Wishes(once=True), [Act("miracle", wait_in_vain)])
    out = capsys.readouterr().out
    assert code == 1
    assert "waited 0.1 s for this, and it did not happen: a miracle" in out
    assert "NOT as it must be" in out


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the children in /proc")
@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, (130, b"interrupted\n")), (signal.SIGTERM, (143, b"")), (signal.SIGHUP, (129, b""))],
)
def test_an_interrupted_demo_leaves_no_process_behind(project_root, until, tmp_path, number, expected):
    # Whoever runs the tests in the background (nohup, a shell's &) may ignore signals, which a child would inherit.
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler); signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import signal, sys; {heard}; from cli.main import run; sys.exit(run(['demo', '--fast']))",
        ],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(project_root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    ends = time.monotonic() + 60
    while len(pids := children.read_text().split()) < 2:
        assert time.monotonic() < ends
        time.sleep(0.05)
    process.send_signal(number)
    assert (process.wait(30), process.communicate()[1]) == expected
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_a_child_that_dies_is_reported_with_its_last_words(tmp_path):
    with Children(tmp_path) as children, pytest.raises(DemoError, match=r"(?s)ended with code 2 .*--app"):
        children.start("functions", ["local_azure.functions_host"], {})


def test_two_demos_at_once_have_two_folders_and_a_later_one_an_empty_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with workplace(lasting=True) as first, workplace(lasting=True) as second:
        (first / "left").touch()
        assert (str(first), str(second)) == (".local-azure/demo", ".local-azure/demo-2")
    with workplace(lasting=True) as again:
        assert (str(again), list(again.iterdir())) == (".local-azure/demo", [])


def test_the_environment_file_is_the_owners_alone(tmp_path):
    script._write_environment(tmp_path / "demo.env", {"DNS_ZONE_MAP": '{"a b": 1}'})
    assert (tmp_path / "demo.env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "demo.env").read_text() == "export DNS_ZONE_MAP='{\"a b\": 1}'\n"
