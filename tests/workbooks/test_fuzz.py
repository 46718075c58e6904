"""Workbooks that nobody would write: parts gone, doubled, of another type, crossed, nested, wrapped; on any rows.

What is read must be checked, laid out and drawn; only what is no workbook at all is refused, in a sentence.
"""

import copy
import json
import random
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kql.engine import ResultColumn, ResultTable
from workbooks.asking import Answers, Asking
from workbooks.check import check
from workbooks.fragments import Page
from workbooks.layout import anchor_of, layout_of
from workbooks.live import View, run
from workbooks.model import GroupItem, QueryItem, walk
from workbooks.parse import WorkbookError, parse_all
from workbooks.places import filled, shell

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ODD = [
    None, 0, -1, 1e99, 10**400, -(10**30), "", " ", "12", "{", "[1]", '{"x":1}', "true", "value::all", "{TimeRange}",
    "{Nope:label}", "{a:$.x[0]}", "[parameters('x')]", "\u2028", "a" * 2000, [], {}, [None], [[{}]], {"a": [1, None]},
    True, {"durationMs": "86400000"}, {"durationMs": -5}, {"durationMs": 1e30}, "'", "\\", "2026-01-01T00:00:00Z",
]  # fmt: skip
CELLS = {
    "datetime": [None, NOW, datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)],
    "string": ["", "<b>", "'{X}", None, "/subscriptions/x/resourceGroups/y", "critical", "1.5"],
    "long": [None, 0, 1, -5, 2**62],
    "real": [None, 0.0, 1.5, float("nan"), float("inf"), -1e308, 1e308],
    "dynamic": [None, [], {}, [1, 2, None], {"a": [1]}, "[1,2]", [{"x": 1}], 5],
    "bool": [True, False, None],
    "timespan": [None, timedelta(0), timedelta(days=-3), timedelta(days=9999)],
    "decimal": [Decimal("1.5"), None],
}  # fmt: skip
TYPES = [*range(-1, 18), "3", "text", "group", 3.0, None, True]


def mutated(value, chance, dice):
    """Give a copy in which here and there something is gone, doubled, wrapped, of another type, odd or hostile."""
    if dice.random() < chance:
        changes = [lambda: dice.choice(ODD), lambda: json.dumps(value)[:20_000], lambda: [value], lambda: {"v": value},
                   lambda: str(value), lambda: f"{value} {{X", lambda: [value, value]]  # fmt: skip
        return copy.deepcopy(dice.choice(changes)())
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if dice.random() > chance}
        return {key.lower() if dice.random() < chance else key: mutated(kept[key], chance, dice) for key in kept}
    if isinstance(value, list):
        return [mutated(inner, chance, dice) for inner in value if dice.random() > chance]
    return value


def nested(item, depth, dice):
    for _ in range(depth):
        content = {"groupType": "editable", "items": [item], "loadType": dice.choice(["always", "lazy", "explicit"])}
        item = {"type": 12, "content": {**content, "exportParameters": dice.random() < 0.5}}
    return item


def made(books, every, dice):
    """Give a workbook's JSON, or an ARM template's with one in it."""
    some = [copy.deepcopy(dice.choice(every)) for _ in range(dice.randrange(1, 8))]
    kind = dice.randrange(5)
    if kind == 0:
        return {"version": "Notebook/1.0", "items": some}
    if kind == 1:
        return {"items": [{**item, "type": dice.choice(TYPES)} for item in some]}
    if kind == 2:
        return {"version": "Notebook/9", "items": [nested(item, dice.choice([3, 45]), dice) for item in some[:2]]}
    whole = mutated(dice.choice(books), dice.choice([0.001, 0.005, 0.02, 0.08]), dice)
    if kind == 3 or not isinstance(whole, dict):
        return {"items": whole} if isinstance(whole, list) else whole
    data = dice.choice([whole, json.dumps(whole), "[variables('w')]"])
    resource = {"type": "microsoft.insights/workbooks", "properties": {"serializedData": data, "displayName": None}}
    return {"variables": {"w": json.dumps(whole)}, "resources": [resource]}


def rows_for(workbook, dice):
    """Give a result that has some of the columns that the workbook names, of any type."""
    named = {"value", "label", "selected", "group", "TimeGenerated", "", "a.b"}
    for item in walk(workbook.items):
        if isinstance(item, QueryItem):
            places = (*item.visuals.grid.formatters, *item.visuals.tiles.places, *item.visuals.graph.places)
            named |= {each.column for each in (*places, *item.exports)} | {*item.visuals.chart.y_axis}
    names = dice.sample(sorted(named), min(len(named), dice.randrange(12)))
    columns = tuple(ResultColumn(name, dice.choice(sorted(CELLS))) for name in names)
    count = dice.choice([0, 1, 2, 60])
    return ResultTable(columns, tuple(tuple(dice.choice(CELLS[one.type]) for one in columns) for _ in range(count)))


def drawn(workbook, table, dice):
    """Draw a workbook with something chosen and something unfolded; give its fragments."""
    layout = layout_of(workbook)
    groups = [one for one in layout.items if isinstance(one, GroupItem)]
    opened = frozenset(anchor_of(one.path) for one in groups if dice.random() < 0.7)
    chosen = {one.key: (dice.choice(["", "a", "7d", "value::all", "*", "-1", "PT1H"]),) for one in layout.declared.all}
    answers = Answers(lambda *_: table)
    try:
        with (
            Asking(answers, NOW) as asking,
            closing(run(View(layout, NOW, chosen, (), opened), asking, lambda state: Page(state, chosen))) as found,
        ):
            fragments = {one.anchor: one for one in found if not one.partial}
    finally:
        answers.close()
    assert set(fragments) <= {anchor_of(one.path) for one in layout.items}
    filled(workbook, fragments, opened)
    shell(workbook, opened)
    return fragments.values()


@pytest.fixture(scope="module")
def books(project_root):
    """Give every workbook: the gallery's where it is, and ours."""
    gallery = project_root.parent / "shared" / "gallery"
    files = [*sorted(gallery.glob("*.workbook")), *sorted((project_root / "workbooks").glob("*.workbook"))]
    return [json.loads(file.read_text("utf-8-sig")) for file in files]


@pytest.fixture(scope="module")
def every(books):
    """Give every item of them, those in groups too."""

    def inside(items):
        for item in items:
            yield item
            yield from inside(item["content"].get("items", ()) if item["type"] == 12 else ())

    return [item for book in books for item in inside(book["items"])]


@pytest.mark.parametrize("batch", range(8))
def test_no_workbook_however_odd_fails_the_check_or_the_drawing(books, every, batch):
    for seed in range(batch * 25, batch * 25 + 25):
        dice = random.Random(seed)  # noqa: S311 - the same in every run
        text = json.dumps(made(books, every, dice)).encode(dice.choice(["utf-8", "utf-8-sig", "utf-16"]))
        try:
            found = parse_all(text)
        except WorkbookError:
            continue  # it holds no workbook, and that is said
        for parsed in found:
            check(parsed)
            for one in drawn(parsed.workbook, rows_for(parsed.workbook, dice), dice):
                assert "could not be drawn" not in one.problem, (seed, one.problem)
                json.dumps(one.figure, allow_nan=False)
