"""Each gate catches its defect, at the line where it stands; what ships has none."""

import pytest

from core import events
from kql import catalog
from kql.gate import ParserMissingError, Schema, parser_rules, shipped_schema
from kql.gate.check import check

HEADER = """// {name}: how many events there are

// Parameters: {parameters}
// Columns: {columns}
// Tables: {tables}
""".replace("\n\n", "\n//\n// Counts them.\n//\n")
GOOD = {
    "parameters": "least:long=10",
    "columns": "EventType:string, Events:long",
    "tables": "AciDnsEvents_CL, AppTraces",
}
BODY = "AciDnsEvents()\n| summarize Events = count() by EventType\n| where Events > least"

# Defect: (changes to the header, the body, what is found as "line:column code", part of the message)
DEFECTS = {
    "misspelled-operator": ({}, BODY.replace("summarize", "sumarize"), "9:3 KS176", "Query operator expected"),
    "unknown-column": ({}, BODY.replace("by EventType", "by EventTyp"), "9:33 KS142", "'EventTyp' does not refer"),
    "unknown-table": ({}, BODY.replace("AciDnsEvents()", "AciDnsEvent"), "8:1 KS204", "'AciDnsEvent'"),
    "wrong-type": ({"columns": "EventType:string, Events:int"}, BODY, "6:1 KQL010", "Events is long, declared int"),
    "wrong-type-here": ({"columns": "EventType:string, Events:int"}, BODY, "6:1 KQL021", "Events is long, declared"),
    "missing-column": ({"columns": "EventType:string"}, BODY, "6:1 KQL010", "given but not declared: Events"),
    "extra-column": ({"columns": GOOD["columns"] + ", More:int"}, BODY, "6:1 KQL010", "declared but not given: More"),
    "column-order": ({"columns": "Events:long, EventType:string"}, BODY, "6:1 KQL010", "the order is EventType"),
    "tables-declared": ({"tables": "AciDnsEvents_CL"}, BODY, "7:1 KQL011", "reads AciDnsEvents_CL, AppTraces"),
    "unused-parameter": ({"parameters": "least:long=10, more:long=1"}, BODY, "5:1 KQL006", "more is not used"),
    "only-in-a-comment": ({"parameters": "least:long=10, more:long=1"}, BODY + "// more", "5:1 KQL006", "more is not"),
    "reserved-parameter": ({"parameters": "last:long=1"}, BODY.replace("least", "last"), "5:1 KS228", "bracket"),
    "not-on-this-machine": (
        {"columns": "EventType:string, Events:dynamic, TimeGenerated:dynamic", "parameters": "none"},
        "AciDnsEvents()\n| make-series Events = count() on TimeGenerated step 1h by EventType",
        "9:3 KQL020",
        "make-series",
    ),
    "not-microsofts": ({}, BODY + "\n| where EventType !! 'x'", "11:19 KS", ""),
    "hard-coded-id": (
        {},
        BODY.replace("by EventType", "by EventType\n| where EventType != '74be27de-1e4e-49d9-b579-fe0b331d3642'"),
        "10:23 KQL005",
        "an id is written into the text",
    ),
    "hard-coded-resource": (
        {}, BODY + "\n| where EventType != '/subscriptions/x/resourceGroups/y'", "11:23 KQL005", "a resource id"
    ),
    "own-time-range": (
        {},
        BODY.replace("\n| summ", "\n| where TimeGenerated > ago(1d)\n| summ"),
        "9:9 KQL007",
        "the caller's time range",
    ),
    "counted": ({"columns": "Count:long", "parameters": "none"}, "AciDnsEvents()\n| count", "9:1 KQL008", "count"),
    "any-rows": ({}, BODY + "\n| take 5", "11:1 KQL009", "`take` gives any rows"),
    "too-long": ({}, BODY + "\n// " + "x" * 65_536, "8:1 KQL004", "65,"),
    "no-table": ({}, "let x = least;", "8:1 KQL010", "gives no table"),
    "Bad_Name": ({}, BODY, "5:1 KQL003", "lower-case words with hyphens"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kql")
    for kind in ("queries", "functions"):
        (folder / kind).mkdir()
    for name, (changes, body, _, _) in DEFECTS.items():
        header = HEADER.format(name=name, **{**GOOD, **changes})
        (folder / "queries" / f"{name}.kql").write_text(header + body + "\n")
    (folder / "queries" / "good.kql").write_text(HEADER.format(name="good", **GOOD) + BODY + "\n")
    for place in (folder / "queries", folder):
        (place / "twice.kql").write_text(HEADER.format(name="twice", **GOOD) + BODY + "\n")
    (folder / "queries" / "no-header.kql").write_text("AciDnsEvents\n")
    (folder / "queries" / "latin.kql").write_bytes(b"// latin: \xe9\n")
    function = "AciDnsEvents()\n| summarize Events = count() by EventType"
    for name, body in {"Counts": function, "AciDnsAgain": "AciDnsAgain()\n| project EventType, Events"}.items():
        header = HEADER.format(name=name, **{**GOOD, "parameters": "none"})
        (folder / "functions" / f"{name}.kql").write_text(header + body + "\n")
    return folder


@pytest.fixture(scope="module")
def parser_there(require_tool):
    require_tool("node", "install nodejs")
    try:
        parser_rules.Parser(Schema({}))
    except ParserMissingError as error:
        require_tool("node_modules/@kusto/language-service-next", str(error))


@pytest.fixture(scope="module")
def found(folder, parser_there):
    """Give what is found in every broken file, by its name: one run of the gates for all."""
    report = check(sorted(folder.rglob("*.kql")), require_parser=True)
    by_name = {}
    for finding in report.findings:
        by_name.setdefault(finding.path.stem, []).append(finding)
    return by_name


@pytest.mark.tools
@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_at_its_place(name, found):
    _, _, place, message = DEFECTS[name]
    matching = [one for one in found.get(name, []) if f"{one.line}:{one.column} {one.code}".startswith(place)]
    assert matching, [str(one) for one in found.get(name, [])]
    assert any(message in one.message for one in matching)


@pytest.mark.tools
def test_a_good_file_has_no_finding(found):
    assert "good" not in found


@pytest.mark.tools
def test_a_file_without_its_comment_block_is_found(found):
    assert [(one.line, one.code) for one in found["no-header"]] == [(1, "KQL001")]
    assert [(one.line, one.code) for one in found["latin"]] == [(1, "KQL001")]


@pytest.mark.tools
def test_a_function_has_the_prefix_of_ours_and_does_not_call_itself(found):
    assert [one.code for one in found["Counts"]] == ["KQL003"]
    assert "KQL012" in {one.code for one in found["AciDnsAgain"]} or any(
        one.code.startswith("KS") for one in found["AciDnsAgain"]
    )


@pytest.mark.tools
def test_two_files_of_one_name_are_found(found):
    assert [one.code for one in found["twice"]] == ["KQL002", "KQL002"]


@pytest.mark.tools
def test_a_column_deleted_from_the_event_table_is_found_in_what_gives_it_alone(parser_there, monkeypatch):
    left = tuple(column for column in events.COLUMNS if column.name != "Verdict")
    whole = shipped_schema()
    table = tuple(one for one in whole.tables[events.TABLE] if one[0] != "Verdict")
    monkeypatch.setattr(events, "COLUMNS", left)
    schema = Schema({**whole.tables, events.TABLE: table}, whole.functions)
    monkeypatch.setattr(parser_rules, "shipped_schema", lambda: schema)
    report = check([catalog.ROOT / "functions" / f"{name}.kql" for name in ("AciDnsEvents", "AciDnsVerdicts")])
    # AciDnsEvents then gives it from the fallback lines, undeclared.
    assert {one.path.stem for one in report.findings} == {"AciDnsEvents"}
    assert ["Verdict" in one.message for one in report.findings] == [True] * len(report.findings)


@pytest.mark.tools
def test_a_column_deleted_from_a_standard_table_is_found_in_what_reads_it(parser_there, monkeypatch):
    whole = shipped_schema()
    table = tuple(one for one in whole.tables["AppRequests"] if one[0] != "DurationMs")
    schema = Schema({**whole.tables, "AppRequests": table}, whole.functions)
    monkeypatch.setattr(parser_rules, "shipped_schema", lambda: schema)
    report = check([catalog.ROOT / "functions" / "AciDnsRuntimeHealth.kql"])
    assert {one.code for one in report.findings} == {"KS142"}
    assert all("DurationMs" in one.message for one in report.findings)


@pytest.mark.tools
@pytest.mark.timeout(180)
def test_what_ships_is_clean(parser_there):
    report = check(require_parser=True)
    assert [str(finding) for finding in report.findings] == []
    assert report.files == len(catalog.functions()) + len(catalog.queries())


def test_without_the_parser_the_other_gates_still_find_and_the_skip_is_told(folder, monkeypatch):
    monkeypatch.setattr("kql.gate.parser.shutil.which", lambda _: None)
    files = [folder / "queries" / f"{name}.kql" for name in ("wrong-type", "unused-parameter", "unknown-column")]
    report = check(files)
    assert {one.code for one in report.findings} == {"KQL021", "KQL006", "KQL020"}
    assert "needs Node" in str(report.skipped)
    with pytest.raises(ParserMissingError):
        check(files, require_parser=True)
