"""What a check finds: each seeded mistake by the rule that should, and nothing in a workbook without one."""

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from kql.duckdb_engine import DuckDbEngine, connect
from kql.gate import Parser
from workbooks.check import Checked, Verdict, check, count
from workbooks.check_queries import ask
from workbooks.model import Severity
from workbooks.parse import load, parse

ROOT = Path(__file__).parents[2]
GALLERY = sorted((ROOT.parent / "shared" / "gallery").glob("*.workbook"))
GUID = "11111111-2222-3333-4444-555555555555"
GOOD: dict[str, Any] = {
    "version": "Notebook/1.0",
    "items": [
        {
            "type": 9,
            "name": "choices",
            "content": {
                "version": "KqlParameterItem/1.0",
                "parameters": [
                    {"id": "p1", "name": "TimeRange", "label": "Time", "type": 4, "value": {"durationMs": 86400000}},
                    {
                        "id": "p2",
                        "name": "Zone",
                        "label": "Zone",
                        "type": 2,
                        "multiSelect": True,
                        "query": "AciDnsEvents() | distinct ForwardZone",
                        "queryType": 0,
                        "timeContextFromParameter": "TimeRange",
                        "value": ["value::all"],
                        "typeSettings": {"selectAllValue": "*"},
                    },
                ],
            },
        },
        {
            "type": 11,
            "name": "tabs",
            "content": {
                "style": "tabs",
                "links": [
                    {"id": "l1", "cellValue": "tab", "linkTarget": "parameter", "linkLabel": "A", "subTarget": "a"},
                    {"id": "l2", "cellValue": "tab", "linkTarget": "parameter", "linkLabel": "B", "subTarget": "b"},
                ],
            },
        },
        {
            "type": 3,
            "name": "grid",
            "conditionalVisibility": {"parameterName": "tab", "comparison": "isEqualTo", "value": "a"},
            "content": {
                "version": "KqlItem/1.0",
                "queryType": 0,
                "query": "AciDnsEvents()\n| where '*' in ({Zone}) or ForwardZone in ({Zone})\n"
                "| summarize Events=count(), Last=max(TimeGenerated) by ContainerGroup",
                "timeContextFromParameter": "TimeRange",
                "visualization": "table",
                "exportedParameters": [{"fieldName": "ContainerGroup", "parameterName": "Group", "parameterType": 1}],
                "gridSettings": {
                    "formatters": [
                        {"columnMatch": "^Events$", "formatter": 8},
                        {"columnMatch": "Last", "formatter": 6},
                    ],
                    "labelSettings": [{"columnId": "Events", "label": "Events"}],
                    "sortBy": [{"itemKey": "$gen_heatmap_Events_0", "sortOrder": 2}],
                },
            },
        },
        {"type": 1, "name": "note", "content": {"json": "{Group:label} over {TimeRange:label}"}},
    ],
}


def seeded(path: str, value: Any) -> dict[str, Any]:
    """Give the good workbook with one place changed: `items.2.content.query`."""
    root = deepcopy(GOOD)
    *steps, last = path.split(".")
    place: Any = root
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    if isinstance(place, list) and int(last) == len(place):
        place.append(value)
    else:
        place[int(last) if last.isdigit() else last] = value
    return root


@pytest.fixture(scope="module")
def engine() -> DuckDbEngine:
    return DuckDbEngine(connect())


def checked(root: dict[str, Any], engine: DuckDbEngine | None = None) -> Checked:
    parsed = parse(json.dumps(root))
    return check(parsed, ask(parsed.workbook, engine) if engine else None)


def test_a_good_workbook_has_no_finding(engine: DuckDbEngine) -> None:
    assert checked(GOOD, engine).findings == ()


QUERY = "items.2.content.query"
GRID = "items.2.content.gridSettings"


