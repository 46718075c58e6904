"""One defect at a time in a copy of the deployment: the check that should find it does, where it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from infra.check.findings import CODES, Finding
from infra.check.run import check

Broken = Callable[[str, str, str], list[Finding]]
DEFECTS = yaml.safe_load(Path(__file__).with_name("defects.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect["name"])
def test_a_seeded_defect_is_found_by_the_check_that_should(broken: Broken, defect: dict[str, str]) -> None:
    found = broken(defect["file"], defect["old"], defect["new"])
    hits = [each for each in found if each.code == defect["code"] and defect["word"] in each.message]
    assert hits, "\n".join(map(str, found))


def test_the_copy_without_a_defect_is_clean(project: Path) -> None:
    assert check(project) == []


def test_a_defect_is_reported_with_the_line_that_it_is_on(broken: Broken, project: Path) -> None:
    found = broken("modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_1'")
    lines = (project / "infra/modules/storage.bicep").read_text(encoding="utf-8").splitlines()
    assert {lines[each.line - 1].strip() for each in found} == {"minimumTlsVersion: 'TLS1_1'"}


def test_every_code_but_those_of_the_toolchain_has_a_seeded_defect() -> None:
    seeded = {defect["code"] for defect in DEFECTS}
    # An installed library always has the versions of the table; generated files have tests of their own.
    assert set(CODES) - seeded == {"unmodelled-api-version", "not-generated"}
