"""What docs/alerts.md shows is a rule that is read, and unit tests that pass; and its tables have every setting."""

import re

import pytest

from alerts import lint, parse
from alerts.cases import Coverage
from alerts.run_cases import run_files


@pytest.fixture(scope="module")
def page(project_root):
    return (project_root / "docs" / "alerts.md").read_text()


def test_the_rule_and_the_unit_tests_that_are_shown_work(page, tmp_path):
    rule, cases = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "rules" / "sample-failed.yaml").write_text(rule)
    (tmp_path / "tests" / "sample-failed.yaml").write_text(cases)
    assert parse.rule(rule, "x").name == "sample-failed"
    results = list(run_files([tmp_path / "tests" / "sample-failed.yaml"]))
    assert [len(result.mismatches) for result in results] == [0, 0]


def test_every_setting_is_described(page, project_root):
    source = (project_root / "alerts" / "parse.py").read_text()
    settings = set(re.findall(r'_?(?:text|read|typed|choice|number|texts|list_of|take)\("(\w+)"', source))
    settings -= {"minFailingPeriodsToAlert", "numberOfEvaluationPeriods", "values"}
    described = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|.*$", page, re.MULTILINE))))
    assert settings - described - {"autoResolved", "timeToResolve"} == set()


def test_every_heading_and_every_coverage_is_described(page):
    assert all(f"`## {heading}`" in page for heading in lint.HEADINGS)
    assert all(f"`{kind}`" in page for kind in Coverage)
