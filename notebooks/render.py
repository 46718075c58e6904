"""Runs notebooks and writes each as one HTML file that needs no network: `python -m notebooks.render --data FILE`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER: Final = Path(__file__).resolve().parent
_OFFLINE: Final = dict.fromkeys(
    ("require_js_url", "mathjax_url", "jquery_url", "mermaid_js_url", "jupyter_widgets_base_url"), ""
)


def render(notebook: Path, out: Path, parameters: dict[str, Any]) -> Path:
    """Run one notebook with parameters, and write it as HTML into a folder. Raises nbclient's CellExecutionError."""
    import nbformat  # noqa: PLC0415 - half a second, and only who renders needs them
    from nbclient import NotebookClient  # noqa: PLC0415 - same
    from nbconvert import HTMLExporter  # noqa: PLC0415 - same

    document = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    with_parameters(document, parameters)
    NotebookClient(document, timeout=600, resources={"metadata": {"path": str(FOLDER)}}).execute()
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="lab", exclude_input_prompt=True, exclude_output_prompt=True, **_OFFLINE
    )
    body, _ = exporter.from_notebook_node(document, resources={"metadata": {"name": notebook.stem}})
    out.mkdir(parents=True, exist_ok=True)
    target, unfinished = out / f"{notebook.stem}.html", out / f".{notebook.stem}.html.part"
    unfinished.write_text(body, encoding="utf-8")
    unfinished.replace(target)
    return target


def with_parameters(document: Any, parameters: dict[str, Any]) -> None:
    """Put a cell with these parameters below the one that is tagged so, as papermill does."""
    from nbformat.v4 import new_code_cell  # noqa: PLC0415 - as above

    tagged = [at for at, cell in enumerate(document.cells) if "parameters" in cell.metadata.get("tags", [])]
    text = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    cell = new_code_cell(text, metadata={"tags": ["injected-parameters"]})  # type: ignore[no-untyped-call]
    document.cells.insert(tagged[0] + 1 if tagged else 0, cell)


def main(arguments: Sequence[str] | None = None) -> int:
    """Render every notebook, or those that are named."""
    parser = argparse.ArgumentParser(prog="notebooks.render", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="notebooks, by name or beginning: 01, 03-incident-timeline (default: all)"
    )
    parser.add_argument("--data", required=True, help="a file, a folder, demo or workspace:<id>")
    parser.add_argument(
        "--out", type=Path, default=FOLDER.parent / "build" / "notebooks", help="the folder for the HTML"
    )
    given = parser.parse_args(arguments)
    data = os.fspath(Path(given.data).resolve()) if Path(given.data).exists() else given.data
    wanted = [
        path for path in sorted(FOLDER.glob("*.ipynb")) if not given.names or path.stem.startswith(tuple(given.names))
    ]
    if not wanted:
        sys.stderr.write(f"no notebook is called {', '.join(given.names)}\n")
        return 64
    for path in wanted:
        sys.stdout.write(f"{render(path, given.out, {'DATA': data})}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
