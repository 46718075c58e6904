"""The types that say how a value is drawn. See workbooks.model, which hands them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class FormatterKind(IntEnum):
    """How a cell is drawn, by the number that workbooks use."""

    AUTO = 0
    TEXT = 1
    RIGHT_ALIGNED = 2
    BAR = 3
    BAR_UNDERNEATH = 4
    HIDDEN = 5
    DATE_TIME = 6
    LINK = 7
    HEATMAP = 8
    SPARK_LINE = 9
    SPARK_BARS = 10
    ICON = 11
    BIG_NUMBER = 12
    RESOURCE = 13
    RESOURCE_GROUP = 14
    SUBSCRIPTION = 15
    RESOURCE_TYPE = 16
    LOCATION = 17
    THRESHOLDS = 18
    TIMELINE = 19
    UNKNOWN = 20
    SPARK_AREA = 21
    COMPOSITE_BAR = 22


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a number reads. `unit` is the workbook's number (0 none, 1 %, 2 bytes, 17 count, 23 ms, 24 s, 25 min, 26 h).

    `style` is "decimal", "percent" or "currency", the limits are those of ECMAScript's Intl.NumberFormat; None where
    not set. `empty_text` stands for an empty value.
    """

    unit: int = 0
    style: str = "decimal"
    use_grouping: bool = True
    minimum_fraction_digits: int | None = None
    maximum_fraction_digits: int | None = None
    minimum_integer_digits: int | None = None
    maximum_significant_digits: int | None = None
    currency: str = ""
    empty_text: str = ""
    missing_spark_data: str = ""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """How a time reads. `name` is the portal's pattern (shortDatePattern, …); `utc` None: local time."""

    name: str = ""
    utc: bool | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """One row of a thresholds grid; the first that holds decides.

    `representation` is an icon or a colour. `text` holds `{0}` for the value, `{1}` for its unit, `["column"]` for
    another cell.
    """

    path: str
    operator: str
    value: str = ""
    representation: str = ""
    text: str = "{0}{1}"


@dataclass(frozen=True, slots=True)
class CompositePart:
    """One column of a composite bar and its colour."""

    column: str
    color: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatter:
    """How one place is drawn: the columns of a grid that `column` matches, or a field of a tile, a node, a stat.

    `column` is a regular expression (a grid) or a name (elsewhere). `kind_id` is the number as written, also where
    `kind` is UNKNOWN because nobody knows it. `link_target` and the rest of `link_*` make the cell a link;
    `link_context` holds what that target needs beyond.
    """

    path: str
    column: str = ""
    kind: FormatterKind = FormatterKind.AUTO
    kind_id: int = 0
    palette: str = ""
    minimum: float | None = None
    maximum: float | None = None
    aggregation: str = ""
    show_icon: bool = True
    thresholds_as: Literal["icons", "colors"] = "icons"
    thresholds: tuple[Threshold, ...] = ()
    composite: tuple[CompositePart, ...] = ()
    composite_label: str = ""
    timeline_start: str = ""
    link_target: str = ""
    link_column: str = ""
    link_label: str = ""
    link_sub_target: str = ""
    link_context_blade: bool = False
    link_context: Mapping[str, Any] = field(default_factory=dict, compare=False)
    width: str = ""
    number_format: NumberFormat | None = None
    date_format: DateFormat | None = None
    tooltip: str | None = None
