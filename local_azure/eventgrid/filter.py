"""Event subscription filters: parsed from ARM's JSON, matched against events. Pure.

All string comparisons ignore case, except a subject prefix or suffix under `isSubjectCaseSensitive`. Where the key of
an advanced filter is missing from the event, a negated operator matches and any other does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_ADVANCED_FILTERS: Final = 25
MAX_VALUES: Final = 25
"""Values over all advanced filters of one subscription."""
MAX_TEXT: Final = 512


class FilterError(ValueError):
    """A filter that Event Grid rejects: where in the JSON, what is wrong, what is allowed."""


@dataclass(frozen=True)
class AdvancedFilter:
    """One condition on one key; `values` are text (lower case), numbers, (low, high) pairs or one bool, as it needs."""

    operator: str
    key: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Filter:
    """Everything must hold. `event_types` are lower case; None lets all types pass."""

    event_types: frozenset[str] | None = None
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    case_sensitive: bool = False
    on_arrays: bool = False
    advanced: tuple[AdvancedFilter, ...] = ()

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether an event in Event Grid schema passes."""
        if self.event_types is not None and str(event.get("eventType", "")).lower() not in self.event_types:
            return False
        fold: Callable[[str], str] = str if self.case_sensitive else str.lower
        subject = fold(str(event.get("subject", "")))
        if not subject.startswith(fold(self.subject_begins_with)) or not subject.endswith(fold(self.subject_ends_with)):
            return False
        return all(_holds(condition, event, on_arrays=self.on_arrays) for condition in self.advanced)


def parse_filter(value: Mapping[str, Any], default_types: Sequence[str]) -> Filter:
    """Read the `filter` object of an event subscription. Raises FilterError."""
    types = _texts(value.get("includedEventTypes") or list(default_types), "filter.includedEventTypes")
    advanced = value.get("advancedFilters") or []
    if not isinstance(advanced, list) or len(advanced) > MAX_ADVANCED_FILTERS:
        raise FilterError(f"filter.advancedFilters: a list of at most {MAX_ADVANCED_FILTERS} is needed.")
    conditions = tuple(_condition(item, f"filter.advancedFilters[{n}]") for n, item in enumerate(advanced))
    count = sum(len(condition.values) for condition in conditions)
    if count > MAX_VALUES:
        raise FilterError(f"filter.advancedFilters: {count} values, at most {MAX_VALUES} over all filters are allowed.")
    return Filter(
        None if "all" in (name.lower() for name in types) else frozenset(name.lower() for name in types),
        _text(value.get("subjectBeginsWith") or "", "filter.subjectBeginsWith"),
        _text(value.get("subjectEndsWith") or "", "filter.subjectEndsWith"),
        bool(value.get("isSubjectCaseSensitive")),
        bool(value.get("enableAdvancedFilteringOnArrays")),
        conditions,
    )


def _condition(item: Any, path: str) -> AdvancedFilter:
    """Read one advanced filter."""
    if not isinstance(item, Mapping):
        raise FilterError(f"{path}: an object with operatorType and key is needed.")
    operator = next((name for name in OPERATORS if name.lower() == str(item.get("operatorType", "")).lower()), None)
    if operator is None:
        allowed = ", ".join(OPERATORS)
        raise FilterError(f"{path}.operatorType: {item.get('operatorType')!r} is not one of {allowed}.")
    key = _text(item.get("key"), f"{path}.key")
    if not key:
        raise FilterError(f"{path}.key: the name of a field such as data.operationName is needed.")
    return AdvancedFilter(operator, key, _values(operator, item, path))


