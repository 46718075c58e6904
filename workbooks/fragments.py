"""One item of a workbook as the HTML inside its place on the page, given its state and its answer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbooks import substitute_time
from workbooks.answers import Problem, answered_here
from workbooks.check_support import supported
from workbooks.layout import anchor_of
from workbooks.model import (
    GroupItem,
    LinksItem,
    MetricsItem,
    ParametersItem,
    QueryItem,
    TextItem,
    walk,
)
from workbooks.viz.context import Badge, RenderContext, Values, badge
from workbooks.viz.controls import ALL, Shown, control, still
from workbooks.viz.html import Attribute, Html, join, tag
from workbooks.viz.links import links
from workbooks.viz.markdown import markdown
from workbooks.viz.support import not_drawn
from workbooks.viz.visual import visual

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbooks.answers import Answer
    from workbooks.model import Item
    from workbooks.resolve import ItemState, State
    from workbooks.substitute_format import Value

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~])")
WAITING: Final = "waiting for its options …"


@dataclass(frozen=True, slots=True)
class Page:
    """What every fragment of one page needs: the state, what was chosen, and where links lead.

    `workbook_url(name, parameters)` gives another workbook's address, `export_url(choices)` this page's with something
    chosen (None where a page cannot be changed), `csv_url(anchor)` an item's download.
    """

    state: State
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    workbook_url: Callable[[str, Values], str | None] = field(default=lambda _name, _parameters: None)
    export_url: Callable[[Mapping[str, str]], str] | None = None
    csv_url: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is put into an item's place: HTML, the figure for its plot, badges, and whether it is shown at all.

    A group's HTML is its title. `partial` says that more is to come for this item; `problem` is what went wrong, or "".
    """

    anchor: str
    html: Html
    shown: bool = True
    figure: Mapping[str, Any] | None = None
    badges: tuple[Badge, ...] = ()
    partial: bool = False
    problem: str = ""


def fragment(page: Page, state: ItemState, answer: Answer | None = None, *, partial: bool = False) -> Fragment:
    """Draw one item. `answer` is that of its request, None where it asks nothing."""
    anchor = anchor_of(state.item.path)
    if not state.visible:
        return Fragment(anchor, Html(), shown=False)
    context = context_of(page, state)
    if isinstance(state.item, QueryItem):
        html, figure = _query(page, state, state.item, answer, context)
    else:
        html, figure = _still(page, state, state.item, context), None
    wrong = str(answer) if isinstance(answer, Problem) and not answer.unsupported else state.problem
    badges = tuple(dict.fromkeys((*not_rendered(state.item), *context.badges)))
    return Fragment(anchor, join([html, below(badges)]), True, figure, badges, partial, wrong)


def not_rendered(item: Item) -> list[Badge]:
    """Give what of an item is not drawn here: what `drift workbook check` lists."""
    return [Badge(one.path, one.message) for one in (*supported(item), *not_drawn(item))]


def below(badges: Sequence[Badge]) -> Html:
    """Give the badges that stand below what is drawn."""
    return tag("span", [badge(one) for one in badges], {"class": "badges"}) if badges else Html()


def failed(state: ItemState, message: str) -> Fragment:
    """Give what stands in an item's place when drawing it failed."""
    return Fragment(anchor_of(state.item.path), _error_card(tag("p", message)), problem=message)


def context_of(page: Page, state: ItemState) -> RenderContext:
    """Give what drawing an item needs of its page."""
    keys = {one.name: one.key for one in page.state.declarations.all if one.owner.path == state.item.path}
    return RenderContext(
        text=state.scope.text,
        workbook_url=page.workbook_url,
        values=lambda: address_values(state.scope.values),
        export_url=page.export_url,
        key=lambda name: keys.get(name, name),
        chosen=page.chosen,
        time=substitute_time.bounds(state.time, state.scope.now) if state.time else None,
    )


