"""What a parameter holds: what the reader chose if it may be chosen, else what the author saved, else what is offered.

Pure: the options are given. A reader's choice that the parameter does not offer is not taken, and told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbooks import substitute_time
from workbooks.model import CHOICES, Option, Parameter, ParameterKind, TimeRange
from workbooks.substitute_format import RESOURCE_KINDS, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TEXT: Final = 10_000
MAX_INITIAL_VALUES: Final = 100
"""The portal starts a multi-value parameter with no more of a query's answers."""
_SPECIAL: Final = re.compile(r"value::(all|selected|\d{1,4})")
_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """A parameter's value (None: unset), and what to tell the reader about the choice, or ""."""

    value: Value | None
    problem: str = ""


def choose(
    parameter: Parameter,
    chosen: tuple[str, ...] | None,
    options: tuple[Option, ...],
    *,
    trusted: bool,
    computed: str | None = None,
) -> Chosen:
    """Find the value. `chosen` is what the reader said, None for nothing.

    `trusted` says that the options are the author's own text; `computed` is what a query said for a text.
    """
    if parameter.kind is ParameterKind.TIME_RANGE:
        return _time(parameter, chosen)
    if parameter.kind in CHOICES:
        return _choice(parameter, chosen, options, trusted=trusted)
    if parameter.kind is ParameterKind.MULTI_VALUE:
        return _several(parameter, chosen, options, trusted=trusted)
    return _text(parameter, chosen, computed, trusted=trusted)


def time_ranges(parameter: Parameter) -> tuple[TimeRange, ...]:
    """Give the ranges that a time range parameter offers."""
    return tuple(TimeRange(milliseconds) for milliseconds in parameter.settings.durations_ms)


def _time(parameter: Parameter, chosen: tuple[str, ...] | None) -> Chosen:
    problem, offered = "", parameter.settings.durations_ms
    if chosen and chosen[0]:
        time = substitute_time.from_text(chosen[0])
        custom = (
            parameter.settings.allow_custom or not offered or (time and time.duration_ms in offered and not time.end)
        )
        if time and custom:
            return Chosen(Value(time=time, kind=parameter.kind))
        problem = f"{chosen[0][:60]!r} is not a time range that is offered here"
    saved = parameter.time_range
    if saved and (saved.duration_ms or (saved.start and saved.end)):
        return Chosen(Value(time=saved, kind=parameter.kind), problem)
    if parameter.required and offered:
        length = _DAY if _DAY in offered else offered[0]
        return Chosen(Value(time=TimeRange(length), kind=parameter.kind), problem)
    return Chosen(None, problem)


def _text(parameter: Parameter, chosen: tuple[str, ...] | None, computed: str | None, *, trusted: bool) -> Chosen:
    own = [texts[0] if texts else "" for texts in (parameter.value, parameter.default) if texts is not None]
    if chosen is not None:
        text = chosen[0] if chosen else ""
        problem = _invalid(parameter, text)
        if problem:
            return Chosen(None, problem)
        return Chosen(_one(parameter, text, trusted=text in own) if text or not parameter.required else None)
    if computed is not None:
        return Chosen(_one(parameter, computed, trusted=trusted) if computed or not parameter.required else None)
    text = next((text for text in own if text), "")
    if not text and parameter.required:
        return Chosen(None)
    return Chosen(_one(parameter, text, trusted=True))


def _one(parameter: Parameter, text: str, *, trusted: bool) -> Value:
    return Value(values=(text,) if text else (), trusted=trusted or not text, kind=parameter.kind)


def _invalid(parameter: Parameter, text: str) -> str:
    if len(text) > MAX_TEXT:
        return f"it is longer than {MAX_TEXT} characters"
    for rule in parameter.settings.rules:
        try:
            matches = re.search(rule.pattern, text) is not None
        except re.error:
            continue  # the check tells the author; a reader can do nothing about it
        if matches != rule.match:
            return rule.message or f"{text[:60]!r} is not what {parameter.caption} takes"
    return ""


