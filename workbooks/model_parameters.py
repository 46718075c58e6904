"""The types of a workbook's parameters. See workbooks.model, which hands them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class ParameterKind(IntEnum):
    """What a parameter's value is and how it is chosen, by the number that workbooks use."""

    UNKNOWN = 0
    TEXT = 1
    DROPDOWN = 2
    QUERY = 3
    TIME_RANGE = 4
    RESOURCE = 5
    SUBSCRIPTION = 6
    RESOURCE_TYPE = 7
    LOCATION = 8
    MULTI_VALUE = 9
    OPTIONS_GROUP = 10
    TABS = 11


CHOICES: Final = frozenset(
    {
        ParameterKind.DROPDOWN,
        ParameterKind.QUERY,
        ParameterKind.RESOURCE,
        ParameterKind.SUBSCRIPTION,
        ParameterKind.RESOURCE_TYPE,
        ParameterKind.LOCATION,
        ParameterKind.OPTIONS_GROUP,
        ParameterKind.TABS,
    }
)
"""The kinds whose value is chosen from options."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A range of time: the last `duration_ms` until `end` (None: now), or exactly `start` to `end` where both are set.

    `duration_ms` 0 means that another parameter decides.
    """

    duration_ms: int = 0
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. `label` is shown, `value` substituted; `selected` says that it is chosen at first."""

    value: str
    label: str
    selected: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A text is valid when `pattern` matches it (`match`), or does not; `message` says so to who typed it."""

    pattern: str
    match: bool = True
    message: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One rule for a computed value; the first that holds decides. `operator` "Default" always holds.

    `left` names a parameter. `right_kind` is "param" or "static", `result_kind` "param", "static" or "expression":
    a parameter's name, a text, or a sum over parameters.
    """

    path: str
    operator: str
    left: str = ""
    right: str = ""
    right_kind: str = "static"
    result: str = ""
    result_kind: str = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSettings:
    """How a parameter is chosen (typeSettings).

    `special_options` are `value::all`, `value::1`, … offered beside the options. `all_value` is substituted for "all"
    (None: every value, each quoted). `limit` is the most that may be chosen (None: no limit).
    """

    special_options: tuple[str, ...] = ()
    all_value: str | None = None
    show_default: bool = True
    include_all: bool = False
    limit: int | None = None
    durations_ms: tuple[int, ...] = ()
    allow_custom: bool = False
    resource_types: tuple[str, ...] = ()
    multi_line: bool = False
    multi_line_height: int = 0
    language: str = ""
    password: bool = False
    search_box: bool = False
    default_text: str = ""
    rules: tuple[ValidationRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter as it is declared. `path` is its JSON path.

    `options_json` is the text of jsonData, in which parameters may stand; `query` makes options (columns value, label,
    selected, group) or, for a text, the value. `value` and `default` hold what is chosen at first, `time_range` that
    of a time range; None means that nothing is said, `()` that nothing is chosen.
    """

    path: str
    id: str = ""
    name: str = ""
    kind: ParameterKind = ParameterKind.TEXT
    label: str = ""
    description: str = ""
    required: bool = False
    is_global: bool = False
    hidden_when_locked: bool = False
    multi_select: bool = False
    quote: str = "'"
    delimiter: str = ","
    query: str = ""
    query_type: int = 0
    resource_type: str = ""
    resources: tuple[str, ...] = ()
    options_json: str = ""
    value: tuple[str, ...] | None = None
    default: tuple[str, ...] | None = None
    time_range: TimeRange | None = None
    time: TimeRange | None = None
    time_parameter: str = ""
    settings: ParameterSettings = ParameterSettings()
    criteria: tuple[Criterion, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def caption(self) -> str:
        """What is shown beside it."""
        return self.label or self.name

    @property
    def is_multiple(self) -> bool:
        """Whether more than one value may be chosen."""
        return self.multi_select or self.kind is ParameterKind.MULTI_VALUE
