"""What `{Name:specifier}` says of a value: the value itself, its label, a part of it, or it in another notation."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbooks import substitute_time
from workbooks.model import ParameterKind, TimeRange
from workbooks.parse_reader import as_text, decode
from workbooks.substitute_lexer import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_PATH_STEP: Final = re.compile(r"\.([\w-]+|\*)|\[(\d+|\*)\]|\[['\"]([^'\"\]]+)['\"]\]")
RESOURCE_KINDS: Final = frozenset({ParameterKind.RESOURCE, ParameterKind.SUBSCRIPTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a parameter holds.

    `values` are the chosen ones (none: an optional parameter that is left empty) and `labels` what they are shown as.
    `trusted` says that the text is the workbook author's own; what readers, addresses and query results say is not.
    `multiple` values are each put in `quote` and joined by `delimiter`; `all_text` is what the author substitutes for
    "all". `time` is set for a time range alone.
    """

    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    trusted: bool = False
    multiple: bool = False
    quote: str = "'"
    delimiter: str = ","
    all_text: str | None = None
    time: TimeRange | None = None
    kind: ParameterKind = ParameterKind.TEXT

    @property
    def plain(self) -> str:
        """The values without quotes, as conditions and criteria compare them."""
        if self.time is not None:
            return str(substitute_time.duration_ms(self.time))
        return self.all_text if self.all_text is not None else self.delimiter.join(self.values)

    @property
    def label(self) -> str:
        """What is shown for it, labels joined by commas."""
        if self.all_text is not None:
            return "All"
        shown = [*self.labels, *self.values[len(self.labels) :]]
        return ", ".join(label or value for label, value in zip(shown, self.values, strict=False))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen."""
        return self.time is None and self.all_text is None and not any(self.values)


class UnknownSpecifierError(ValueError):
    """A specifier that this kind of parameter does not have."""


def formatted(value: Value, specifier: str, now: datetime, *, kql: bool) -> str:
    """Give the text for a specifier ("" for none). Raises UnknownSpecifierError."""
    if value.time is not None:
        return _time(value.time, specifier.lower(), now, kql=kql)
    if specifier.startswith("$"):
        return _at_path(value.plain, specifier)
    word = specifier.lower()
    if word in {"", "value"}:
        return _listed(value, value.values)
    if word in _PARTS and (value.kind in RESOURCE_KINDS or word != "id"):
        return _listed(value, tuple(map(_PARTS[word], value.values)), quoted=False)
    if word in _NOTATIONS:
        return _NOTATIONS[word](value)
    raise UnknownSpecifierError(f"there is no specifier {specifier!r} for this parameter")


def _listed(value: Value, members: tuple[str, ...], *, quoted: bool = True) -> str:
    if value.all_text is not None:
        # `*` is a value among values, as in `'*' in ({Zone})`; what is quoted or a list already says so itself.
        bare = not value.multiple or not quoted or value.all_text[:1] in {"", "[", "'", '"'}
        return value.all_text if bare else f"{value.quote}{value.all_text}{value.quote}"
    if not value.multiple:
        return members[0] if members else ""
    if not quoted:
        return value.delimiter.join(dict.fromkeys(members))
    quote = value.quote
    ready = members if value.trusted or quote not in {"'", '"'} else (escaped(member, quote) for member in members)
    return value.delimiter.join(f"{quote}{member}{quote}" for member in ready)


def _time(time: TimeRange, word: str, now: datetime, *, kql: bool) -> str:
    start, end = substitute_time.bounds(time, now)
    length = substitute_time.duration_ms(time)
    written = substitute_time.kql_instant if kql else substitute_time.iso
    texts: Mapping[str, Callable[[], str]] = {
        "": lambda: substitute_time.kql_filter(time, now) if kql else substitute_time.label(time, now),
        "label": lambda: substitute_time.label(time, now),
        "value": lambda: substitute_time.kql_filter(time, now),
        "query": lambda: substitute_time.kql_filter(time, now),
        "start": lambda: written(start),
        "end": lambda: written(end),
        "grain": lambda: substitute_time.grain(time),
        "startiso": lambda: substitute_time.iso(start),
        "endiso": lambda: substitute_time.iso(end),
        "durationiso": lambda: substitute_time.iso_duration(length),
        "duration": lambda: substitute_time.kql_duration(length),
        "seconds": lambda: str(length // 1000),
    }
    if word not in texts:
        raise UnknownSpecifierError(f"there is no specifier {word!r} for a time range")
    return texts[word]()


def _part(text: str, after: str) -> str:
    """Give the segment of a resource id that follows another one."""
    segments = text.split("/")
    lowered = [segment.lower() for segment in segments]
    index = lowered.index(after) + 1 if after in lowered else len(segments)
    return segments[index] if index < len(segments) else ""


def _resource_type(text: str) -> str:
    segments = text.split("/")
    lowered = [segment.lower() for segment in segments]
    if "providers" not in lowered:
        return "microsoft.resources/subscriptions" + ("/resourcegroups" if "resourcegroups" in lowered else "")
    tail = segments[len(lowered) - lowered[::-1].index("providers") :]
    return "/".join([*tail[:1], *tail[1::2]]).lower()


def _subscription(text: str) -> str:
    return _part(text, "subscriptions") or text


_PARTS: Final[Mapping[str, Callable[[str], str]]] = {
    "name": lambda text: text.rstrip("/").rsplit("/", 1)[-1],
    "id": _subscription,
    "subid": _subscription,
    "subscription": _subscription,
    "subscriptionid": _subscription,
    "resourcegroup": lambda text: _part(text, "resourcegroups"),
    "resourcetype": _resource_type,
}


def _grid(value: Value) -> str:
    rows = [
        f"| {_PARTS['name'](text)} | {_PARTS['resourcegroup'](text)} | {_subscription(text)} |" for text in value.values
    ]
    return "\n".join(["| name | resource group | subscription |", "| --- | --- | --- |", *rows])


def _from_toml(text: str) -> str:
    try:
        return json.dumps(tomllib.loads(text), indent=2, default=str)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ""


_NOTATIONS: Final[Mapping[str, Callable[[Value], str]]] = {
    "label": lambda value: value.label,
    "escape": lambda value: escaped(_listed(value, value.values, quoted=False), "'"),
    "escapejson": lambda value: json.dumps(value.plain, ensure_ascii=False)[1:-1],
    "base64": lambda value: base64.b64encode(value.plain.encode("utf-8", "replace")).decode(),
    "tomltojson": lambda value: _from_toml(value.plain),
    "grid": _grid,
}
SPECIFIERS: Final = frozenset({"value", *_PARTS, *_NOTATIONS})
TIME_SPECIFIERS: Final = frozenset(
    [
        "label",
        "value",
        "query",
        "start",
        "end",
        "grain",
        "startiso",
        "endiso",
        "durationiso",
        "duration",
        "seconds",
        "escape",
    ]
)


def _at_path(text: str, path: str) -> str:
    """Give what a JSON path finds in a value; nothing where the value is no JSON, as in the portal."""
    try:
        found = [decode(text)]
    except ValueError:
        return ""
    position = 1
    while position < len(path):
        step = _PATH_STEP.match(path, position)
        if step is None:
            raise UnknownSpecifierError(f"the JSON path {path!r} is not understood after {path[:position]!r}")
        found = [member for value in found for member in _members(value, step[1] or step[2] or step[3])]
        position = step.end()
    if not found or found[0] is None:
        return ""
    text_of = as_text(found[0])
    return json.dumps(found[0]) if text_of is None else text_of


def _members(value: Any, key: str) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) if key == "*" else [value[key]] if key in value else []
    if isinstance(value, list):
        if key == "*":
            return list(value)
        return [value[int(key)]] if key.isdigit() and int(key) < len(value) else []
    return []
