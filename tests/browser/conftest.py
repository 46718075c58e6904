"""A real dashboard on a made-up history, and a real browser that may reach nothing else."""

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import duckdb
import pytest
from playwright.sync_api import sync_playwright

from kql import tables
from kql.data import open_data
from kql.duckdb_engine import DuckDbEngine
from local_azure.history.shape import Shape
from local_azure.history.write import write_duckdb

# Run by `make browser`, in a process of their own: the browser's driver keeps an event loop running in its thread, in
# which no other test could start one.
collect_ignore_glob = [] if os.environ.get("BROWSER_TESTS") == "1" else ["test_*.py"]

SHIPPED = ("fleet", "container-group", "reverse-dns", "pipeline")
FILLED = "body[data-filled]"
HOSTILE = [
    "<script>window.hurt = 1</script>",
    "<img src=x onerror='window.hurt = 2'>",
    "\"><svg onload='window.hurt = 3'>",
    "javascript:window.hurt=4",
    "'; AciDnsEvents() | take 1 //",
    "' or 1 == 1 or '",
    "{Typed} [x](javascript:window.hurt=5) **bold** `code`",
    "</script><script>window.hurt = 6</script>",
    "{{ 7 * 7 }} ${7 * 7} %s",
    "=cmd|' /C calc'!A0",
    'back\\slash\' and "quotes"',
]


@pytest.fixture(scope="session")
def history(tmp_path_factory):
    """Give a week of a small fleet, and among its rows some that mean harm."""
    path = tmp_path_factory.mktemp("history") / "week.duckdb"
    shape = Shape(days=7, groups=12)
    write_duckdb(path, shape, 7)
    moment = (shape.end - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")
    rows = [
        {
            "TimeGenerated": moment, "EventTime": moment, "EventId": f"hostile-{number}", "Component": "tracker",
            "EventType": "track_failed", "Severity": "error", "CorrelationId": "hostile", "ContainerGroup": text,
            "ContainerGroupId": text, "ErrorMessage": text, "ResourceGroup": text, "Fqdn": text, "ForwardZone": text,
            "Details": {text: [text]}, "DriftKinds": [text], "ErrorCode": text, "ArmCalls": number,
        }
        for number, text in enumerate(HOSTILE)
    ]  # fmt: skip
    with duckdb.connect(str(path)) as connection:
        tables.append(connection, tables.EVENTS, rows, received=shape.end - timedelta(hours=2))
    return path


@pytest.fixture(scope="session")
def ask(history):
    """Give `ask(kql, hours)`: the rows of a query over the last hours of the history."""
    with open_data(history) as connection:
        engine = DuckDbEngine(connection)
        newest = engine.query("AciDnsEvents_CL | summarize max(TimeGenerated)").rows[0][0]
        end = newest.replace(second=0, microsecond=0) + timedelta(minutes=1)
        yield lambda kql, hours=24: engine.query(kql, timespan=(end - timedelta(hours=hours), end), now=end).rows


@contextmanager
def serving(project_root, data, *workbooks):
    """Run `drift dashboard`, and give its address."""
    options = [option for book in workbooks for option in ("--workbook", str(book))]
    command = [sys.executable, "-m", "cli", "dashboard", "--data", str(data), "--port", "0", *options]
    process = subprocess.Popen(command, cwd=project_root, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said
        yield found[0].rstrip("/")
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()


@pytest.fixture(scope="session")
def served(project_root, history):
    """Give the address of a dashboard with the shipped workbooks and one made for these tests."""
    books = [project_root / "workbooks" / f"{name}.workbook" for name in SHIPPED]
    with serving(project_root, history, *books, project_root / "tests/browser/try.workbook") as address:
        yield address


@pytest.fixture(scope="session")
def browser(require_tool):
    """Give Debian's Chromium, which is told to reach nothing by itself."""
    chromium = require_tool("chromium", "apt-get install chromium")
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=quiet)
        yield browser
        browser.close()


class Watched:
    """A page, and what must not happen on it: errors, refused parts, requests to elsewhere, scripts of data."""

    def __init__(self, context, home):
        self.home = home
        self.page = context.new_page()
        self.trouble, self.asked = [], []
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.trouble.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.route("**/*", self._route)

    def _told(self, message):
        if message.type in {"error", "warning"}:
            self.trouble.append(f"{message.text} ({message.location.get('url')})")

    def _route(self, route):
        self.asked.append(route.request.url)
        if route.request.url.startswith((self.home, "data:", "file:")):
            route.continue_()
        else:
            self.trouble.append(f"asks {route.request.url}")
            route.abort()

    def open(self, path):
        self.page.goto(self.home + path)
        self.filled()
        return self.page

    def filled(self):
        self.page.wait_for_selector(FILLED)

    def item(self, name):
        """Give the place of an item by its title."""
        return self.page.locator(
            "section[data-item]", has=self.page.locator("h2", has_text=re.compile(f"^{re.escape(name)}$"))
        )

    def rows(self, name):
        """Give the cells of an item's grid."""
        return [row.locator("td").all_inner_texts() for row in self.item(name).locator("tbody tr:visible").all()]

    def settle(self, act):
        """Do something that changes the address, and wait until the page is filled again."""
        self.page.evaluate("delete document.body.dataset.filled")
        act()
        self.filled()

    def clean(self):
        assert self.page.evaluate("window.hurt") is None
        assert self.trouble == []


@pytest.fixture
def watch(browser, served):
    """Give `watch(**context)`: a new page that is watched; what went wrong on it fails the test at its end."""
    opened = []

    def start(home=served, **options):
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, **options)
        context.set_default_timeout(40_000)
        watched = Watched(context, home)
        opened.append((context, watched))
        return watched

    yield start
    for context, watched in opened:
        try:
            watched.clean()
        finally:
            context.close()


@pytest.fixture(scope="session")
def axe(project_root, require_tool):
    """Give `axe(page, rule="")`: the serious and critical findings of axe-core, of one rule or of all."""
    script = project_root / "node_modules/axe-core/axe.min.js"
    if not script.exists():
        message = "needs node_modules/axe-core: make setup-node"
        (pytest.fail if os.environ.get("REQUIRE_TOOLS") == "1" else pytest.skip)(message)

    source = script.read_text("utf-8")

    def run(page, rule=""):
        if not page.evaluate("Boolean(window.axe)"):
            page.evaluate(source)  # the page's own policy holds meanwhile: a script element would be refused
        options = {"resultTypes": ["violations"], **({"runOnly": [rule]} if rule else {})}
        found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
        return [
            f"{one['id']}: {node['target']} {node['html'][:150]} {node.get('failureSummary', '')[:200]}"
            for one in found
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    return run


@pytest.fixture(scope="session")
def tools(history):
    """Give what tests share: the hostile texts, the shipped names, how to serve other rows."""
    return SimpleNamespace(hostile=HOSTILE, shipped=SHIPPED, serving=serving, loads=json.loads, history=history)
