import csv
import io
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
import uvicorn

from kql.engine import QueryError, ResultColumn, ResultTable
from workbooks.asking import Answers
from workbooks.dashboard.app import Dashboard
from workbooks.dashboard.export import to_csv
from workbooks.dashboard.shelf import Shelf, load, page_url, shipped, title_of
from workbooks.dashboard.source import Feed, Source
from workbooks.layout import anchor_of, layout_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Engine:
    def __init__(self):
        self.asked, self.stopped = [], []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, kql, timespan, now, stop):
        self.asked.append(kql)
        gone = threading.Event()
        with stop.interrupts(gone.set):
            while not self.gate.wait(0.005):
                if gone.is_set():
                    self.stopped.append(kql)
                    raise QueryError("timeout", "stopped")
        if kql == "bad":
            raise QueryError("semantic", "no such table")
        columns = (ResultColumn("K", "string"), ResultColumn("V", "long"))
        return ResultTable(columns, (("=1+1", 3), (kql, 4)))


@pytest.fixture(scope="module")
def books(make):
    zone = make.parameters({"name": "Zone", "type": 1, "value": "z"})
    folded = {
        "version": "NotebookGroup/1.0",
        "items": [make.query("folded", name="f")],
        "expandable": True,
        "title": "More",
    }
    return {
        "fleet": make.workbook(
            zone, make.query("T '{Zone}'", name="grid one"), {"type": 12, "name": "g", "content": folded}
        ),
        "bad": make.workbook(make.query("bad", name="bad")),
    }


