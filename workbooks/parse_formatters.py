"""Reads formatters: how a cell, or a field of a tile or node, is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from workbooks.model import (
    CompositePart,
    DateFormat,
    Formatter,
    FormatterKind,
    NumberFormat,
    Threshold,
)

if TYPE_CHECKING:
    from workbooks.parse_reader import Reader

LINK_CONTEXTS: Final = (
    "workbookContext",
    "armActionContext",
    "bladeOpenContext",
    "armTemplateContext",
    "notebookContext",
)
"""What a link's target needs beyond its address."""
_KINDS: Final = {kind.value for kind in FormatterKind}


def formatter(of: Reader) -> Formatter:
    """Read one formatter."""
    number = of.integer("formatter")
    if number not in _KINDS:
        of.tell("unknown-formatter", f"formatter {number} is not known; the value is shown as it is", at="formatter")
    options = of.child("formatOptions")
    found = Formatter(
        path=of.path,
        column=of.text("columnMatch"),
        kind=FormatterKind(number) if number in _KINDS else FormatterKind.UNKNOWN,
        kind_id=number,
        number_format=number_format(of.child("numberFormat")),
        date_format=date_format(of.child("dateFormat")),
        tooltip=_tooltip(of.child("tooltipFormat")),
        **(_options(options) if options else {}),
    )
    of.done()
    return found


def _options(options: Reader) -> dict[str, Any]:
    parts, label = _composite(options.child("compositeBarSettings"))
    timeline = options.child("timelineSettings")
    style: Literal["icons", "colors"] = "colors" if options.text("thresholdsOptions") == "colors" else "icons"
    found = {
        "palette": options.text("palette"),
        "minimum": options.number("min"),
        "maximum": options.number("max"),
        "aggregation": options.text("aggregation"),
        "show_icon": options.flag("showIcon", default=True),
        "thresholds_as": style,
        "thresholds": thresholds(options, "thresholdsGrid"),
        "composite": parts,
        "composite_label": label,
        "timeline_start": timeline.text("timelineStartColumn") if timeline else "",
        "link_target": options.text("linkTarget"),
        "link_column": options.text("linkColumn"),
        "link_label": options.text("linkLabel"),
        "link_sub_target": options.text("subTarget"),
        "link_context_blade": options.flag("linkIsContextBlade"),
        "link_context": {key: options.mapping(key) for key in LINK_CONTEXTS if key in options},
        "width": options.text("customColumnWidthSetting"),
    }
    options.ignore(*LINK_CONTEXTS)
    if timeline:
        timeline.done()
    options.done()
    return found


def _composite(bar: Reader | None) -> tuple[tuple[CompositePart, ...], str]:
    if bar is None:
        return (), ""
    parts = []
    for column in bar.children("columnSettings"):
        parts.append(CompositePart(column.text("columnName"), column.text("color")))
        column.done()
    label = bar.text("labelText")
    bar.done()
    return tuple(parts), label


def thresholds(of: Reader, key: str) -> tuple[Threshold, ...]:
    """Read the rows of a thresholds grid."""
    found = []
    for row in of.children(key):
        row.ignore("tooltipFormat")
        found.append(
            Threshold(
                path=row.path,
                operator=row.text("operator", "Default"),
                value=row.text("thresholdValue"),
                representation=row.text("representation"),
                text=row.text("text", "{0}{1}"),
            )
        )
        row.done()
    return tuple(found)


def number_format(of: Reader | None) -> NumberFormat | None:
    """Read how a number is written, or None where nothing is said."""
    if of is None:
        return None
    options = of.child("options")
    found = NumberFormat(
        unit=of.integer("unit"),
        empty_text=of.text("emptyValCustomText"),
        missing_spark_data=of.text("missingSparkDataOption"),
        **(_number_options(options) if options else {}),
    )
    of.done()
    return found


def _number_options(options: Reader) -> dict[str, Any]:
    def limit(key: str) -> int | None:
        number = options.number(key)
        if number is not None and not 0 <= number <= 21:  # noqa: PLR2004 - the limit of Intl.NumberFormat
            options.tell("out-of-range", f"{key} goes from 0 to 21, not {number:g}", at=key)
            return None
        return None if number is None else int(number)

    options.ignore("currencyDisplay", "notation", "compactDisplay", "minimumSignificantDigits")
    found = {
        "style": options.text("style", "decimal"),
        "use_grouping": options.flag("useGrouping", default=True),
        "minimum_fraction_digits": limit("minimumFractionDigits"),
        "maximum_fraction_digits": limit("maximumFractionDigits"),
        "minimum_integer_digits": limit("minimumIntegerDigits"),
        "maximum_significant_digits": limit("maximumSignificantDigits"),
        "currency": options.text("currency"),
    }
    options.done()
    return found


def date_format(of: Reader | None) -> DateFormat | None:
    """Read how a time is written, or None where nothing is said."""
    if of is None:
        return None
    utc = of.value.get("showUtcTime")
    found = DateFormat(of.text("formatName"), None if utc is None else of.flag("showUtcTime"))
    of.ignore("showUtcTime")
    of.done()
    return found


def _tooltip(of: Reader | None) -> str | None:
    if of is None:
        return None
    found = of.text("tooltip")
    of.done()
    return found
