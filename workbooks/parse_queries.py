"""Reads query items and metrics items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbooks.model import (
    CHART_TYPES,
    Export,
    Item,
    Metric,
    MetricsItem,
    QueryItem,
    QueryType,
    Severity,
    Size,
    TimeBrush,
)
from workbooks.parse_parameters import parameter_kind, time_range
from workbooks.parse_visuals import visuals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbooks.parse_reader import Reader

_TONES: Final[Mapping[int, str]] = {0: "", 1: "", 2: "warning", 3: "success", 4: "info", 5: "error"}
_QUERY_TYPES: Final = {kind.value for kind in QueryType}
_WITHOUT_EFFECT: Final = (
    "version",
    "showAnalytics",
    "showAnnotations",
    "showPin",
    "chartId",
    "metricScope",
    "gridFormatType",
    "resourceLimit",
    "annotations",
    "queryTypeName",
    "isQueryHidden",
    "timeBrushParameterType",
)


def query_item(content: Reader, common: dict[str, Any], _depth: int) -> Item:
    """Read a query item's content."""
    content.ignore(*_WITHOUT_EFFECT)
    number = content.integer("queryType")
    if number not in _QUERY_TYPES:
        message = f"a query of type {number} is not known, and not run"
        content.tell("unknown-query-type", message, at="queryType", severity=Severity.ERROR)
    aggregation = content.number("aggregation")
    tone = content.integer("noDataMessageStyle")
    return QueryItem(
        query=content.text("query"),
        query_type=QueryType(number) if number in _QUERY_TYPES else QueryType.OTHER,
        visualization=content.text("visualization").strip().lower(),
        aggregation=None if aggregation is None else int(aggregation),
        no_data_message=content.text("noDataMessage"),
        no_data_tone=_TONES.get(tone, ""),
        show_refresh=content.flag("showRefreshButton"),
        show_excel=content.flag("showExportToExcel"),
        export_all_columns=content.text("exportToExcelOptions") == "all",
        show_expand_collapse=content.flag("showExpandCollapseGrid"),
        color=content.text("color"),
        **_shared(content),
        **common,
    )


def metrics_item(content: Reader, common: dict[str, Any], _depth: int) -> Item:
    """Read a metrics item's content."""
    content.ignore(*_WITHOUT_EFFECT, "aggregation", "filters", "timeGrain", "timeRangeFromParameter")
    content.ignore(
        "showRefreshButton", "showExportToExcel", "exportToExcelOptions", "noDataMessage", "noDataMessageStyle"
    )
    number = content.integer("chartType", 2)
    if number not in CHART_TYPES:
        content.tell("unknown-visualization", f"chart type {number} is not known", at="chartType")
    return MetricsItem(
        visualization=CHART_TYPES.get(number, str(number)),
        resource_parameter=content.text("resourceParameter"),
        metrics=tuple(_metric(each) for each in content.children("metrics")),
        **_shared(content, "resourceIds"),
        **common,
    )


def _shared(content: Reader, resources: str = "crossComponentResources") -> dict[str, Any]:
    size = content.integer("size")
    if not Size.MEDIUM <= size <= Size.TINY:
        content.tell("out-of-range", f"a size goes from 0 to 4, not {size}", at="size", severity=Severity.INFO)
    return {
        "title": content.text("title"),
        "size": Size(size) if Size.MEDIUM <= size <= Size.TINY else Size.MEDIUM,
        "resource_type": content.text("resourceType"),
        "resources": content.texts(resources),
        "time": time_range(content.child("timeContext")),
        "time_parameter": content.text("timeContextFromParameter"),
        "visuals": visuals(content),
        "exports": _exports(content),
        "brush": _brush(content),
    }


def _metric(of: Reader) -> Metric:
    of.ignore("filters", "splitBySortOrder", "splitByLimit")
    aggregation = of.number("aggregation")
    found = Metric(
        namespace=of.text("namespace"),
        name=of.text("metric"),
        aggregation=None if aggregation is None else int(aggregation),
        split_by=of.texts("splitBy"),
        column=of.text("columnName"),
    )
    of.done()
    return found


def _exports(content: Reader) -> tuple[Export, ...]:
    multiple = content.flag("exportMultipleValues")
    content.ignore("exportAggregateParts", "exportFieldName", "exportDefaultValue", "exportParameterName")
    listed = [_export(each, multiple=multiple) for each in content.children("exportedParameters")]
    name = content.text("exportParameterName")
    if name and name not in {each.parameter for each in listed}:
        default = content.text("exportDefaultValue")
        listed.append(
            Export(
                path=content.at("exportParameterName"),
                column=content.text("exportFieldName"),
                parameter=name,
                default=default or None,
                multiple=multiple,
            )
        )
    return tuple(each for each in listed if each.parameter)


def _export(of: Reader, *, multiple: bool) -> Export:
    default = of.text("defaultValue")
    found = Export(
        path=of.path,
        column=of.text("fieldName"),
        parameter=of.text("parameterName"),
        parameter_kind=parameter_kind(of, "parameterType"),
        default=default or None,
        multiple=multiple,
        quote=of.text("quote", "'"),
        delimiter=of.text("delimiter", ","),
    )
    of.done()
    return found


def _brush(content: Reader) -> TimeBrush | None:
    name, only = content.text("timeBrushParameterName"), content.flag("timeBrushExportOnlyWhenBrushed")
    return TimeBrush(name, only) if name else None
