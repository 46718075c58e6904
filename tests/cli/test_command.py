"""The command as a process: exit codes, streams, start-up, and no stack trace for a person."""

import os
import subprocess
import sys

import pytest

from cli import config_check
from core.events import TOOL_VERSION


def test_the_version_is_printed_for_a_person_and_for_a_program(drift):
    assert drift("version").out == f"drift {TOOL_VERSION}\n"
    assert drift("version", "--json").json() == {"version": TOOL_VERSION}


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["config", "check"],
        ["reconcile"],
        ["track"],
        ["probe"],
        ["links"],
        ["events"],
        ["demo"],
        ["local-azure", "up"],
    ],
)
def test_every_help_lists_the_exit_codes(drift, command):
    text = " ".join(drift(*command, "--help").out.split())
    for part in ("0 done", "1 failure", "2 wrong usage", "64 bad input", "75 try again later", "78 bad configuration"):
        assert part in text


@pytest.mark.parametrize("arguments", [["nonsense"], ["reconcile"], ["config", "check", "--nonsense"]])
def test_wrong_usage_ends_with_2_and_says_how_to_get_help(drift, arguments):
    done = drift(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "--help" in done.err


def _broken(*_args, **_kwargs):
    raise RuntimeError("a defect")


def test_a_defect_is_one_readable_message(drift, monkeypatch):
    monkeypatch.setattr(config_check, "check", _broken)
    done = drift("config", "check")
    assert (done.code, done.out) == (1, "")
    assert "unexpected RuntimeError: a defect" in done.err
    assert "Traceback" not in done.err
    assert "drift --debug" in done.err


def test_debug_shows_the_stack_trace(drift, monkeypatch):
    monkeypatch.setattr(config_check, "check", _broken)
    assert "Traceback" in drift("--debug", "config", "check").err


def test_ctrl_c_ends_with_130_and_no_stack_trace(drift, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(config_check, "check", interrupted)
    done = drift("config", "check")
    assert (done.code, done.err) == (130, "interrupted\n")


@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}])
def test_what_goes_into_a_pipe_has_no_escape_codes(drift_process, colour):
    done = drift_process("config", "check", **colour)
    assert done.code == 78
    assert "\x1b" not in done.out + done.err


def test_a_reader_that_leaves_is_no_error(project_root):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cli", "version"],
        cwd=project_root,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=30,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(project_root, closed):
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m cli version --json {closed}', sys.executable],
        cwd=project_root,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_starting_up_loads_no_sdk_and_no_database(project_root):
    code = (
        "import sys; from cli.main import run; run(['config', 'check', '--json']);"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('azure', 'duckdb', 'requests', 'uvicorn', 'starlette', 'local_azure', 'dns', 'pandas')], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, check=False, timeout=30,
        env={"PATH": "/usr/bin:/bin", "DNS_ZONE_MAP": '{"rg": {"forward_zone": "a.b", "zones_resource_group": "x"}}'},
    )  # fmt: skip
    assert done.stderr.strip() == "[]"


def test_a_demo_that_cleans_up_cannot_keep_anything(drift):
    done = drift("demo", "--once", "--keep")
    assert (done.code, "--keep" in done.err) == (2, True)
