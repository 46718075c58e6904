"""Every notebook runs on ninety days, on three and on nothing: no warning, no empty figure, no output committed."""

import json
import os
import sys

import nbformat
import pytest
from nbclient import NotebookClient

NAMES = (
    "01-drift-history", "02-time-to-repair", "03-incident-timeline", "04-probe-and-reverse-dns", "05-capacity-and-cost",
)  # fmt: skip
pytestmark = pytest.mark.timeout(240)  # a kernel starts and draws: seconds alone, a minute on a busy machine
PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture
def read(project_root):
    """Give `read(name, data)`: the notebook with its parameters set, as papermill sets them."""

    def one(name, data, **parameters):
        notebook = nbformat.read(project_root / "notebooks" / f"{name}.ipynb", as_version=4)
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        given = {"DATA": str(data), **parameters}
        first.source += "\n" + "\n".join(f"{key} = {value!r}" for key, value in given.items())
        return notebook

    return one


@pytest.fixture
def run(project_root, monkeypatch):
    """Give `run(notebook)`: the notebook after a run, in a kernel that makes warnings errors."""
    monkeypatch.setenv("PYTHONWARNINGS", "error::UserWarning,error::FutureWarning,error::RuntimeWarning")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    def one(notebook):
        where = {"metadata": {"path": str(project_root / "notebooks")}}
        NotebookClient(notebook, timeout=50, kernel_name="python3", resources=where).execute()
        return notebook

    return one


@pytest.fixture
def execute(read, run):
    """Give `execute(name, data)`: one notebook after a run in a kernel of its own."""
    return lambda name, data, **parameters: run(read(name, data, **parameters))


@pytest.fixture
def execute_all(read, run):
    """Give `execute_all(data)`: every notebook, one after the other in one kernel: starting one takes the longest."""

    def several(data):
        notebooks = [read(name, data) for name in NAMES]
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
def test_it_runs_on_ninety_days_and_every_figure_shows_something(name, execute, season):
    done = execute(name, season.path)
    assert complaints(done) == []
    drawn = figures(done)
    assert drawn
    assert [figure["layout"]["title"]["text"] for figure in drawn if not shows_something(figure)] == []
    assert "same in pandas and in KQL" in texts(done)
    assert "not the same" not in texts(done)


def test_all_run_on_three_days_one_after_the_other(execute_all, days):
    done = execute_all(days.path)
    assert complaints(done) == []
    for figure in figures(done):
        # What cannot be drawn of so little says so.
        assert shows_something(figure) or figure["layout"]["annotations"][0]["text"], figure["layout"]["title"]


def test_all_explain_an_empty_history(execute_all, nothing):
    done = execute_all(nothing)
    assert texts(done).count("There are no events in") == len(NAMES)
    assert texts(done).count("sample-history") == len(NAMES)
    assert complaints(done) == []
    for figure in figures(done):
        assert shows_something(figure) or figure["layout"]["annotations"][0]["text"], figure["layout"]["title"]


def test_an_incident_is_told_of_a_zone_and_of_a_group_by_its_name(execute, season, drifts):
    group = drifts[drifts["ContainerGroup"] != ""]["ContainerGroup"].iloc[0]
    for parameters in (
        {"GROUP": group.upper()},
        {"ZONE": "16.10.in-addr.arpa", "START": "2026-10-18", "END": "2026-10-20"},
    ):
        done = execute("03-incident-timeline", season.path, **parameters)
        assert any(map(shows_something, figures(done)))


def test_the_first_figure_brings_the_library_and_no_other_does(execute, days):
    html = [
        output.data["text/html"]
        for output in outputs(execute("02-time-to-repair", days.path))
        if PLOTLY in output.get("data", {})
    ]
    assert [len(text) > 1_000_000 for text in html] == [True] + [False] * (len(html) - 1)
    assert not any("cdn." in text.split("</script>")[-2] for text in html)


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
