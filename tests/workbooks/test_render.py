import base64
import hashlib
import json
import re
from datetime import UTC, datetime

import pytest

from kql.engine import QueryError, ResultColumn, ResultTable
from workbooks.asking import Answers
from workbooks.layout import layout_of
from workbooks.render import Wanted, render

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MADE = datetime(2026, 3, 5, 8, 30, tzinfo=UTC)


def ask(kql, *_):
    if kql == "bad":
        raise QueryError("semantic", "no such table")
    columns = (ResultColumn("K", "string"), ResultColumn("V", "long"))
    return ResultTable(columns, (("</script><script>alert(1)</script>", 3),))


@pytest.fixture
def page(make):
    def made(*items, chosen=None, title="Try"):
        answers = Answers(ask)
        try:
            return render(Wanted(layout_of(make.workbook(*items)), title, "rows <x>", NOW, MADE, chosen or {}), answers)
        finally:
            answers.close()

    return made


def policy_of(tree):
    content = tree.select_one("meta[http-equiv=Content-Security-Policy]")["content"]
    return {part.split()[0]: part.split()[1:] for part in content.split("; ")}


def hash_of(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_page_allows_what_it_holds_and_nothing_else(page, make, soup):
    rendered = page(make.query(visualization="piechart"))
    tree, policy = soup(rendered.html), None
    policy = policy_of(tree)
    assert policy["default-src"] == ["'none'"]
    scripts = [script.string for script in tree.select("script:not([type])")]
    assert sorted(policy["script-src"]) == sorted(hash_of(script) for script in scripts)
    assert policy["style-src"] == [hash_of(tree.style.string)]
    assert "unsafe" not in str(policy)


def test_the_page_names_nothing_that_it_would_fetch(page, make, soup):
    tree = soup(page(make.query(visualization="piechart")).html)
    fetched = tree.select("script[src], link[rel=stylesheet], img, iframe, object, source, video")
    assert fetched == []
    assert not re.search(r"url\((?!data:)", tree.style.string)
    assert "@import" not in tree.style.string


def test_plotly_is_in_the_page_once_where_there_is_a_chart_and_not_else(page, make):
    chart = make.query(visualization="piechart")
    assert page(chart, {**chart, "name": "r"}).html.count("plotly.js v") == 1
    assert len(page(make.query()).html) < 100_000


def test_a_figure_is_data_beside_its_plot_and_cannot_end_its_script(page, make, soup):
    tree = soup(page(make.query(visualization="piechart")).html)
    (data,) = tree.select("script[type='application/json'][data-figure]")
    assert data.find_parent("div", class_="panel").select_one(".plot")
    assert json.loads(data.string)["data"][0]["labels"] == ["</script><script>alert(1)</script>"]


def test_the_page_says_when_of_what_and_with_what(page, make, soup):
    parameters = make.parameters(
        {"name": "TimeRange", "label": "Time range", "type": 4, "value": {"durationMs": 86400000}},
        {"name": "Zone", "type": 1, "value": "a"},
        {"name": "Secret", "type": 1, "value": "s3cret", "typeSettings": {"isPassword": True}},
    )
    rendered = page(parameters, chosen={"Zone": ("<b>",)})
    said = {one.dt.text: one.dd.text for one in soup(rendered.html).select("footer dl > div")}
    assert said == {
        "Made": "2026-03-05 08:30 UTC", "Relative times end at": "2026-03-01 12:00 UTC", "Rows from": "rows <x>",
        "Time range": "Last 24 hours", "Zone": "<b>",
    }  # fmt: skip
    assert "s3cret" not in rendered.html


def test_groups_that_wait_for_a_click_are_loaded_and_unfolded(page, make, soup):
    inside = {
        "version": "NotebookGroup/1.0",
        "items": [make.query()],
        "loadType": "explicit",
        "expandable": True,
        "title": "G",
    }
    tree = soup(page({"type": 12, "name": "g", "content": inside}).html)
    assert tree.details.has_attr("open")
    assert tree.details.select("table.grid")
    assert not tree.select("[data-load]")


def test_what_could_not_be_answered_is_told_and_stands_in_the_page(page, make, soup):
    rendered = page(make.query("bad", name="a"), make.query(name="b"), {"type": 10, "content": {}})
    assert rendered.problems == ("semantic: no such table",)
    assert rendered.badges == 1
    assert "no such table" in soup(rendered.html).select_one(".error-card").text


def test_nothing_on_the_page_leads_to_a_server(page, make, soup):
    links = [{"linkTarget": "parameter", "cellValue": "Tab", "subTarget": "x", "linkLabel": "X"}]
    tab = {"type": 11, "name": "l", "content": {"version": "LinkItem/1.0", "style": "tabs", "links": links}}
    tree = soup(page(tab, make.query(showRefreshButton=True)).html)
    assert not tree.select("main a[href], main form, main [data-reload]")
