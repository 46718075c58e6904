"""The parameters of a workbook as form controls: native, labelled, usable by keyboard and without a pointer.

Each control's name is the parameter's, so that the form's own encoding is the page's address. A choice that is made
from several is a list of checkboxes that opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from workbooks import substitute_time
from workbooks.model import Option, ParameterKind
from workbooks.viz.html import Attribute, Html, join, tag, text, void

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from workbooks.model import Parameter, TimeRange
    from workbooks.substitute_format import Value

ALL: Final = "value::all"
_SEARCHABLE: Final = 12
"""From so many options on, a list of checkboxes has a search box."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One parameter as it stands: its value (None: unset), what it offers, and what is wrong with the choice.

    `key` is its name in the page's address, by default the parameter's. `waiting` says for what it waits, or "".
    """

    parameter: Parameter
    value: Value | None
    options: tuple[Option, ...] = ()
    problem: str = ""
    ranges: tuple[TimeRange, ...] = ()
    key: str = ""
    waiting: str = ""

    @property
    def name(self) -> str:
        """The name of its control."""
        return self.key or self.parameter.name

    @property
    def id(self) -> str:
        """The id of its control, unique in a page: parameters of two groups may share a name."""
        return f"p-{self.parameter.name}-{crc32(self.parameter.path.encode()):x}"


def control(shown: Shown, now: datetime) -> Html:
    """Draw one parameter: label, control, description, problem."""
    kind = shown.parameter.kind
    if kind is ParameterKind.TIME_RANGE:
        drawn = _time(shown, now)
    elif kind is ParameterKind.OPTIONS_GROUP and not shown.parameter.is_multiple:
        drawn = _radios(shown)
    elif kind is not ParameterKind.TEXT and (shown.options or kind is not ParameterKind.MULTI_VALUE):
        drawn = _checkboxes(shown) if shown.parameter.is_multiple else _select(shown)
    else:
        drawn = _input(shown)
    classes = f"parameter kind-{kind.name.lower().replace('_', '-')}"
    return tag("div", [drawn, _problem(shown)], {"class": classes, "title": shown.parameter.description or None})


def still(shown: Shown, now: datetime) -> Html:
    """Draw one parameter as it stands, where nothing can be chosen."""
    value = shown.value
    said = "(none)" if value is None else substitute_time.label(value.time, now) if value.time else value.label
    if shown.parameter.settings.password:
        said = "(hidden)"
    known = [tag("dt", shown.parameter.caption), tag("dd", said or "(none)")]
    wrong = tag("dd", shown.problem, {"class": "problem"}) if shown.problem else ""
    return tag("div", [*known, wrong], {"class": "parameter"})


def _label(shown: Shown) -> Html:
    star = tag("span", "*", {"class": "required", "title": "required"}) if shown.parameter.required else ""
    return tag("label", [shown.parameter.caption, star], {"for": shown.id})


def _problem(shown: Shown) -> Html:
    if shown.waiting:
        return tag("p", shown.waiting, {"class": "waits", "id": f"{shown.id}-problem"})
    if shown.problem:
        return tag("p", shown.problem, {"class": "problem", "role": "alert", "id": f"{shown.id}-problem"})
    if shown.parameter.required and (shown.value is None or shown.value.is_empty):
        return tag("p", "Choose a value", {"class": "problem", "id": f"{shown.id}-problem"})
    return Html()


def _common(shown: Shown) -> dict[str, Attribute]:
    described = f"{shown.id}-problem" if _problem(shown) else None
    return {"id": shown.id, "name": shown.name, "aria-describedby": described,
            "required": shown.parameter.required}  # fmt: skip


def _select(shown: Shown) -> Html:
    chosen = shown.value.values[0] if shown.value and shown.value.values else ""
    empty = [] if shown.parameter.required and chosen else [tag("option", "(none)", {"value": ""})]
    options = [*empty, *_options(shown.options, chosen)]
    return join([_label(shown), tag("select", options, _common(shown))])


def _options(options: Sequence[Option], chosen: str) -> list[str]:
    found: list[str] = []
    for group, members in groupby(options, key=lambda option: option.group):
        drawn = [
            tag("option", one.label or one.value, {"value": one.value, "selected": one.value == chosen})
            for one in members
        ]
        found += [tag("optgroup", drawn, {"label": group})] if group else drawn
    return found


def _checkboxes(shown: Shown) -> Html:
    value, name = shown.value, shown.name
    chosen = set(value.values) if value else set()
    is_all = value is not None and value.all_text is not None
    boxes = []
    if shown.parameter.settings.all_value is not None or ALL in shown.parameter.settings.special_options:
        boxes.append(_box("checkbox", name, Option(ALL, "All"), is_checked=is_all))
    boxes += [_box("checkbox", name, one, is_checked=not is_all and one.value in chosen) for one in shown.options]
    hint = {"type": "search", "class": "option-filter", "aria-label": f"Filter {shown.parameter.caption}"}
    search = void("input", {**hint, "placeholder": "Filter"}) if len(shown.options) >= _SEARCHABLE else ""
    said = value.label if value and not value.is_empty else "(none)"
    caption = tag("span", shown.parameter.caption, {"class": "label"})
    summary = tag("summary", [caption, tag("span", said, {"class": "chosen"})], {"id": shown.id})
    fields = tag("fieldset", [tag("legend", shown.parameter.caption, {"class": "visually-hidden"}), search, *boxes])
    return tag("details", [summary, fields], {"class": "multi"})


def _box(kind: str, name: str, option: Option, *, is_checked: bool) -> Html:
    attributes: dict[str, Any] = {"type": kind, "name": name, "value": option.value, "checked": is_checked}
    attributes["data-all"] = option.value == ALL
    label = option.label or option.value
    return tag("label", [void("input", attributes), tag("span", label)], {"class": "option"})


def _radios(shown: Shown) -> Html:
    chosen = shown.value.values[0] if shown.value and shown.value.values else ""
    boxes = [_box("radio", shown.name, one, is_checked=one.value == chosen) for one in shown.options]
    return tag("fieldset", [tag("legend", shown.parameter.caption), *boxes], {"class": "radios", "id": shown.id})


def _input(shown: Shown) -> Html:
    settings = shown.parameter.settings
    value = shown.value.values[0] if shown.value and shown.value.values else ""
    if shown.parameter.kind is ParameterKind.MULTI_VALUE:
        value = ", ".join(shown.value.values) if shown.value else ""
    attributes = {**_common(shown), "autocomplete": "off", "spellcheck": "false"}
    if settings.multi_line:
        return join([_label(shown), tag("textarea", text(value), {**attributes, "rows": 3})])
    kind = "password" if settings.password else "search" if settings.search_box else "text"
    return join([_label(shown), void("input", {**attributes, "type": kind, "value": value})])


def _time(shown: Shown, now: datetime) -> Html:
    """Offer the ranges; one that is chosen but not among them (a drilled-down or a dragged one) is offered too."""
    time = shown.value.time if shown.value else None
    offered = list(shown.ranges)
    if time is not None and time not in offered:
        offered.insert(0, time)
    options = [
        tag("option", substitute_time.label(one, now), {"value": substitute_time.to_text(one), "selected": one == time})
        for one in offered
    ]
    drawn = [_label(shown), tag("select", options, _common(shown))]
    if shown.parameter.settings.allow_custom:
        drawn.append(_custom(shown, time, now))
    return join(drawn)


def _custom(shown: Shown, time: TimeRange | None, now: datetime) -> Html:
    """Let the reader say from when to when, in UTC; the script puts both into the one value."""
    start, end = substitute_time.bounds(time, now) if time else (now, now)
    fields = []
    for label, part, moment in (("From", "start", start), ("to", "end", end)):
        box = {"type": "datetime-local", "data-range": part, "value": moment.strftime("%Y-%m-%dT%H:%M"), "step": "60"}
        fields.append(tag("label", [label, " ", void("input", box)]))
    apply = tag("button", "Apply", {"type": "button", "data-range-apply": shown.id})
    summary = tag("summary", "Custom", {"aria-label": f"Custom range for {shown.parameter.caption}, in UTC"})
    return tag(
        "details", [summary, tag("div", [*fields, " UTC ", apply], {"class": "custom-range"})], {"class": "custom"}
    )
