"""Generated files are what their source gives, and what is generated is what Azure needs."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from core import events
from core.errors import ConfigurationError
from infra import build, workbooks_module
from infra.check.parser import parse
from infra.check.syntax import check_syntax
from kql import catalog

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "infra" / "generated"


def test_every_generated_file_is_what_its_source_gives() -> None:
    assert [str(each.path) for each in build.stale()] == []


def test_the_build_writes_what_is_missing_or_differs_and_nothing_else(tmp_path: Path) -> None:
    first = build.write(tmp_path)
    assert Path("infra/generated/table.json") in first
    (tmp_path / "infra/generated/stream.json").write_text("[]", encoding="utf-8")
    (tmp_path / "infra/generated/roles.json").unlink()
    assert set(build.write(tmp_path)) == {Path("infra/generated/stream.json"), Path("infra/generated/roles.json")}
    assert build.stale(tmp_path) == []


def test_a_table_column_that_differs_from_the_schema_is_stale(tmp_path: Path) -> None:
    build.write(tmp_path)
    path = tmp_path / "infra/generated/table.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"EventId"', '"EventID"'), encoding="utf-8")
    assert [each.path.name for each in build.stale(tmp_path)] == ["table.json"]


def test_the_table_and_the_stream_have_the_schema_s_columns_in_order() -> None:
    wanted = [column.name for column in events.COLUMNS]
    table = json.loads((GENERATED / "table.json").read_text(encoding="utf-8"))
    stream = json.loads((GENERATED / "stream.json").read_text(encoding="utf-8"))
    assert [column["name"] for column in table] == [column["name"] for column in stream] == wanted
    assert {column["type"] for column in table} <= {"string", "int", "long", "real", "boolean", "dateTime", "dynamic"}


def test_the_names_in_the_bicep_are_the_schema_s() -> None:
    content = (ROOT / "infra/modules/workspace-content.bicep").read_text(encoding="utf-8")
    ingestion = (ROOT / "infra/modules/ingestion.bicep").read_text(encoding="utf-8")
    assert content.count(f"'{events.TABLE}'") == 2
    assert f"var stream = '{events.STREAM}'" in ingestion
    assert f"outputStream: 'Custom-{events.TABLE}'" in ingestion


def test_a_function_is_deployed_with_its_parameters_and_without_its_header() -> None:
    functions = {each["name"]: each for each in build.functions()}
    assert functions.keys() == catalog.functions().keys()
    entry = catalog.functions()["AciDnsSlo"]
    assert functions["AciDnsSlo"]["parameters"] == entry.signature
    assert "// Columns:" not in functions["AciDnsSlo"]["query"]


def test_a_packed_query_runs_as_it_is() -> None:
    queries = {each["name"]: each["body"] for each in build.queries()}
    assert queries["slo"] == catalog.query("slo")
    assert queries["slo"].startswith("let ")


def test_no_function_is_defined_after_one_that_calls_it_needs_it() -> None:
    """Saved searches may name functions that do not exist yet; only a function that calls itself cannot be."""
    for entry in catalog.functions().values():
        assert f"{entry.name}(" not in entry.body


def test_alert_rules_keep_fractions_and_lose_what_the_deployment_decides() -> None:
    rules = json.loads((GENERATED / "alert-rules.json").read_text(encoding="utf-8"))
    for rule in rules:
        properties = json.loads(rule["properties"])
        assert {"scopes", "actions", "enabled"} & properties.keys() == set()
        assert rule["actionGroup"] in {"page", "ticket"}
        assert isinstance(properties["criteria"]["allOf"][0]["threshold"], int | float)


WORKBOOK = {
    "version": "Notebook/1.0",
    "items": [
        {
            "type": 12,
            "content": {
                "items": [{"type": 1, "content": {"json": "## It's ${drift}\n\nWhat is wrong\nnow.\n\nMore."}}]
            },
        }
    ],
}


def test_a_workbook_is_deployed_under_its_heading(tmp_path: Path) -> None:
    (tmp_path / "drift-overview.workbook").write_text(json.dumps(WORKBOOK), encoding="utf-8")
    text = workbooks_module.text(tmp_path)
    assert "displayName: 'It\\'s \\${drift}'" in text
    assert "description: 'What is wrong now.'" in text
    assert "content: loadTextContent('../../workbooks/drift-overview.workbook')" in text
    assert check_syntax(Path("workbooks.bicep"), text) == []
    assert parse(Path("workbooks.bicep"), text).by_name.keys() >= {"workbooks", "deployed"}


def test_a_link_to_another_workbook_is_deployed_with_its_resource_id(tmp_path: Path) -> None:
    item = {"type": 11, "content": {"links": [{"workbookContext": {"templateId": "aci-dns/other"}}]}}
    (tmp_path / "one.workbook").write_text(json.dumps({"items": [item]}), encoding="utf-8")
    (tmp_path / "other.workbook").write_text(json.dumps(WORKBOOK), encoding="utf-8")

    text = workbooks_module.text(tmp_path)

    replaced = (
        "'\"aci-dns/other\"', '\"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'other'))}\"')"
    )
    assert f"content: replace(loadTextContent('../../workbooks/one.workbook'), {replaced}" in text
    assert "content: loadTextContent('../../workbooks/other.workbook')" in text
    assert check_syntax(Path("workbooks.bicep"), text) == []


def test_every_workbook_has_the_parameter_that_is_bound_to_the_workspace() -> None:
    for file in sorted((ROOT / "workbooks").glob("*.workbook")):
        items = json.loads(file.read_text(encoding="utf-8"))["items"]
        parameters = [each["name"] for item in items if item["type"] == 9 for each in item["content"]["parameters"]]
        assert parameters.count(workbooks_module.PARAMETER) == 1, file.name


def test_a_workbook_without_a_heading_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "drift-overview.workbook").write_text('{"items": []}', encoding="utf-8")
    assert "displayName: 'Drift overview'" in workbooks_module.text(tmp_path)


def test_a_workbook_that_is_no_json_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.workbook").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broken\.workbook is not JSON"):
        workbooks_module.text(tmp_path)


def test_pages_without_their_marks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/security.md").write_text("# Security\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="the marks"):
        build.stale(tmp_path)


def test_camel_case_keeps_what_is_one_word() -> None:
    names = SimpleNamespace(one="AcrPull", two="Private DNS Zone Contributor", three="Reader")
    assert build.camel_case(names.one) == "acrPull"
    assert build.camel_case(names.two) == "privateDnsZoneContributor"
    assert build.camel_case(names.three) == "reader"
