"""Runs notebooks and writes each as one HTML file that needs no network: `python -m notebooks.render --data FILE`."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER: Final = Path(__file__).resolve().parent
_OFFLINE: Final = dict.fromkeys(
    ("require_js_url", "mathjax_url", "jquery_url", "mermaid_js_url", "jupyter_widgets_base_url"), ""
)
_LINK: Final = re.compile(r"\]\((\d\d-[\w-]+)\.ipynb\)")
_TEMPLATE: Final = """{% extends 'lab/index.html.j2' %}
{% block html_head_css %}{{ super() }}<style>
body { max-width: 1060px; margin: 0 auto !important; }
details.code > summary { color: #5f5f5f; cursor: pointer; font: 12px sans-serif; margin: 2px 5px; }
.jp-OutputArea-output table { font-size: 13px; }
</style>{% endblock %}
{% block input %}<details class="code"><summary>code</summary>{{ super() }}</details>{% endblock %}
"""
"""Who reads a page wants what was found; the code is a click away."""


def render(notebook: Path, out: Path, parameters: dict[str, Any]) -> Path:
    """Run one notebook with parameters, and write it as HTML into a folder. Raises nbclient's CellExecutionError."""
    import nbformat  # noqa: PLC0415 - half a second, and only who renders needs them
    from jinja2 import DictLoader  # noqa: PLC0415 - same
    from nbconvert import HTMLExporter  # noqa: PLC0415 - same

    document = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    with_parameters(document, parameters)
    execute(document)
    for cell in document.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(r"](\1.html)", cell.source)
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_file="folded.html.j2", extra_loaders=[DictLoader({"folded.html.j2": _TEMPLATE})],
        exclude_input_prompt=True, exclude_output_prompt=True, **_OFFLINE,
    )  # fmt: skip
    body, _ = exporter.from_notebook_node(document, resources={"metadata": {"name": notebook.stem}})
    out.mkdir(parents=True, exist_ok=True)
    target, unfinished = out / f"{notebook.stem}.html", out / f".{notebook.stem}.html.part"
    unfinished.write_text(body, encoding="utf-8")
    unfinished.replace(target)
    return target


def execute(document: Any, *, timeout: float = 600) -> None:
    """Run a notebook's cells in a kernel of its own, in this folder; their outputs are in the document then."""
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415 - as above
    from nbclient import NotebookClient  # noqa: PLC0415 - same

    with tempfile.TemporaryDirectory(prefix="drift-kernel-") as folder:
        # Sockets in a folder of this user's own: over TCP everybody on this machine could talk to the kernel.
        ipc = {"transport": "ipc", "ip": f"{folder}/k"} if os.name == "posix" else {}
        kernel = AsyncKernelManager(kernel_name="python3", connection_file=f"{folder}/kernel.json", **ipc)
        resources = {"metadata": {"path": str(FOLDER)}}
        NotebookClient(document, km=kernel, timeout=timeout, resources=resources).execute(cleanup_kc=True)


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
