"""The workbooks that ship, as files: clean, alike in what they share, and made of the functions in kql/."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from kql import catalog
from kql.duckdb_engine import DuckDbEngine, connect
from kql.gate import Parser, Text
from workbooks.check import check
from workbooks.check_queries import ask
from workbooks.check_samples import log_queries, sample_queries
from workbooks.dashboard import shelf
from workbooks.model import LinksItem, ParametersItem, QueryItem, Severity, TextItem, walk
from workbooks.parse import load
from workbooks.resolve_scope import declarations

FILES = {path.stem: path for path in shelf.shipped()}
SCHEMA = Path(__file__).parents[3] / "shared" / "gallery" / "workbook-schema.json"
every_workbook = pytest.mark.parametrize("name", FILES)


@pytest.fixture(scope="module")
def books():
    return {name: load(path)[0] for name, path in FILES.items()}


@pytest.fixture(scope="module")
def verdicts(books):
    """Give `verdicts(name)`: what the local engine says of a workbook's queries, asked once."""
    with connect() as connection:
        engine = DuckDbEngine(connection)
        yield cache(lambda name: ask(books[name].workbook, engine))


def contexts(value):
    """Give every link to another workbook, wherever it stands in the JSON."""
    if isinstance(value, dict):
        if "templateId" in value:
            yield value
        for each in value.values():
            yield from contexts(each)
    elif isinstance(value, list):
        for each in value:
            yield from contexts(each)


def parameters_of(workbook):
    return {
        each.name: each for item in walk(workbook.items) if isinstance(item, ParametersItem) for each in item.parameters
    }


def test_the_four_that_are_promised_ship():
    assert list(FILES) == ["fleet", "container-group", "reverse-dns", "pipeline"]


@every_workbook
def test_the_check_has_nothing_to_say(books, verdicts, name):
    checked = check(books[name], verdicts(name))

    assert [each for each in checked.findings if each.severity is not Severity.INFO] == []
    assert checked.not_rendered == ()


@pytest.mark.tools
@every_workbook
@pytest.mark.usefixtures("require_parser")
def test_microsofts_parser_accepts_every_query(books, name):
    book = books[name].workbook
    queries = sample_queries(book, declarations(book))

    said = list(Parser().check(Text(path, query) for path, query in queries.items()))

    assert [each.errors for each in said if each.errors] == []


@every_workbook
@pytest.mark.skipif(not SCHEMA.exists(), reason="no gallery schema beside this checkout")
def test_the_portals_schema_accepts_it(name):
    jsonschema = pytest.importorskip("jsonschema")

    jsonschema.validate(json.loads(FILES[name].read_text()), json.loads(SCHEMA.read_text()))


@every_workbook
def test_it_stays_small_enough_to_load_quickly(books, name):
    assert FILES[name].stat().st_size < 100_000
    assert len(log_queries(books[name].workbook)) <= 40


@every_workbook
def test_it_is_written_in_the_form_that_keeps_files_short_and_diffs_readable(name, tmp_path, project_root):
    copy = tmp_path / "copy.workbook"
    copy.write_text(json.dumps(json.loads(FILES[name].read_text()), indent=4))

    subprocess.run([sys.executable, project_root / "scripts/format_workbooks.py", copy], check=True)

    assert copy.read_text() == FILES[name].read_text()


@every_workbook
def test_queries_read_the_functions_and_no_table(books, name):
    known = set(catalog.functions())
    for query in log_queries(books[name].workbook).values():
        assert set(re.findall(r"\bAciDns\w+", query)) <= known, query
        assert not re.search(r"\w_CL\b|\bApp(Traces|Requests|Exceptions)\b", query)
        assert re.search(r"\bAciDns\w+\(", query)


@every_workbook
def test_every_result_says_what_no_data_means(books, name):
    silent = [
        item.name
        for item in walk(books[name].workbook.items)
        # A tile that counts has a row also when there is nothing to count.
        if isinstance(item, QueryItem) and not item.no_data_message and item.visualization != "tiles"
    ]

    assert silent == []


@every_workbook
def test_it_begins_with_a_title_and_what_it_is_for(books, name):
    first = books[name].workbook.items[0]

    assert isinstance(first, TextItem)
    assert re.match(r"# ACI DNS: .+\n\n\w", first.markdown)


@every_workbook
def test_links_between_workbooks_lead_to_parameters_that_there_are(books, name):
    for context in contexts(json.loads(FILES[name].read_text())):
        target = context["templateId"].rsplit("/", 1)[-1]
        assert context["templateId"] == f"aci-dns/{target}"
        offered = parameters_of(books[target].workbook)
        assert {each["name"] for each in context["templateParameters"]} <= set(offered)
        assert context["passSpecificParams"] is True


@every_workbook
def test_links_read_columns_and_parameters_that_there_are(books, verdicts, name):
    book = books[name].workbook
    columns = {path: verdict.columns or () for path, verdict in verdicts(name).items()}
    for item in walk(book.items):
        for context in contexts(item.raw if isinstance(item, QueryItem | LinksItem) else {}):
            for each in context["templateParameters"]:
                known = columns[item.path] if each["source"] == "column" else parameters_of(book)
                assert each["value"] in known


@every_workbook
def test_tabs_and_what_they_show_belong_together(books, name):
    book = books[name].workbook
    tabs = {
        link.sub_target for item in book.items if isinstance(item, LinksItem) and item.is_tabs for link in item.links
    }
    shown = {each.value for item in walk(book.items) for each in item.conditions if each.parameter == "Tab"}

    assert tabs == shown


def test_parameters_of_one_name_are_the_same_everywhere(books):
    seen = {}
    for parsed in books.values():
        for name, parameter in parameters_of(parsed.workbook).items():
            # A group's own page begins with a week; ids are a workbook's own.
            raw = {key: value for key, value in parameter.raw.items() if key != "id"}
            raw.pop("value", None) if name == "TimeRange" else None
            assert seen.setdefault(name, raw) == raw, name


@every_workbook
def test_time_range_and_workspace_are_asked_for_at_the_top(books, name):
    # The deployment binds the parameter Workspace of the top level to its workspace.
    top = next(item for item in books[name].workbook.items if isinstance(item, ParametersItem))

    assert [each.name for each in top.parameters[:2]] == ["TimeRange", "Workspace"]


@every_workbook
def test_every_query_goes_by_the_time_range_and_the_workspace(books, name):
    for item in walk(books[name].workbook.items):
        if isinstance(item, QueryItem):
            assert item.time_parameter == "TimeRange", item.name
            assert item.resources == ("{Workspace}",), item.name
