"""`drift infra`: findings as lines or JSON, and the exit code."""

import json
import re
from pathlib import Path

import pytest

from cli import infra_run
from cli.main import run
from infra import build
from infra.costs import Fleet

ROOT = Path(__file__).resolve().parents[2]


def test_the_project_passes_its_own_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["infra", "check"]) == 0
    assert "nothing found; this is no compile" in capsys.readouterr().err


def test_findings_are_lines_with_a_place_and_a_code(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "infra/modules/storage.bicep"
    path.write_text(path.read_text(encoding="utf-8").replace("TLS1_2", "TLS1_0"), encoding="utf-8")
    assert infra_run.check([path], json=False, root=project) == 1
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1
    assert re.match(r"infra/modules/storage\.bicep:\d+: weak-tls: ", out[0])


def test_findings_as_json_say_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "infra/modules/storage.bicep"
    path.write_text(path.read_text(encoding="utf-8").replace("TLS1_2", "TLS1_0"), encoding="utf-8")
    assert infra_run.check([path], json=True, root=project) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert [each["code"] for each in found["findings"]] == ["weak-tls"]


@pytest.mark.parametrize("file", ["infra/main.parameters.json", "infra/none.bicep", "/etc/hostname"])
def test_what_is_no_bicep_file_of_the_project_is_bad_input(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["infra", "check", file]) == 64
    assert "bad_input" in capsys.readouterr().err


def test_the_build_s_check_says_which_files_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build.write(tmp_path)
    (tmp_path / "infra/generated/stream.json").write_text("[]", encoding="utf-8")
    assert infra_run.build(check=True, json=False, root=tmp_path) == 1
    assert "infra/generated/stream.json differs from its source" in capsys.readouterr().out
    assert infra_run.build(check=False, json=True, root=tmp_path) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "written": ["infra/generated/stream.json"]}
    assert infra_run.build(check=True, json=False, root=tmp_path) == 0


def test_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["infra", "check", "--codes"]) == 0
    assert "role-not-granted" in capsys.readouterr().out


def test_the_estimate_is_shown_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["infra", "cost", "--groups", "1000", "--probe-emit", "all"]) == 0
    assert "log_ingestion" in capsys.readouterr().out
    assert infra_run.cost(Fleet(1000), None, json=True) == 0
    assert json.loads(capsys.readouterr().out)["fleet"]["groups"] == 1000
