"""Reads the declaration of a parameter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from workbooks.model import (
    Criterion,
    Parameter,
    ParameterKind,
    ParameterSettings,
    Severity,
    TimeRange,
    ValidationRule,
)
from workbooks.parse_reader import as_text

if TYPE_CHECKING:
    from workbooks.parse_reader import Reader

_KINDS: Final = {kind.value: kind for kind in ParameterKind if kind}
_WITHOUT_EFFECT: Final = (
    "version",
    "isInitialTime",
    "resourceTypeFilter",
    "queryTypeName",
    "additionalResourceOptions",
    "grain",
)


def parameter(of: Reader) -> Parameter:
    """Read one parameter."""
    of.ignore(*_WITHOUT_EFFECT)
    kind = parameter_kind(of, "type")
    found = Parameter(
        path=of.path,
        id=of.text("id"),
        name=of.text("name"),
        kind=kind,
        label=of.text("label"),
        description=of.text("description"),
        required=of.flag("isRequired"),
        is_global=of.flag("isGlobal"),
        hidden_when_locked=of.flag("isHiddenWhenLocked"),
        multi_select=of.flag("multiSelect"),
        quote=of.text("quote", "'"),
        delimiter=of.text("delimiter", ","),
        query=of.text("query"),
        query_type=of.integer("queryType"),
        resource_type=of.text("resourceType"),
        resources=of.texts("crossComponentResources"),
        options_json=_json_text(of, "jsonData"),
        value=None if kind is ParameterKind.TIME_RANGE else _chosen(of, "value"),
        default=_chosen(of, "defaultValue"),
        time_range=time_range(of.child("value")) if kind is ParameterKind.TIME_RANGE else None,
        time=time_range(of.child("timeContext")),
        time_parameter=of.text("timeContextFromParameter"),
        settings=_settings(of.child("typeSettings")),
        criteria=tuple(_criterion(each) for each in of.children("criteriaData")),
        raw=of.value,
    )
    of.done()
    return found


def parameter_kind(of: Reader, key: str) -> ParameterKind:
    """Read the number of a kind of parameter."""
    number = of.integer(key, ParameterKind.TEXT.value)
    if number not in _KINDS:
        message = f"a parameter of type {number} is not known; it is shown as a text"
        of.tell("unknown-parameter-type", message, at=key, severity=Severity.ERROR)
    return _KINDS.get(number, ParameterKind.UNKNOWN)


def time_range(of: Reader | None) -> TimeRange | None:
    """Read a range of time, or None where nothing is said."""
    if of is None:
        return None
    of.ignore("createdTime", "isInitialTime", "grain", "useDashboardTimeRange")
    duration = of.integer("durationMs")
    if not 0 <= duration <= MAX_DURATION_MS:
        of.tell("out-of-range", f"a duration goes from 0 ms to 100 years, not {duration}", at="durationMs")
        duration = 0
    found = TimeRange(duration, _instant(of, "startTime"), _instant(of, "endTime"))
    of.done()
    return found


MAX_DURATION_MS: Final = 100 * 366 * 86_400_000


def _instant(of: Reader, key: str) -> datetime | None:
    text = of.text(key)
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        of.tell("wrong-type", f"a time in ISO 8601 was expected, not {text[:40]!r}; it has no effect here", at=key)
        return None


def _chosen(of: Reader, key: str) -> tuple[str, ...] | None:
    """Read a value: a scalar, a list of them, or JSON for its own sake. Empty ones count as nothing chosen."""
    value = of.raw(key)
    if value is None:
        return None
    if isinstance(value, dict):
        return (json.dumps(value),)
    members = value if isinstance(value, list) else [value]
    texts = (as_text(member) if not isinstance(member, dict | list) else json.dumps(member) for member in members)
    return tuple(text for text in texts if text)


def _json_text(of: Reader, key: str) -> str:
    """Read JSON that stands in a text; where it stands there as it is, it becomes that text."""
    value: Any = of.raw(key)
    if isinstance(value, dict | list):
        of.tell("converted", "JSON in a text was expected, not JSON itself", at=key, severity=Severity.INFO)
        return json.dumps(value)
    return of.text(key)


def _settings(of: Reader | None) -> ParameterSettings:
    if of is None:
        return ParameterSettings()
    of.ignore("componentIdOnly", "preFormatJsonData", "disableTime", "selectionHelpText")
    limit = of.number("limitSelectTo")
    types = of.mapping("resourceTypeFilter")
    found = ParameterSettings(
        special_options=of.texts("additionalResourceOptions"),
        all_value=of.text("selectAllValue") if "selectAllValue" in of else None,
        show_default=of.flag("showDefault", default=True),
        include_all=of.flag("includeAll"),
        limit=int(limit) if limit and limit > 0 else None,
        durations_ms=_durations(of),
        allow_custom=of.flag("allowCustom"),
        resource_types=tuple(sorted(name.lower() for name, on in types.items() if on))
        if isinstance(types, dict)
        else (),
        multi_line=of.flag("multiLineText"),
        multi_line_height=of.integer("multiLineHeight"),
        language=of.text("editorLanguage"),
        password=of.flag("isPassword"),
        search_box=of.flag("isSearchBox"),
        default_text=of.text("defaultItemsText"),
        rules=tuple(_rule(each) for each in of.children("paramValidationRules")),
    )
    of.done()
    return found


def _durations(of: Reader) -> tuple[int, ...]:
    found = []
    for each in of.children("selectableValues"):
        each.ignore("createdTime", "isInitialTime", "grain", "useDashboardTimeRange", "endTime")
        found.append(each.integer("durationMs"))
        each.done()
    return tuple(duration for duration in found if 0 < duration <= MAX_DURATION_MS)


def _rule(of: Reader) -> ValidationRule:
    found = ValidationRule(of.text("regExp"), of.flag("match", default=True), of.text("message"))
    of.done()
    return found


def _criterion(of: Reader) -> Criterion:
    context = of.child("criteriaContext")
    if context is None:
        of.done()
        return Criterion(of.path, "Default")
    found = Criterion(
        path=context.path,
        operator=context.text("operator", "Default"),
        left=context.text("leftOperand"),
        right=context.text("rightVal"),
        right_kind=context.text("rightValType", "static"),
        result=context.text("resultVal"),
        result_kind=context.text("resultValType", "static"),
    )
    context.done()
    of.done()
    return found
