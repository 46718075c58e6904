"""Runbooks are read at three in the morning: every command in them parses, every name and link exists."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import typer.main

from alerts import corpus
from alerts.durations import to_short
from cli.main import app
from kql import catalog

RULES = corpus.read_rules()
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(corpus.RUNBOOKS.glob("*.md"))}
GROUP_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/"
    "Microsoft.ContainerInstance/containerGroups/web"
)
PLACEHOLDERS = {"GROUP_ID": GROUP_ID, "GROUP": "web", "VNET_ID": "/vnet", "ADDRESS": "10.0.0.4", "ZONE_MAP": __file__}
WORKBOOKS = {"Fleet", "Container group", "Reverse DNS and links", "Pipeline"}
COMMAND = typer.main.get_command(app)
TOLD = {0: "Severity 0, pages", 1: "Severity 1, pages", 2: "Severity 2, ", 3: "Severity 3, a ticket"}


def lines_to_run(text: str) -> list[str]:
    """Give the commands of the indented blocks, without the words beside them."""
    found = re.findall(r"^(?: {4}|\s+)(drift .*)$", text, re.MULTILINE)
    return [re.split(r"\s{2,}", line)[0] for line in found]


def spans(text: str) -> list[str]:
    """Give the commands that stand in a sentence or a table."""
    return re.findall(r"`(drift [^`]*)`", text)


def problem(line: str, *, whole: bool = True) -> str:
    """Say what is wrong with a command; one in a sentence need not be whole."""
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(line)[1:]]
    words = [word.replace("=GROUP", "=web") for word in words]
    command, context = COMMAND, typer.Context(COMMAND, info_name="drift")
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return f"no command {' '.join(words[:1])!r}"
        command = command.commands[words.pop(0)]
    try:
        made = command.make_context(line, list(words), parent=context)
    except Exception as error:  # noqa: BLE001 - whatever the library says of a command line
        missing = type(error).__name__ == "MissingParameter"
        return "" if missing and not whole else f"{type(error).__name__}: {error}"
    asked = made.params.get("name")
    return problem_of_query(str(asked), made.params) if "kql run" in line and asked else ""


def problem_of_query(name: str, params: dict[str, object]) -> str:
    known = {**catalog.functions(), **catalog.queries()}
    if name not in known:
        return f"no query {name!r}"
    given = params.get("param") or params.get("params") or []
    assert isinstance(given, list | tuple)
    try:
        catalog.bind(known[name], dict(str(one).split("=", 1) for one in given))
    except catalog.CatalogError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_every_command_parses(page):
    found = [(line, problem(line)) for line in lines_to_run(PAGES[page])]
    found += [(line, problem(line, whole=False)) for line in spans(PAGES[page])]
    assert found
    assert [one for one in found if one[1]] == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("drift kql run open-drifts --last 2d", ""),
        ("drift kql run opendrifts", "no query"),
        ("drift kql run heartbeats --param probesEvery=5m", "probesEvery"),
        ("drift kql run heartbeats --lust 2d", "No such option"),
        ("drift repair GROUP_ID", "no command"),
        ("drift reconcile", "Missing"),
        ("drift events --type reconcile_faild", "reconcile_faild"),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line, says):
    found = problem(line)
    assert says in found
    assert bool(says) == bool(found)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", PAGES[page])
    assert [target for target in targets if not (corpus.RUNBOOKS / target).is_file()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_workbook_and_setting_that_is_named_exists(page, project_root):
    text, settings = PAGES[page], (project_root / "docs" / "settings.md").read_text()
    named = re.findall(r"workbooks? \*([^*]+)\*(?:, and \*([^*]+)\*)?", text)
    assert {name for pair in named for name in pair if name} <= WORKBOOKS
    spoken = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=\w+)?`", text)) - {"GROUP_ID"}
    assert {name for name in spoken if f"`{name}`" not in settings} == set()


@pytest.mark.parametrize("name", RULES)
def test_a_runbook_says_how_severe_it_is_and_whom_to_call(name):
    rule, text = RULES[name], PAGES[RULES[name].runbook]
    assert rule.runbook == f"{name}.md"
    assert text.startswith(f"# {name}: ")
    assert TOLD[rule.severity] in text
    assert ("pages." in text.splitlines()[2]) is (rule.action_group == "page")
    for heading in ("What it means", "What to look at", "What to run", "How to know it is over"):
        assert f"## {heading}\n" in text
    for heading in ("When it is a false alarm", "Whom to call"):
        assert re.search(rf"^## {heading}\n\n\S", text, re.MULTILINE)


def test_there_is_no_runbook_without_a_rule():
    assert set(PAGES) == {rule.runbook for rule in RULES.values()}


@pytest.mark.parametrize("name", RULES)
def test_the_query_to_look_further_exists(name):
    assert RULES[name].custom_properties["query"] in catalog.queries()


def test_heartbeats_are_expected_as_often_as_the_deployment_lets_them_come(project_root: Path):
    bicep = (project_root / "infra" / "main.bicep").read_text()
    every = {}
    for name, minutes, hours in re.findall(r"param (\w+)Schedule string = '0 (\S+) (\S+) \* \* \*'", bicep):
        every[name] = f"{minutes[2:]}m" if minutes.startswith("*/") else "1h" if hours == "*" else "?"
    wanted = f"AciDnsHeartbeats({every['probe']}, {every['audit']}, {every['canary']}, 4)"
    assert wanted in RULES["heartbeat-missing"].kql


def test_rules_that_page_look_at_least_every_ten_minutes():
    slow = {
        name: to_short(rule.evaluation_frequency)
        for name, rule in RULES.items()
        if rule.action_group == "page" and rule.evaluation_frequency.total_seconds() > 600
    }
    assert slow == {}


@pytest.mark.parametrize("name", RULES)
def test_the_page_on_alerts_lists_each_rule_with_its_severity_and_whom_it_tells(name, project_root):
    rule, page = RULES[name], (project_root / "docs" / "alerts.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `") and f"`{name}`" in line.split(" | ")[0]]
    assert len(rows) == 1
    assert f"| {rule.severity} | {rule.action_group} |" in rows[0]