def address_values(values: Mapping[str, Value | None]) -> dict[str, tuple[str, ...]]:
    """Give the values that are set as an address holds them."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in values.items():
        if value is None or value.is_empty:
            continue
        if value.time is not None:
            found[name] = (substitute_time.to_text(value.time),)
        else:
            found[name] = (ALL,) if value.all_text is not None else value.values
    return found


def _still(page: Page, state: ItemState, item: Item, context: RenderContext) -> Html:
    """Draw an item that asks nothing."""
    if isinstance(item, GroupItem):
        return tag("span", context.text(item.title)) if item.title else Html()
    if isinstance(item, TextItem):
        return _text(item, state)
    if isinstance(item, ParametersItem):
        return _parameters(page, state, item)
    if isinstance(item, LinksItem):
        return _links(page, state, item, context)
    if isinstance(item, MetricsItem):
        return _head(item.title, "", context)
    return Html()


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
        waiting = WAITING if found.request else ""
        waiting = f"waits for {', '.join(found.waits_for)}" if found.waits_for else waiting
        key, problem = found.declaration.key, "" if waiting else found.problem
        shown = Shown(parameter, found.value, found.options, problem, found.times, key, waiting)
        drawn.append((still if page.export_url is None else control)(shown, state.scope.now))
    title = tag("h3", state.scope.text(item.title)) if item.title else ""
    box = tag("dl" if page.export_url is None else "div", drawn, {"class": f"parameters {item.layout.lower()}"})
    return join([title, box]) if drawn else Html()


def _links(page: Page, state: ItemState, item: LinksItem, context: RenderContext) -> Html:
    anchors = {one.name: anchor_of(one.path) for one in walk(page.state.workbook.items) if one.name}

    def is_set(parameter: str, value: str) -> bool:
        # A tab sets its parameter for what follows: its own value is that of its declaration, not one that it sees.
        own = page.state.parameters.get(f"{item.path}#{parameter}")
        held = own.value if own and own.value else state.scope.get(parameter)
        return held is not None and (held.plain == value or value in held.values)

    return links(item, context, is_set=is_set, step=anchors.get)


def _head(title: str, tools: Sequence[Html] | str, context: RenderContext) -> Html:
    shown = context.text(title)
    if not shown and not tools:
        return Html()
    drawn = [tag("h2", shown) if shown else "", tag("span", tools, {"class": "tools"}) if tools else ""]
    return tag("div", drawn, {"class": "item-head"})


def _query(
    page: Page, state: ItemState, item: QueryItem, answer: Answer | None, context: RenderContext
) -> tuple[Html, Mapping[str, Any] | None]:
    problem = _not_asked(state, item, answer)
    if problem is None and (isinstance(answer, Problem) or answer is None):
        problem = _error(item, answer, context)
    if problem is not None:
        return join([_head(item.title, "", context), problem]), None
    drawn = visual(item, answer, context, state.request.query if state.request else item.query)  # type: ignore[arg-type]  # a table: all else was told above
    partial = getattr(answer, "partial", None)
    note = tag("p", f"Partial result: {partial}", {"class": "note warning"}) if partial else ""
    head = _head(item.title, _tools(page, item, context), context)
    return join([head, tag("div", [note, drawn.html], {"class": "body"})]), drawn.figure


def _tools(page: Page, item: QueryItem, context: RenderContext) -> list[Html]:
    if page.csv_url is None:
        return []
    name = context.text(item.title) or item.name or "the result"
    reload = tag("button", "Refresh", {"type": "button", "data-reload": True, "aria-label": f"Refresh {name}"})
    address: dict[str, Attribute] = {
        "href": page.csv_url(anchor_of(item.path)),
        "download": True,
        "aria-label": f"Download {name} as CSV",
    }
    return [*([reload] if item.show_refresh else []), tag("a", "CSV", address)]


def _not_asked(state: ItemState, item: QueryItem, answer: Answer | None) -> Html | None:
    """Say why a query was not asked, or None."""
    if state.problem:
        return _error_card(tag("p", state.problem))
    if not answered_here(item.query_type):
        return Html()
    if state.waits_for:
        return tag("div", tag("p", f"Choose a value for {', '.join(state.waits_for)}."), {"class": "waiting"})
    nothing = state.request is None and not answer
    return tag("div", tag("p", "There is no query."), {"class": "no-data"}) if nothing else None


def _error(item: QueryItem, problem: Problem | None, context: RenderContext) -> Html:
    if problem is None:
        return tag("div", None, {"class": "skeleton"})
    if problem.unsupported:
        context.badge(f"{item.path}.content.query", str(problem))
        return Html()
    shown = tag("pre", caret(problem)) if problem.place and problem.query else ""
    return _error_card(tag("p", str(problem)), shown)


def _error_card(*content: str) -> Html:
    return tag("div", content, {"class": "error-card"})


def caret(problem: Problem) -> str:
    """Give the line at fault, and below it a caret at the place."""
    lines = problem.query.splitlines()
    if problem.place is None or not 0 < problem.place.line <= len(lines):
        return problem.query
    line = lines[problem.place.line - 1].replace("\t", " ")
    return f"{problem.place.line}: {line}\n{' ' * (len(str(problem.place.line)) + 2 + problem.place.column)}^"
