"""A workbook as one page that stands still: everything in one file, which opens offline, for a ticket or an e-mail."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from workbooks import substitute_time
from workbooks.asking import Asking
from workbooks.fragments import Fragment, Page
from workbooks.layout import anchor_of
from workbooks.live import View, run, settle
from workbooks.model import GroupItem
from workbooks.places import filled
from workbooks.viz.html import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from workbooks.asking import Answers
    from workbooks.layout import Layout
    from workbooks.resolve import State

HERE: Final = Path(__file__).resolve().parent
PLOTLY: Final = resources.files("plotly") / "package_data" / "plotly.min.js"
_LONG: Final = 80


@dataclass(frozen=True, slots=True)
class Wanted:
    """What page: of what, as of when, with what chosen (by declaration key).

    `source` names the rows for people, `made` is when the page is made.
    """

    layout: Layout
    title: str
    source: str
    now: datetime
    made: datetime
    chosen: Mapping[str, tuple[str, ...]]
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """The page, and its items by their anchors."""

    html: str
    fragments: Mapping[str, Fragment]

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be answered or drawn, one sentence for each item."""
        return tuple(found.problem for found in self.fragments.values() if found.shown and found.problem)

    @property
    def badges(self) -> int:
        """How many elements are shown as a badge."""
        return sum(len(found.badges) for found in self.fragments.values() if found.shown)


def render(wanted: Wanted, answers: Answers) -> Rendered:
    """Ask all that the workbook asks, and make the page. Groups that load at a click are loaded."""
    layout = wanted.layout
    every = frozenset(anchor_of(item.path) for item in layout.items if isinstance(item, GroupItem))
    view = View(layout, wanted.now, wanted.chosen, wanted.resources, every)
    with Asking(answers, wanted.now) as asking:
        with closing(run(view, asking, lambda state: Page(state, wanted.chosen))) as found:
            fragments = {one.anchor: _with_figure(one) for one in found if not one.partial}
        state = settle(view, asking)
    return Rendered(_page(wanted, fragments, state, every), fragments)


def _with_figure(found: Fragment) -> Fragment:
    """Put the figure beside its plot, as data that no parser takes for markup."""
    if found.figure is None:
        return found
    data = Html(json.dumps(found.figure, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c"))
    drawn = join([found.html, tag("script", data, {"type": "application/json", "data-figure": True})])
    return Fragment(found.anchor, drawn, found.shown, None, found.badges, problem=found.problem)


def _page(wanted: Wanted, fragments: Mapping[str, Fragment], state: State, opened: frozenset[str]) -> str:
    body = filled(wanted.layout.workbook, fragments, opened)
    style = (HERE / "static" / "page.css").read_text("utf-8")
    scripts = [(HERE / "static" / "page.js").read_text("utf-8")]
    if "data-figure" in body:
        scripts.insert(0, PLOTLY.read_text("utf-8"))
    loader = FileSystemLoader(HERE / "templates")
    made = Environment(loader=loader, autoescape=select_autoescape(default=True), undefined=StrictUndefined)
    return made.get_template("page.html").render(
        policy=policy_of(style, scripts),
        title=wanted.title,
        source=wanted.source,
        stamp=f"as of {wanted.now:%Y-%m-%d %H:%M} UTC",
        style=Html(style),
        scripts=[Html(_closed_off(script)) for script in scripts],
        body=body,
        about=[
            ("Made", f"{wanted.made:%Y-%m-%d %H:%M} UTC"),
            ("Relative times end at", f"{wanted.now:%Y-%m-%d %H:%M} UTC"),
            ("Rows from", wanted.source),
            *_values(state, wanted.now),
        ],
    )


def _closed_off(script: str) -> str:
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a script that holds the end of a script cannot stand in a page")
    return script


def policy_of(style: str, scripts: list[str]) -> str:
    """Give the content security policy of a page that holds these and nothing else."""
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "form-action 'none'; base-uri 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _values(state: State, now: datetime) -> list[tuple[str, str]]:
    """Give the parameters that a reader could have set, and what they were."""
    found: list[tuple[str, str]] = []
    for each in state.parameters.values():
        parameter, value = each.parameter, each.value
        if parameter is None or value is None or parameter.hidden_when_locked or parameter.settings.password:
            continue
        said = substitute_time.label(value.time, now) if value.time else value.label
        found.append((parameter.caption, said if len(said) <= _LONG else f"{said[:_LONG]} …"))
    return found
