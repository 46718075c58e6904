"""One item of a workbook as the HTML inside its place on the page, given its state and its answer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from workbooks import visibility
from workbooks.answers import Problem, answered_here, elsewhere
from workbooks.model import (
    GroupItem,
    LinksItem,
    MetricsItem,
    ParametersItem,
    QueryItem,
    TextItem,
    UnknownItem,
    walk,
)
from workbooks.viz.context import Badge, RenderContext, badge
from workbooks.viz.controls import Shown, control
from workbooks.viz.html import Html, join, tag, text
from workbooks.viz.links import links
from workbooks.viz.markdown import markdown
from workbooks.viz.visual import visual

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbooks.answers import Answer
    from workbooks.model import Item, Workbook
    from workbooks.resolve import ItemState, State

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~])")
_BARE: Final = (TextItem, ParametersItem, LinksItem, GroupItem)


@dataclass(frozen=True, slots=True)
class Page:
    """What every fragment of one page needs: the state, and where links lead (None where a page cannot be changed).

    `workbook_url(name, parameters)` gives another workbook's address, `export_url(parameters)` this page's with some
    parameters set, `csv_url(anchor)` an item's download.
    """

    state: State
    workbook_url: Callable[[str, Mapping[str, str]], str | None] = field(default=lambda _name, _parameters: None)
    export_url: Callable[[Mapping[str, str]], str] | None = None
    csv_url: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is put into an item's place: HTML, the figure for its plot, badges, and whether it is shown at all."""

    anchor: str
    html: Html
    shown: bool = True
    figure: Mapping[str, Any] | None = None
    badges: tuple[Badge, ...] = ()


def anchor_of(path: str) -> str:
    """Give the id of an item's place on the page: the same for the same workbook."""
    return f"i-{crc32(path.encode()):08x}"


def fragment(page: Page, state: ItemState, answer: Answer | None = None) -> Fragment:
    """Draw one item. `answer` is that of its request, None while there is none."""
    anchor = anchor_of(state.item.path)
    if not state.visible:
        return Fragment(anchor, Html(), shown=False)
    context = context_of(page, state)
    html, figure = _draw(page, state, answer, context)
    return Fragment(anchor, html, True, figure, tuple(context.badges))


def context_of(page: Page, state: ItemState) -> RenderContext:
    """Give what drawing an item needs of its page."""
    return RenderContext(text=state.scope.text, workbook_url=page.workbook_url, export_url=page.export_url)


def is_bare(item: Item) -> bool:
    """Tell whether an item stands on the page without a box of its own."""
    return isinstance(item, _BARE)


def _draw(
    page: Page, state: ItemState, answer: Answer | None, context: RenderContext
) -> tuple[Html, Mapping[str, Any] | None]:
    if isinstance(state.item, QueryItem):
        return _query(page, state, state.item, answer, context)
    return _still(page, state, state.item, context), None


def _still(page: Page, state: ItemState, item: Item, context: RenderContext) -> Html:
    """Draw an item that asks nothing."""
    if isinstance(item, TextItem):
        return _text(item, state)
    if isinstance(item, ParametersItem):
        return _parameters(page, state, item)
    if isinstance(item, LinksItem):
        return _links(page, state, item, context)
    if isinstance(item, MetricsItem):
        return join([_head(item.title, "", context), context.badge(item.path, "platform metrics")])
    return context.badge(item.path, f"item of type {item.kind}") if isinstance(item, UnknownItem) else Html()


def _text(item: TextItem, state: ItemState) -> Html:
    tone = state.scope.text(item.tone).lower()
    drawn = tag("div", markdown(state.scope.text(item.markdown, escape_markdown)), {"class": "markdown"})
    return tag("div", drawn, {"class": f"text tone tone-{tone}" if tone.isalpha() else "text"})


def escape_markdown(value: str) -> str:
    """Keep what data says from being Markdown: every sign that could be markup is escaped."""
    return _MARKDOWN.sub(r"\\\1", value)


def _parameters(page: Page, state: ItemState, item: ParametersItem) -> Html:
    drawn: list[str] = []
    for parameter in item.parameters:
        found = page.state.parameters.get(parameter.path)
        if found is None or parameter.hidden_when_locked or not parameter.name:
            continue
        waiting = f"waits for {', '.join(found.waits_for)}" if found.waits_for else found.problem
        key = found.declaration.key
        drawn.append(control(Shown(parameter, found.value, found.options, waiting, found.times, key), state.scope.now))
    title = tag("h3", state.scope.text(item.title)) if item.title else ""
    return join([title, tag("div", drawn, {"class": f"parameters {item.layout.lower()}"})]) if drawn else Html()


def _links(page: Page, state: ItemState, item: LinksItem, context: RenderContext) -> Html:
    anchors = {one.name: anchor_of(one.path) for one in walk(page.state.workbook.items) if one.name}

    def is_set(parameter: str, value: str) -> bool:
        held = state.scope.get(parameter)
        return held is not None and (held.plain == value or value in held.values)

    return links(item, context, is_set=is_set, step=anchors.get)