class Client:
    """A dashboard that is served on loopback, and who asks it."""

    def __init__(self, shelf, engine):
        self.engine = engine
        self.feed = Feed(lambda: Source("rows", Answers(engine, kept_seconds=0.0), NOW))
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.dashboard = Dashboard(shelf, self.feed, frozenset({self.host}))
        settings = {"lifespan": "off", "log_level": "critical", "timeout_graceful_shutdown": 1}
        self.server = uvicorn.Server(uvicorn.Config(self.dashboard.app(), **settings))
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)
        self.thread.start()
        self.session = requests.Session()

    def request(self, method, path, **more):
        return self.session.request(method, f"http://{self.host}{path}", timeout=20, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def close(self):
        self.session.close()
        self.engine.gate.set()
        self.server.should_exit = True
        self.thread.join(10)
        self.feed.close()
        self.socket.close()


@pytest.fixture(scope="module")
def served(books):
    client = Client(Shelf({name: layout_of(book) for name, book in books.items()}), Engine())
    yield client
    client.close()


@pytest.fixture
def engine(served):
    served.engine.asked.clear()
    served.engine.stopped.clear()
    yield served.engine
    served.engine.gate.set()


@pytest.fixture
def client(served, engine):
    return served


def lines(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def html(client, url, path):
    return next(one["html"] for one in lines(client, url) if one.get("id") == anchor_of(path))


def test_the_front_leads_to_the_first_workbook(client):
    answer = client.get("/", allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/w/fleet")


def test_without_a_workbook_the_front_says_so():
    client = Client(Shelf(), Engine())
    answer = client.get("/", headers={"accept": "text/html"})
    client.close()
    assert answer.status_code == 404
    assert "There is no workbook to show." in answer.text


def test_a_page_has_its_places_and_asks_nothing(client, engine, soup):
    tree = soup(client.get("/w/fleet").text)
    assert [one["data-path"] for one in tree.select("[data-item]")] == [
        "$.items[0]",
        "$.items[1]",
        "$.items[2].content.items[0]",
    ]
    assert [(one.text, one.get("aria-current")) for one in tree.select(".books a")] == [
        ("Fleet", "page"),
        ("Bad", None),
    ]
    assert engine.asked == []


def test_every_item_comes_in_a_line_of_its_own_and_then_the_end(client):
    found = lines(client, "/w/fleet/items")
    assert sorted(one["id"] for one in found[:-1]) == sorted(anchor_of(f"$.items[{n}]") for n in (0, 1, 2))
    assert found[-1] == {
        "done": True, "at": "2026-03-01T12:00:00+00:00",
        "note": "history until 2026-03-01 12:00 UTC: relative times end there",
    }  # fmt: skip


def test_the_address_chooses_parameters(client, engine):
    assert "T &#x27;x&#x27;" in html(client, "/w/fleet/items?Zone=x", "$.items[1]")
    assert engine.asked == ["T 'x'"]


@pytest.mark.parametrize(
    "value",
    ["' | take 1 //", "'; T | take 1; '", "\\' or true //", "x' union T '", "\u2028", "`", "{Zone}", "\\", "'''"],
)
def test_no_value_of_an_address_changes_a_query(client, engine, value):
    client.get("/w/fleet/items", params={"Zone": value})
    for kql in engine.asked:
        inside = kql.removeprefix("T '").removesuffix("'")
        assert kql == f"T '{inside}'"
        assert "'" not in inside.replace("\\\\", "").replace("\\'", "")


def test_what_an_address_names_beside_parameters_is_nothing(client, engine):
    client.get("/w/fleet/items?query=drop&T=x&.open=%3Cscript%3E&Zone~9=a")
    assert engine.asked == ["T 'z'"]


def test_a_group_that_is_opened_in_the_address_is_asked(client, engine):
    opened = anchor_of("$.items[2]")
    found = lines(client, f"/w/fleet/items?.open={opened}")
    assert anchor_of("$.items[2].content.items[0]") in [one.get("id") for one in found]
    assert "folded" in engine.asked


def test_links_of_a_page_keep_what_is_chosen_and_opened(client, soup):
    opened = anchor_of("$.items[2]")
    drawn = soup(html(client, f"/w/fleet/items?Zone=x&.open={opened}", "$.items[1]"))
    assert drawn.select_one("a[download]")["href"] == f"/w/fleet/csv/{anchor_of('$.items[1]')}?Zone=x&.open={opened}"


def test_an_error_of_one_item_is_a_card(client):
    assert "no such table" in html(client, "/w/bad/items", "$.items[0]")


def test_csv_is_the_items_result_under_its_name(client):
    answer = client.get(f"/w/fleet/csv/{anchor_of('$.items[1]')}?Zone=x")
    assert answer.headers["content-disposition"] == 'attachment; filename="grid-one.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.text))) == [["K", "V"], ["'=1+1", "3"], ["T 'x'", "4"]]


@pytest.mark.parametrize("anchor", [anchor_of("$.items[0]"), "i-nothing", anchor_of("$.items[2]")])
def test_csv_of_what_asks_nothing_is_not_there(client, anchor):
    assert client.get(f"/w/fleet/csv/{anchor}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/w/nope", "/w/nope/items", "/w/nope/csv/x", "/nope", "/static/nope.js", "/static/%2e%2e%2fapp.py"]
)
@pytest.mark.parametrize(("accept", "type_"), [("text/html", "text/html"), ("*/*", "text/plain")])
def test_what_is_not_there_is_said_in_the_readers_own_format(client, path, accept, type_):
    answer = client.get(path, headers={"accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith(type_)


def test_a_name_in_an_error_is_text(client):
    answer = client.get("/w/%3Cscript%3Ealert(1)%3C%2Fscript%3E", headers={"accept": "text/html"})
    assert "<script>alert" not in answer.text


def test_a_defect_is_a_page_too_and_has_the_headers(client, monkeypatch):
    monkeypatch.setattr("workbooks.dashboard.app.shell", lambda *_: 1 / 0)
    answer = client.get("/w/fleet", headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]


# ---- the guard ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/w/fleet", "/w/fleet/items", "/static/page.js", "/static/plotly.js", "/nope"])
def test_every_answer_locks_the_page_down(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:80", "localhost:8000"])
def test_another_name_is_not_served(client, engine, host):
    answer = client.get("/w/fleet/items", headers={"host": host})
    assert answer.status_code == 421
    assert engine.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_reading_is_served(client, engine, method):
    answer = client.request(method, "/w/fleet/items")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert engine.asked == []


def test_plotly_may_be_kept_and_rows_may_not(client):
    assert client.get("/w/fleet/items").headers["cache-control"] == "no-store"
    assert "immutable" in client.get("/static/plotly.js").headers["cache-control"]


# ---- a reader who goes ----------------------------------------------------------------------------------------------


def test_queries_end_when_the_browser_has_gone(client, engine):
    engine.gate.clear()
    answer = client.get("/w/fleet/items", stream=True)
    assert next(answer.iter_lines())
    eventually(lambda: engine.asked == ["T 'z'"])
    answer.close()
    eventually(lambda: engine.stopped == ["T 'z'"])


def test_queries_that_another_page_waits_for_go_on(client, engine):
    engine.gate.clear()
    leaves, stays = (client.get("/w/fleet/items", stream=True) for _ in range(2))
    rest = stays.iter_lines()
    assert next(rest)
    eventually(lambda: engine.asked == ["T 'z'"])
    leaves.close()
    time.sleep(0.1)
    engine.gate.set()
    assert b"T &#x27;z&#x27;" in b"".join(rest)
    assert (engine.asked, engine.stopped) == (["T 'z'"], [])


def eventually(claim):
    deadline = time.monotonic() + 5
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---- downloads, names, addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"),
        ("plain", "plain"), (-1, "-1"), (1.5, "1.5"), (None, ""), (True, "true"), ([1, "=x"], '[1, "=x"]'),
        (NOW, "2026-03-01T12:00:00Z"), (timedelta(seconds=90), "90.0"), ('a"b,c\nd', 'a"b,c\nd'),
    ],
)  # fmt: skip
def test_a_cell_of_a_download_is_no_formula(make, value, cell):
    table = ResultTable((ResultColumn("=A", "dynamic"),), ((value,),))
    assert list(csv.reader(io.StringIO(to_csv(table), newline=""))) == [["'=A"], [cell] if cell else [""]]


@pytest.mark.parametrize(
    ("template", "name"),
    [("fleet", "fleet"), ("x/Fleet", "fleet"), ("community-x/y/fleet.workbook/", "fleet"), ("nope", None), ("", None)],
)
def test_a_links_template_means_the_workbook_of_its_last_part(make, template, name):
    shelf = Shelf({"fleet": layout_of(make.workbook())})
    assert shelf.find(template) == name
    assert shelf.url(template, {"Zone": ["a", "b&c"]}) == (f"/w/{name}?Zone=a&Zone=b%26c" if name else None)


def test_addresses_are_escaped():
    assert page_url("a/b ü", {"Ä": ["1"]}, "/items") == "/w/a%2Fb%20%C3%BC/items?%C3%84=1"


@pytest.mark.parametrize(("name", "title"), [("container-group", "Container group"), ("x_y", "X y"), ("", "")])
def test_a_name_reads_as_a_heading(name, title):
    assert title_of(name) == title


def test_the_shipped_workbooks_stand_in_their_order():
    assert list(load(shipped()).books)[:4] == ["fleet", "container-group", "reverse-dns", "pipeline"]


def test_two_workbooks_of_one_name_are_both_shown(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.workbook").write_text('{"version": "Notebook/1.0", "items": []}')
    assert list(load(sorted(tmp_path.rglob("*.workbook"))).books) == ["x", "x-2"]