@pytest.mark.parametrize(
    ("place", "value", "code", "path"),
    [
        ("items.3.name", "grid", "duplicate-name", "$.items[3]"),
        ("items.0.content.parameters.1.id", "p1", "duplicate-parameter-id", "$.items[0].content.parameters[1]"),
        ("items.1.content.links.1.id", "l1", "duplicate-link-id", "$.items[1].content.links[1]"),
        ("items.1.content.links.1.subTarget", "a", "duplicate-tab", "$.items[1].content.links[1]"),
        (QUERY, "AciDnsEvents() | where ForwardZone == '{Zoen}'", "undeclared-parameter", "$.items[2].content.query"),
        ("items.3.content.json", "{nobody}", "undeclared-parameter", "$.items[3].content.json"),
        ("items.0.content.parameters.0.description", "{Zone}", "undeclared-parameter",
         "$.items[0].content.parameters[0].description"),
        ("items.2.content.timeContextFromParameter", "Tme", "undeclared-parameter",
         "$.items[2].content.timeContextFromParameter"),
        ("items.2.conditionalVisibility.parameterName", "tba", "undeclared-parameter",
         "$.items[2].conditionalVisibility"),
        ("items.3.content.json", "{TimeRange:name} {Group}", "unknown-specifier", "$.items[3].content.json"),
        ("items.3.content.json", "{Group:sparkle}", "unknown-specifier", "$.items[3].content.json"),
        ("items.0.content.parameters.2", {"id": "p3", "name": "", "type": 1, "label": "x"}, "no-name",
         "$.items[0].content.parameters[2]"),
        ("items.0.content.parameters.1.query", "AciDnsEvents() | distinct Frwd", "query-error",
         "$.items[0].content.parameters[1]"),
        (QUERY, "AciDnsEvents() | where ('{Zone}'", "query-error", "$.items[2]"),
        (QUERY, "AciDnsEvents() | make-series count() on TimeGenerated step 1h // {Zone}", "unsupported-query",
         "$.items[2]"),
        (f"{GRID}.formatters.0.columnMatch", "Evnts", "no-column", "$.items[2].content.gridSettings.formatters[0]"),
        (f"{GRID}.formatters.0.columnMatch", "^(", "bad-regex", "$.items[2].content.gridSettings.formatters[0]"),
        (f"{GRID}.formatters.0.formatOptions", {"linkColumn": "Url"}, "no-column",
         "$.items[2].content.gridSettings.formatters[0]"),
        (f"{GRID}.labelSettings.0.columnId", "events", "no-column",
         "$.items[2].content.gridSettings.labelSettings"),
        (f"{GRID}.sortBy.0.itemKey", "$gen_heatmap_Evnts_0", "no-column", "$.items[2].content.gridSettings.sortBy[0]"),
        (f"{GRID}.hierarchySettings", {"treeType": 1, "groupBy": ["Zone"]}, "no-column",
         "$.items[2].content.gridSettings.hierarchySettings"),
        ("items.2.content.exportedParameters.0.fieldName", "Groop", "no-column",
         "$.items[2].content.exportedParameters[0]"),
        (f"{GRID}.rowLimit", 20_000, "out-of-range", "$.items[2].content.gridSettings.rowLimit"),
        ("items.2.content.visualization", "sunburst", "unknown-visualization", "$.items[2].content.visualization"),
        ("items.2.content.crossComponentResources", [f"/subscriptions/{GUID}/resourceGroups/x"], "RES000",
         "$.items[2].content.crossComponentResources[0]"),
        ("fallbackResourceIds", ["/subscriptions/mine/resourceGroups/x"], "RES000", "$.fallbackResourceIds[0]"),
        ("fromTemplateId", "x", "from-template-id", "$.fromTemplateId"),
        ("items.1.content.links.2", {"id": "l3", "linkTarget": "step", "cellValue": "nowhere", "linkLabel": "C"},
         "no-step", "$.items[1].content.links[2]"),
        ("items.3.wings", 2, "unknown-property", "$.items[3].wings"),
        ("items.4", {"type": 99, "name": "x", "content": {}}, "unknown-item", "$.items[4]"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_where_it_is(engine: DuckDbEngine, place: str, value: Any, code: str, path: str) -> None:
    found = checked(seeded(place, value), engine).findings
    assert (code, path) in {(each.code, each.path) for each in found}
    if code not in {"out-of-range", "unknown-property"}:
        assert Severity.ERROR in {each.severity for each in found if each.code == code}


@pytest.mark.parametrize(
    ("visualization", "settings", "bad"),
    [
        ("tiles", {"tileSettings": {"titleContent": {"columnMatch": "X", "formatter": 1}}}, "X"),
        ("timechart", {"chartSettings": {"xAxis": "X"}}, "X"),
        ("barchart", {"chartSettings": {"yAxis": ["Events", "X"]}}, "X"),
        ("linechart", {"chartSettings": {"group": "X"}}, "X"),
        ("graph", {"graphSettings": {"type": 0, "nodeIdField": "X"}}, "X"),
        ("stat", {"statSettings": {"valueField": "X"}}, "X"),
        ("map", {"mapSettings": {"locInfoColumn": "X"}}, "X"),
    ],
)
def test_every_visualization_names_columns_that_there_are(
    engine: DuckDbEngine, visualization: str, settings: dict[str, Any], bad: str
) -> None:
    root = seeded("items.2.content.visualization", visualization)
    root["items"][2]["content"].update(settings)
    found = [each.message for each in checked(root, engine).findings if each.code == "no-column"]
    assert len(found) == 1
    assert f"{bad!r}; the query gives" in found[0]


def test_settings_of_a_visualization_that_is_not_drawn_are_not_checked(engine: DuckDbEngine) -> None:
    root = seeded("items.2.content.chartSettings", {"xAxis": "nothing"})
    assert checked(root, engine).findings == ()


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ({"id": "p3", "name": "Alone", "label": "x", "type": 1}, "unused-parameter"),
        ({"id": "p3", "name": "J", "label": "x", "type": 2, "jsonData": "[{"}, "bad-options"),
        ({"id": "p3", "name": "J", "label": "x", "type": 2, "jsonData": '["a", "a"]'}, "duplicate-option"),
        ({"id": "p3", "name": "J", "label": "x", "type": 2, "jsonData": '["a"]', "value": "b"}, "bad-default"),
        ({"id": "p3", "name": "V", "label": "x", "type": 1,
          "typeSettings": {"paramValidationRules": [{"regExp": "("}]}}, "bad-regex"),
        ({"id": "p3", "name": "C", "label": "x", "type": 1, "value": "v",
          "criteriaData": [{"criteriaContext": {"operator": "Default", "resultVal": "x"}}]}, "PARAM002"),
        ({"id": "p3", "name": "C", "label": "x", "type": 1,
          "criteriaData": [{"criteriaContext": {"operator": "like", "resultVal": "x"}}]}, "unknown-operator"),
        ({"id": "p3", "name": "N", "type": 1}, "PARAM001"),
        ({"id": "p3", "name": "K", "label": "x", "type": 1, "query": "print 1", "queryType": 0}, "KQL003"),
        ({"id": "p3", "name": "K", "label": "x", "type": 1, "query": "{Zone}", "queryType": 0}, "KQL005"),
        ({"id": "p3", "name": "K", "label": "x", "type": 1, "query": "T" * 3001, "queryType": 0}, "KQL002"),
    ],
)  # fmt: skip
def test_a_declaration_is_checked(extra: dict[str, Any], code: str) -> None:
    assert code in {each.code for each in checked(seeded("items.0.content.parameters.2", extra)).findings}


def test_parameters_that_need_one_another_are_an_error() -> None:
    pair = [
        {"id": a, "name": a, "label": a, "type": 2, "isGlobal": True, "query": f"T | where '{{{b}}}'", "queryType": 0}
        for a, b in (("a", "b"), ("b", "a"))
    ]
    root = seeded("items.0.content.parameters", [*GOOD["items"][0]["content"]["parameters"], *pair])
    assert "cycle" in {each.code for each in checked(root).errors}


@pytest.mark.parametrize(
    ("items", "code"),
    [
        (41, "KQL001"),
        (101, "SIZE002"),
        (31, "GROUPS000"),
    ],
)
def test_a_workbook_that_is_too_large_is_told(items: int, code: str) -> None:
    many = [{"type": 3, "name": f"q{n}", "content": {"query": "T", "queryType": 0}} for n in range(items)]
    found = checked({"version": "Notebook/1.0", "items": many})
    assert code in {each.code for each in found.findings}


@pytest.mark.parametrize(("characters", "code"), [(100_001, "SIZE000"), (500_001, "SIZE001")])
def test_json_that_is_too_long_is_told(characters: int, code: str) -> None:
    root = seeded("items.3.content.json", "x" * characters)
    assert code in {each.code for each in checked(root).findings}


def test_what_is_not_rendered_is_listed_and_a_renderer_adds_its_own() -> None:
    root = seeded("items.4", {"type": 10, "name": "m", "content": {"chartType": 2, "metrics": []}})
    found = check(parse(json.dumps(root)))
    assert [(each.path, each.code) for each in found.not_rendered] == [("$.items[4]", "not-rendered")]
    more = check(parse(json.dumps(root)), registries=[lambda item: [] if item.name != "grid" else found.not_rendered])
    assert more.not_rendered == found.not_rendered


def test_columns_are_not_checked_where_they_are_not_known() -> None:
    root = seeded(f"{GRID}.formatters.0.columnMatch", "Evnts")
    found = check(parse(json.dumps(root)), {"$.items[2]": Verdict((("query-error", "no"),), None)})
    assert [each.code for each in found.findings] == ["query-error"]


@pytest.mark.tools
@pytest.mark.usefixtures("require_parser")
def test_microsofts_parser_has_its_say(engine: DuckDbEngine) -> None:
    root = seeded(QUERY, "AciDnsEvents() | where ForwardZone == 1 + '{Zone}' | where Zoone == 2")
    parsed = parse(json.dumps(root))
    problems = ask(parsed.workbook, engine, Parser())["$.items[2]"].problems
    assert any("KS142" in message and "Zoone" in message for _, message in problems)


@pytest.mark.skipif(not GALLERY, reason="no gallery workbooks beside this checkout")
def test_gallery_workbooks_are_checked_and_counted_without_a_crash(engine: DuckDbEngine) -> None:
    parsed = [each for path in GALLERY for each in load(path)]
    for each in parsed:
        check(each, ask(each.workbook, engine))
    counts = count(parsed)
    rare = {"links": 9, "metrics": 3, "template group": 1}
    assert counts["item"] == {"text": 77, "query": 59, "group": 27, "parameters": 17, **rare}
    assert counts["visualization"].total() == 62


def drift(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "workbook", "check", "--no-queries", *arguments]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


def test_the_command_prints_file_path_code_and_message_and_fails_on_errors(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.workbook", tmp_path / "bad.workbook"
    good.write_text(json.dumps(GOOD))
    bad.write_text(json.dumps(seeded("items.3.content.json", "{nobody}")))
    fine, failed = drift(str(good)), drift(str(good), str(bad))
    assert (fine.returncode, fine.stdout) == (0, "1 workbook: 0 errors, 0 warnings, 0 notes, 0 badges\n")
    assert failed.returncode == 1
    assert f"{bad}:$.items[3].content.json: undeclared-parameter {{nobody}} is declared nowhere\n" in failed.stdout


def test_the_command_gives_json(tmp_path: Path) -> None:
    bad = tmp_path / "bad.workbook"
    bad.write_text(json.dumps(seeded("items.3.content.json", "{nobody}")))
    (found,) = json.loads(drift(str(bad), "--format", "json").stdout)
    assert (found["workbook"], found["errors"]) == ("bad", 1)
    assert found["findings"][0]["code"] == "undeclared-parameter"


@pytest.mark.parametrize(
    ("content", "arguments", "code", "message"),
    [
        ("{", (), 64, "this is not JSON"),
        ("[]", (), 64, "this is no workbook"),
        (None, (), 64, "cannot be read"),
        ("{}", ("--format", "yaml"), 2, "neither table nor json"),
    ],
)
def test_bad_input_ends_with_its_code(
    tmp_path: Path, content: str | None, arguments: tuple[str, ...], code: int, message: str
) -> None:
    path = tmp_path / "x.workbook"
    if content is not None:
        path.write_text(content)
    done = drift(str(path), *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
