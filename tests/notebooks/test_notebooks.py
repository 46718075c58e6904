"""Every notebook runs on ninety days, on the demo's rows and on nothing: no warning, no empty figure."""

import json
import os
import re
import sys
from functools import cache

import nbformat
import pytest

from notebooks import render

NAMES = (
    "01-drift-history", "02-time-to-repair", "03-incident-timeline", "04-probe-and-reverse-dns", "05-capacity-and-cost",
)  # fmt: skip
pytestmark = pytest.mark.timeout(240)  # a kernel starts and draws: seconds alone, a minute on a busy machine
PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture(scope="module")
def read(project_root):
    """Give `read(name, data)`: the notebook with its parameters set, as papermill sets them."""

    def one(name, data, **parameters):
        notebook = nbformat.read(project_root / "notebooks" / f"{name}.ipynb", as_version=4)
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        given = {"DATA": str(data), **parameters}
        first.source += "\n" + "\n".join(f"{key} = {value!r}" for key, value in given.items())
        return notebook

    return one


@pytest.fixture(scope="module")
def run():
    """Give `run(notebook)`: the notebook after a run, in a kernel that makes warnings errors."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("PYTHONWARNINGS", "error::UserWarning,error::FutureWarning,error::RuntimeWarning")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    def one(notebook):
        render.execute(notebook, timeout=50)
        return notebook

    yield one
    monkeypatch.undo()


@pytest.fixture(scope="module")
def of_season(read, run, season):
    """Give `of_season(name)`: a notebook after a run on ninety days, in a kernel of its own; it runs once."""
    return cache(lambda name: run(read(name, season.path)))


@pytest.fixture
def execute_all(read, run):
    """Give `execute_all(data, …)`: notebooks one after the other in one kernel: starting one takes the longest."""

    def several(data, *wanted):
        notebooks = [read(name, data, **parameters) for name, parameters in wanted or ((name, {}) for name in NAMES)]
        for number, notebook in enumerate(notebooks):
            for cell in notebook.cells:
                cell["id"] = f"{number}-{cell['id']}"
        notebooks[0].cells = [cell for notebook in notebooks for cell in notebook.cells]
        return run(notebooks[0])

    return several


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def complaints(notebook):
    """Give what a reader should never see: lines on stdout and stderr, and errors that did not stop the run."""
    return [output for output in outputs(notebook) if output.output_type in {"stream", "error"}]


def figures(notebook):
    return [output.data[PLOTLY] for output in outputs(notebook) if PLOTLY in output.get("data", {})]


def shows_something(figure):
    return any(len(trace.get("x") or trace.get("z") or ()) for trace in figure["data"])


def texts(notebook):
    data = [output.get("data", {}) for output in outputs(notebook)]
    return "\n".join(each["text/markdown"] for each in data if "text/markdown" in each)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_ninety_days_and_every_figure_shows_something(name, of_season):
    done = of_season(name)
    assert complaints(done) == []
    drawn = figures(done)
    assert drawn
    assert [figure["layout"]["title"]["text"] for figure in drawn if not shows_something(figure)] == []
    assert "same in pandas and in KQL" in texts(done)
    assert "not the same" not in texts(done)


def explained(figure):
    """Tell whether a figure shows something, or says why it cannot."""
    return shows_something(figure) or figure["layout"]["annotations"][0]["text"]


@pytest.mark.tools
def test_all_run_on_what_the_demo_really_wrote(execute_all, demo_rows):
    done = execute_all(demo_rows)
    assert complaints(done) == []
    drawn = figures(done)
    assert [figure["layout"]["title"]["text"] for figure in drawn if not explained(figure)] == []
    # Half a minute has no pairs that drift together again and again, and nothing to compare days by.
    assert sum(map(shows_something, drawn)) >= len(drawn) - 3
    told = texts(done)
    assert told.count("same in pandas and in KQL") >= 7
    assert "not the same" not in told
    assert "What was wrong" in told
    tables = "\n".join(output.data.get("text/html", "") for output in outputs(done) if PLOTLY not in output.data)
    for cause in ("A record edited by hand", "PTR record deleted by hand", "moved without an event", "restarted"):
        assert cause in tables


def test_all_explain_an_empty_history(execute_all, nothing):
    done = execute_all(nothing)
    assert texts(done).count("There are no events in") == len(NAMES)
    assert texts(done).count("sample-history") == len(NAMES)
    assert complaints(done) == []
    assert all(map(explained, figures(done)))


def test_an_incident_is_told_of_a_zone_and_of_a_group_by_its_name(execute_all, season, drifts):
    group = drifts[drifts["ContainerGroup"] != ""]["ContainerGroup"].iloc[0]
    zone = {"ZONE": "16.10.in-addr.arpa", "START": "2026-10-18", "END": "2026-10-20"}
    done = execute_all(season.path, *(("03-incident-timeline", given) for given in ({"GROUP": group.upper()}, zone)))
    of_group, of_zone = figures(done)
    assert shows_something(of_group)
    assert shows_something(of_zone)
    assert group in of_group["layout"]["title"]["text"]
    assert "16.10.in-addr.arpa" in of_zone["layout"]["title"]["text"]


def test_the_first_figure_brings_the_library_and_no_other_does(of_season):
    shown = [output.data for output in outputs(of_season("02-time-to-repair")) if PLOTLY in output.get("data", {})]
    html = [data["text/html"] for data in shown]
    assert [len(text) > 1_000_000 for text in html] == [True] + [False] * (len(html) - 1)
    assert not any("cdn." in text.split("</script>")[-2] for text in html)


def test_the_titles_say_what_is_found(of_season):
    for name in NAMES:
        heads = [figure["layout"]["title"] for figure in figures(of_season(name))]
        assert [head["text"] for head in heads if not head.get("subtitle", {}).get("text")] == []


def test_a_rendered_notebook_needs_no_network_and_folds_its_code(nothing, tmp_path, project_root):
    path = render.render(project_root / "notebooks" / "02-time-to-repair.ipynb", tmp_path, {"DATA": str(nothing)})
    text = path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["02-time-to-repair.html"]
    assert text.count('<details class="code">') > 10
    assert 'href="03-incident-timeline.html"' in text
    assert not re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']https?:""", text)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_committed_without_output_and_begins_with_its_parameters(name, project_root):
    raw = json.loads((project_root / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in raw["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert code[0]["metadata"]["tags"] == ["parameters"]
    assert "DATA = " in "".join(code[0]["source"])
    assert raw["cells"][0]["cell_type"] == "markdown"
    assert raw["metadata"]["kernelspec"]["name"] == "python3"


def test_nbstripout_finds_nothing_to_strip(project_root):
    import subprocess  # noqa: PLC0415 - here alone

    files = [str(project_root / "notebooks" / f"{name}.ipynb") for name in NAMES]
    command = [sys.executable, "-m", "nbstripout", "--verify", *files]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_notebook_is_among_these(project_root):
    assert sorted(path.stem for path in (project_root / "notebooks").glob("*.ipynb")) == sorted(NAMES)