def _values(operator: str, item: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    """Read what an operator compares with."""
    if operator in ("IsNullOrUndefined", "IsNotNull"):
        return ()
    if operator in _SINGLE:
        return (_single(operator, item.get("value"), f"{path}.value"),)
    path = f"{path}.values"
    if operator.startswith("String"):
        return tuple(text.lower() for text in _texts(item.get("values"), path))
    values = item.get("values")
    if not isinstance(values, list) or not values:
        raise FilterError(f"{path}: a list with at least one value is needed.")
    if operator.endswith("InRange"):
        return tuple(_pair(value, f"{path}[{n}]") for n, value in enumerate(values))
    return tuple(_number(value, f"{path}[{n}]") for n, value in enumerate(values))


def _single(operator: str, value: Any, path: str) -> Any:
    if operator != "BoolEquals":
        return _number(value, path)
    if not isinstance(value, bool):
        raise FilterError(f"{path}: true or false is needed.")
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FilterError(f"{path}: a number is needed.")
    return value


def _pair(value: Any, path: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - a range has two ends
        raise FilterError(f"{path}: a range [from, to] is needed.")
    return _number(value[0], path), _number(value[1], path)


def _texts(value: Any, path: str) -> list[str]:
    if not isinstance(value, list) or not value:
        raise FilterError(f"{path}: a list with at least one text is needed.")
    return [_text(item, f"{path}[{n}]") for n, item in enumerate(value)]


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise FilterError(f"{path}: a text of at most {MAX_TEXT} characters is needed.")
    return value


_MISSING: Final = object()
_TOP_LEVEL: Final = ("id", "topic", "subject", "eventType", "eventTime", "dataVersion")


def _look_up(event: Mapping[str, Any], key: str) -> Any:
    """Follow a dotted key into the event; only the names of the envelope ignore case."""
    top = next((name for name in _TOP_LEVEL if name.lower() == key.lower()), None)
    value: Any = event
    for part in [top] if top else key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return _MISSING
        value = value[part]
    return value


def _holds(condition: AdvancedFilter, event: Mapping[str, Any], *, on_arrays: bool) -> bool:
    """Whether one condition holds; on an array, whether it holds for an element (a negated one: for all)."""
    found = _look_up(event, condition.key)
    if condition.operator == "IsNullOrUndefined":
        return found is _MISSING or found is None
    if condition.operator == "IsNotNull":
        return found is not _MISSING and found is not None
    negated = "Not" in condition.operator
    test = OPERATORS[condition.operator]
    candidates = found if on_arrays and isinstance(found, list) else [found]
    positive = any(test(candidate, wanted) for candidate in candidates for wanted in condition.values)
    return positive is not negated


def _text_test(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda found, wanted: isinstance(found, str) and compare(found.lower(), wanted)


def _number_test(compare: Callable[[float, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda found, wanted: (
        isinstance(found, int | float) and not isinstance(found, bool) and compare(found, wanted)
    )


def _never(_found: Any, _wanted: Any) -> bool:
    return False


_text_in = _text_test(lambda found, wanted: found == wanted)
_text_contains = _text_test(lambda found, wanted: wanted in found)
_text_begins = _text_test(lambda found, wanted: found.startswith(wanted))
_text_ends = _text_test(lambda found, wanted: found.endswith(wanted))
_number_in = _number_test(lambda found, wanted: found == wanted)
_number_in_range = _number_test(lambda found, wanted: wanted[0] <= found <= wanted[1])

_SINGLE: Final = (
    *("NumberLessThan", "NumberGreaterThan", "NumberLessThanOrEquals", "NumberGreaterThanOrEquals"),
    "BoolEquals",
)
# A negated operator has the test of its positive twin; `_holds` turns the outcome round.
OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "StringIn": _text_in,
    "StringNotIn": _text_in,
    "StringContains": _text_contains,
    "StringNotContains": _text_contains,
    "StringBeginsWith": _text_begins,
    "StringNotBeginsWith": _text_begins,
    "StringEndsWith": _text_ends,
    "StringNotEndsWith": _text_ends,
    "NumberIn": _number_in,
    "NumberNotIn": _number_in,
    "NumberInRange": _number_in_range,
    "NumberNotInRange": _number_in_range,
    "NumberLessThan": _number_test(lambda found, wanted: found < wanted),
    "NumberGreaterThan": _number_test(lambda found, wanted: found > wanted),
    "NumberLessThanOrEquals": _number_test(lambda found, wanted: found <= wanted),
    "NumberGreaterThanOrEquals": _number_test(lambda found, wanted: found >= wanted),
    "BoolEquals": lambda found, wanted: found is wanted,
    "IsNullOrUndefined": _never,
    "IsNotNull": _never,
}
