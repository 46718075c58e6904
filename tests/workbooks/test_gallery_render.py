"""Every workbook at hand is drawn: on no rows, on made-up rows of every type."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from kql.engine import ResultColumn, ResultTable
from workbooks import parse
from workbooks.asking import Answers
from workbooks.check import check
from workbooks.fragments import not_rendered
from workbooks.layout import layout_of
from workbooks.model import FormatterKind, QueryItem, walk
from workbooks.render import Wanted, render

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EIGHT = (
    "ActivityLogsInsights", "Alerts", "Autovacuum-Blockers", "LinkSample", "SentinelOverview", "SparkInfrastructure",
    "SparkStructuredStreaming", "ToolbarSample",
)  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)>'\"{TimeRange}"


@pytest.fixture(scope="module")
def books(project_root):
    """Give every workbook: the gallery's where it is, and ours."""
    gallery = project_root.parent / "shared" / "gallery"
    files = [*sorted(gallery.glob("*.workbook")), *sorted((project_root / "workbooks").glob("*.workbook"))]
    return {file.stem: json.loads(file.read_text("utf-8-sig")) for file in files}


def read(raw, name="x"):
    return parse.parse(json.dumps(raw), name=name)


def columns_named(workbook):
    """Give the columns that the settings name, so that made-up rows reach every formatter."""
    found = {"TimeGenerated": "datetime", "Kind": "string", "Count": "long"}
    for item in walk(workbook.items):
        if isinstance(item, QueryItem):
            places = (*item.visuals.grid.formatters, *item.visuals.tiles.places, *item.visuals.graph.places)
            for one in places:
                dynamic = one.kind in {FormatterKind.SPARK_LINE, FormatterKind.SPARK_BARS, FormatterKind.SPARK_AREA}
                found.setdefault(one.column or "c", "dynamic" if dynamic else "real")
            found.update(
                dict.fromkeys((*item.visuals.chart.y_axis, *(e.column for e in item.exports if e.column)), "real")
            )
    return found


def made_up(workbook, rows):
    kinds = columns_named(workbook)
    values = {
        "datetime": lambda n: NOW - timedelta(hours=n),
        "string": lambda n: f"{HOSTILE} {n}",
        "long": lambda n: n * 1000,
        "real": lambda n: None if n == 1 else n * 1.5,
        "dynamic": lambda n: [n, None, 3],
    }
    columns = tuple(ResultColumn(name, kind) for name, kind in kinds.items())
    return ResultTable(columns, tuple(tuple(values[kind](n) for kind in kinds.values()) for n in range(rows)))


def draw(parsed, rows):
    table = made_up(parsed.workbook, rows)
    answers = Answers(lambda *_: table)
    try:
        wanted = Wanted(layout_of(parsed.workbook), "x", "rows", NOW, NOW, {})
        return render(wanted, answers)
    finally:
        answers.close()


def names():
    return [*EIGHT, "fleet", "container-group", "reverse-dns", "pipeline"]


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize("name", names())
def test_a_workbook_is_drawn_whole_and_data_in_it_stays_text(books, name, rows, soup):
    if name not in books:
        pytest.skip(f"{name}.workbook is not here")
    rendered = draw(read(books[name]), rows)
    assert [one for one in rendered.problems if "could not be drawn" in one] == []
    tree = soup(rendered.html)
    assert not tree.select("img, iframe, object, form")
    assert not [tag for tag in tree.find_all(True) for key in tag.attrs if key.startswith("on")]
    assert "<img src=x" not in rendered.html.replace("\\u003cimg", "")


@pytest.mark.parametrize("name", names())
def test_every_element_is_drawn_or_listed(books, name):
    if name not in books:
        pytest.skip(f"{name}.workbook is not here")
    parsed = read(books[name])
    listed = {(one.path, one.message) for one in check(parsed).not_rendered}
    badges = {(one.path, one.message) for item in walk(parsed.workbook.items) for one in not_rendered(item)}
    assert badges == listed
