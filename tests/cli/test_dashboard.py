"""`drift dashboard` and `drift workbook render`: what they open, what they write, and what they refuse."""

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import requests

from cli.dashboard import hosts_of
from cli.workbook_source import stamp
from core.events import Component, Event, EventType
from kql import tables
from kql.duckdb_engine import connect

WORKBOOK = """{"version": "Notebook/1.0", "items": [
 {"type": 9, "name": "p", "content": {"version": "KqlParameterItem/1.0", "parameters": [
  {"name": "TimeRange", "type": 4, "isRequired": true, "value": {"durationMs": 3600000}},
  {"name": "Kind", "type": 1, "value": ""}]}},
 {"type": 3, "name": "q", "content": {"version": "KqlItem/1.0", "queryType": 0, "timeContextFromParameter": "TimeRange",
  "query": "AciDnsEvents() | where EventType == '{Kind}' or '{Kind}' == '' | project EventType, ContainerGroup"}}]}"""


@pytest.fixture
def data(tmp_path):
    """Give a file with one event, long ago."""
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    event = Event(Component.TRACKER, EventType.NO_CHANGE, moment, "e", {"ContainerGroup": "web"})
    path = tmp_path / "rows.duckdb"
    with connect(path) as connection:
        tables.append(connection, tables.EVENTS, [event.to_row()], received=moment)
    return path


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "try it.workbook"
    path.write_text(WORKBOOK)
    return path


def render(drift, *more):
    return drift("workbook", "render", *map(str, more))


def test_the_page_is_written_with_the_rows_of_the_file(drift, data, book, tmp_path):
    out = tmp_path / "page.html"
    ended = render(drift, book, "--data", data, "--out", out)
    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"page\.html: 2 items, 0 badges, 0\.\d MB", ended.out)
    assert ">web</td>" in out.read_text()
    assert "as of 2026-03-01 12:01 UTC" in out.read_text()


def test_parameters_and_time_are_chosen(drift, data, book, tmp_path):
    out = tmp_path / "page.html"
    render(drift, book, "--data", data, "--out", out, "--param", "Kind=probe_ok", "--last", "7d")
    page = out.read_text()
    assert "The query returned no rows." in page
    assert "<dd>Last 7 days</dd>" in page
    assert "<dd>probe_ok</dd>" in page


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--param", "Nope=1"], "this workbook has Kind, TimeRange"),
        (["--param", "Kind"], "write name=value"),
        (["--param", "TimeRange=soon"], "write a time range"),
        (["--last", "soon"], "write 4h, 24h or 7d"),
        (["--out", "no/such/folder/p.html"], "there is no folder"),
        (["--data", "nope.duckdb"], "there is no such file"),
    ],
)
def test_what_cannot_be_understood_is_refused_and_nothing_is_written(drift, data, book, options, words):
    folder = book.parent
    out = [] if "--out" in options else ["--out", str(folder / "page.html")]
    source = [] if "--data" in options else ["--data", str(data)]
    ended = render(drift, book, *source, *out, *options)
    assert ended.code == 64
    assert words in " ".join(ended.err.split())
    assert not list(folder.glob("*.html"))


def test_a_workbook_that_is_not_there_is_told_with_those_that_are(drift, data):
    ended = render(drift, "nope", "--data", data)
    assert ended.code == 64
    assert "there are fleet, container-group, reverse-dns, pipeline" in " ".join(ended.err.split())


def test_an_item_that_could_not_be_answered_is_a_failure_with_a_page(drift, data, book, tmp_path):
    book.write_text(WORKBOOK.replace("| project", "| projct"))
    out = tmp_path / "page.html"
    ended = render(drift, book, "--data", data, "--out", out)
    assert ended.code == 1
    assert "not answered" in ended.err
    assert out.exists()


def test_the_dashboard_says_where_it_is_and_ends_at_ctrl_c(project_root, data, book):
    command = [sys.executable, "-m", "cli", "dashboard", "--data", str(data), "--workbook", str(book)]
    process = subprocess.Popen(command, cwd=project_root, stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
        assert "History until 2026-03-01 12:01 UTC" in process.stdout.readline()
        assert requests.get(address, timeout=10).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(15) in {0, 130}
    finally:
        process.kill()
        process.wait(5)
        process.stdout.close()


def test_a_port_that_is_taken_is_told(drift, data, book):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = drift("dashboard", "--data", str(data), "--workbook", str(book), "--port", port)
    assert ended.code == 64
    assert "choose another --port" in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("127.0.0.1", {"127.0.0.1:80", "localhost:80", "[::1]:80"}),
        ("Box", {"127.0.0.1:80", "localhost:80", "[::1]:80", "box:80"}),
    ],
)
def test_it_is_served_under_this_machines_names_and_the_one_that_was_named(host, served):
    assert hosts_of(host, 80) == served


def test_a_file_that_changes_has_another_stamp(tmp_path):
    file = tmp_path / "a.parquet"
    file.write_bytes(b"1")
    before = [stamp(path) for path in (file, tmp_path, tmp_path / "*.parquet")]
    os.utime(file, ns=(1, 1))
    assert all(one != stamp(path) for one, path in zip(before, (file, tmp_path, tmp_path / "*.parquet"), strict=True))
    assert stamp(tmp_path / "none") == ()
