"""Every workbook at hand is drawn: on no rows, on made-up rows of every type, and mutated."""

import copy
import json
import random
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


def mutated(value, chance, random_):
    """Give a copy in which here and there something is gone, of another type, odd or hostile."""
    odd = (None, 0, -1, 1e99, "", HOSTILE, "{Nope}", [], {}, True, [None], {"a": 1}, "value::all", "(")
    if random_.random() < chance:
        return copy.deepcopy(random_.choice(odd))
    if isinstance(value, dict):
        return {key: mutated(inner, chance, random_) for key, inner in value.items() if random_.random() > chance}
    if isinstance(value, list):
        return [mutated(inner, chance, random_) for inner in value if random_.random() > chance]
    return value


@pytest.mark.parametrize("seed", range(40))
def test_a_workbook_that_was_broken_at_random_is_drawn_all_the_same(books, seed):
    random_ = random.Random(seed)  # noqa: S311 - the same mutations in every run
    name = random_.choice(sorted(books))
    raw = books[name]
    items = [mutated(item, random_.choice((0.01, 0.05)), random_) for item in raw["items"]]
    parsed = read({**raw, "items": [item for item in items if item is not None]}, name)
    assert [one for one in draw(parsed, 3).problems if "could not be drawn" in one] == []