def _head(title: str, tools: Html | str, context: RenderContext) -> Html:
    shown = context.text(title)
    if not shown and not tools:
        return Html()
    return tag(
        "div", [tag("h2", shown), tag("span", tools, {"class": "tools"}) if tools else ""], {"class": "item-head"}
    )


def _query(
    page: Page, state: ItemState, item: QueryItem, answer: Answer | None, context: RenderContext
) -> tuple[Html, Mapping[str, Any] | None]:
    problem = _not_asked(state, item, answer, context)
    if problem is not None:
        return join([_head(item.title, "", context), problem]), None
    if isinstance(answer, Problem) or answer is None:
        return join([_head(item.title, "", context), _error(item, answer, context)]), None
    drawn = visual(item, answer, context, state.request.query if state.request else item.query)
    tools = _download(page, item, context)
    partial = tag("p", f"Partial result: {answer.partial}", {"class": "note warning"}) if answer.partial else ""
    return join([_head(item.title, tools, context), tag("div", [partial, drawn.html], {"class": "body"})]), drawn.figure


def _download(page: Page, item: QueryItem, context: RenderContext) -> Html:
    if page.csv_url is None:
        return Html()
    label = f"Download {context.text(item.title) or item.name} as CSV"
    return tag("a", "CSV", {"href": page.csv_url(anchor_of(item.path)), "download": True, "aria-label": label})


def _not_asked(state: ItemState, item: QueryItem, answer: Answer | None, context: RenderContext) -> Html | None:
    """Say why a query was not asked, or None."""
    if state.problem:
        return tag("div", tag("p", state.problem), {"class": "error-card", "role": "alert"})
    if not answered_here(item.query_type):
        return context.badge(f"{item.path}.content.queryType", f"query to {elsewhere(item.query_type)}")
    if state.waits_for:
        return tag("div", tag("p", f"Choose a value for {', '.join(state.waits_for)}."), {"class": "waiting"})
    return (
        tag("div", tag("p", "There is no query."), {"class": "no-data"})
        if state.request is None and not answer
        else None
    )


def _error(item: QueryItem, problem: Problem | None, context: RenderContext) -> Html:
    if problem is None:
        return tag("div", None, {"class": "skeleton", "aria-label": "loading"})
    if problem.unsupported:
        return context.badge(f"{item.path}.content.query", str(problem))
    shown = tag("pre", caret(problem)) if problem.place and problem.query else ""
    return tag("div", [tag("p", str(problem)), shown], {"class": "error-card", "role": "alert"})


def caret(problem: Problem) -> str:
    """Give the line at fault, and below it a caret at the place."""
    lines = problem.query.splitlines()
    if problem.place is None or not 0 < problem.place.line <= len(lines):
        return problem.query
    line = lines[problem.place.line - 1]
    return f"{problem.place.line}: {line}\n{' ' * (len(str(problem.place.line)) + 2 + problem.place.column)}^"


def placeholder(item: Item) -> Html:
    """Give what stands in an item's place until it is drawn."""
    if isinstance(item, UnknownItem):
        return badge(Badge(item.path, f"item of type {item.kind}"))
    return tag("div", None, {"class": "skeleton"}) if isinstance(item, QueryItem) else text("")


def shell(workbook: Workbook) -> Html:
    """Give the places of all items, empty, as the workbook lays them out."""
    return join([_place(item) for item in workbook.items])


def _place(item: Item) -> Html:
    share = min(max(round(item.width_percent or 100), 1), 100)
    classes = f"item w-{share}" + (" bare" if is_bare(item) else "")
    attributes: dict[str, Any] = {
        "id": anchor_of(item.path),
        "class": classes,
        "data-path": item.path,
        "hidden": bool(item.conditions),
    }
    if not isinstance(item, GroupItem):
        return tag("section", tag("div", placeholder(item), {"class": "panel"}), {**attributes, "data-item": True})
    inside = tag("div", [_place(one) for one in item.items], {"class": "items"})
    if item.template:
        inside = join([badge(Badge(item.path, f"group that loads the template {item.template}")), inside])
    if item.expandable:
        inside = tag(
            "details", [tag("summary", item.title or item.name), inside], {"class": "group", "open": item.expanded}
        )
    elif item.title:
        inside = join([tag("h2", item.title), inside])
    return tag("section", tag("div", inside, {"class": "panel"}), attributes)


def items_of(workbook: Workbook) -> list[Item]:
    """Give every item that has content of its own, in reading order."""
    return [item for item in walk(workbook.items) if not isinstance(item, GroupItem)]


def holds(state: ItemState) -> bool:
    """Tell whether an item's own conditions hold (its group's aside)."""
    return visibility.is_visible(state.item.conditions, state.scope)