def _several(
    parameter: Parameter, chosen: tuple[str, ...] | None, options: tuple[Option, ...], *, trusted: bool
) -> Chosen:
    own = {*(parameter.value or ()), *(parameter.default or ())} | ({o.value for o in options} if trusted else set())
    if chosen is not None:
        members = tuple(dict.fromkeys(text for text in chosen if text))
        problem = next(filter(None, (_invalid(parameter, text) for text in members)), "")
        if problem:
            return Chosen(None, problem)
    else:
        members = parameter.value or parameter.default or tuple(option.value for option in options[:MAX_INITIAL_VALUES])
    if not members and parameter.required:
        return Chosen(None)
    return Chosen(_listed(parameter, tuple(Option(text, text) for text in members), trusted=own.issuperset(members)))


def _choice(
    parameter: Parameter, chosen: tuple[str, ...] | None, options: tuple[Option, ...], *, trusted: bool
) -> Chosen:
    problem = ""
    if chosen is not None:
        wanted = tuple(text for text in chosen if text)
        picked, left_out = _pick(parameter, wanted, options)
        if left_out:
            problem = f"not offered here: {', '.join(repr(text[:60]) for text in left_out[:3])}"
        limit = parameter.settings.limit
        if limit and len(picked) > limit and not _is_all(wanted):
            problem, picked = f"at most {limit} can be chosen", picked[:limit]
        if picked or (not wanted and not parameter.required):
            return Chosen(_chosen(parameter, wanted, picked, trusted=trusted), problem)
    for saved in (parameter.value, parameter.default):
        picked, _ = _pick(parameter, saved or (), options)
        if picked:
            return Chosen(_chosen(parameter, saved or (), picked, trusted=trusted), problem)
    selected = tuple(option for option in options if option.selected)
    if not selected and (parameter.kind is ParameterKind.TABS or _picks_itself(parameter)):
        selected = options if parameter.is_multiple else options[:1]
    picked = selected if parameter.is_multiple else selected[:1]
    if picked:
        return Chosen(_listed(parameter, picked, trusted=trusted), problem)
    return Chosen(None if parameter.required else Value(trusted=True, kind=parameter.kind), problem)


def _picks_itself(parameter: Parameter) -> bool:
    """Say whether a picker of the resources at hand starts with what is there: there is nothing else to wait for."""
    return parameter.required and parameter.kind in RESOURCE_KINDS


def _is_all(wanted: Iterable[str]) -> bool:
    return "value::all" in wanted


def _pick(
    parameter: Parameter, wanted: tuple[str, ...], options: tuple[Option, ...]
) -> tuple[tuple[Option, ...], tuple[str, ...]]:
    """Find the wanted options, `value::all` and `value::3` among them; and what is not offered."""
    folded = {option.value.lower(): option for option in options} if parameter.kind in RESOURCE_KINDS else {}
    exact = {option.value: option for option in options}
    picked: dict[str, Option] = {}
    left_out: list[str] = []
    for text in wanted:
        special = _SPECIAL.fullmatch(text)
        count = {"all": len(options), "selected": None}.get(special[1], special[1]) if special else None
        if special and count is not None:
            picked.update({option.value: option for option in options[: int(count)]})
        elif text in exact or text.lower() in folded:
            found = exact.get(text) or folded[text.lower()]
            picked[found.value] = found
        elif not special:
            left_out.append(text)
    found_all = tuple(picked.values())
    return (found_all if parameter.is_multiple or len(found_all) < 2 else found_all[:1]), tuple(left_out)  # noqa: PLR2004


def _chosen(parameter: Parameter, wanted: tuple[str, ...], picked: tuple[Option, ...], *, trusted: bool) -> Value:
    everything = parameter.settings.all_value if _is_all(wanted) else None
    if everything is None:
        return _listed(parameter, picked, trusted=trusted)
    return Value(
        values=tuple(option.value for option in picked),
        labels=tuple(option.label for option in picked),
        trusted=True,
        multiple=parameter.is_multiple,
        quote=parameter.quote,
        delimiter=parameter.delimiter,
        all_text=everything,
        kind=parameter.kind,
    )


def _listed(parameter: Parameter, picked: tuple[Option, ...], *, trusted: bool) -> Value:
    return Value(
        values=tuple(option.value for option in picked),
        labels=tuple(option.label for option in picked),
        trusted=trusted,
        multiple=parameter.is_multiple,
        quote=parameter.quote,
        delimiter=parameter.delimiter,
        kind=parameter.kind,
    )
