"""Lints a rule's query: what Azure forbids in alerts, and whether its answer has what the rule needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from alerts import kql_text
from alerts.durations import to_short
from alerts.findings import Finding, error, note, warning
from alerts.measure import MeasureError, column_faults, is_binned, measure
from alerts.model import MAX_RANGE, TIME_COLUMN, Rule, TimeAggregation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from kql.engine import ResultTable

_FORBIDDEN_CALLS: Final = ("bag_unpack", "pivot", "narrow")
_ONE_MINUTE_OPERATORS: Final = ("search", "union", "take", "limit")
_ONE_MINUTE_CALLS: Final = ("ingestion_time", "adx")
_RESERVED: Final = "AggregatedValue"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about a rule's query. `text_error` says why there is no text, `errors` why it does not run.

    `columns` (name -> Kusto type) are None when they are not known; `empty` is the answer at `at` of a database without
    a row.
    """

    at: datetime
    text: str = ""
    text_error: str = ""
    errors: tuple[str, ...] = ()
    columns: Mapping[str, str] | None = None
    empty: ResultTable | None = None
    functions: Mapping[str, str] = field(default_factory=dict)


def lint_query(rule: Rule, answer: Answer) -> Iterator[Finding]:
    """Give what is wrong with a rule's query."""
    setting = "kql" if rule.kql else "query"
    if rule.kql and rule.parameters:
        yield error(rule, "parameters", "query/parameters", "only a query of kql/queries has parameters")
    if answer.text_error:
        yield error(rule, setting, "query/unknown", answer.text_error)
        return
    for message in answer.errors:
        yield error(rule, setting, "query/invalid", message)
    yield from _forbidden(rule, setting, answer)
    yield from _relative_time(rule, setting, answer)
    if rule.time_aggregation is TimeAggregation.COUNT and kql_text.counts_only(answer.text):
        text = "the query counts already, and Count would count its one row: let it answer with the rows themselves"
        yield error(rule, setting, "query/count-of-count", text)
    if answer.columns is not None:
        yield from _columns(rule, answer.columns)
    if answer.empty is not None:
        yield from _silence(rule, answer)


def _forbidden(rule: Rule, setting: str, answer: Answer) -> Iterator[Finding]:
    reached = kql_text.reached(answer.text, answer.functions)
    for where, text in (("", answer.text), *((f" (in {name})", answer.functions[name]) for name in reached)):
        for name in sorted(kql_text.calls(text) & set(_FORBIDDEN_CALLS)):
            yield error(rule, setting, "query/operator", f"Azure does not take {name}() in an alert's query{where}")
        if "search" in kql_text.operators(text):
            yield error(rule, setting, "query/operator", f"Azure does not take search in an alert's query{where}")
    if _RESERVED in kql_text.words(answer.text):
        yield error(rule, setting, "query/reserved", f"{_RESERVED} is a word that Azure keeps for itself: rename it")
    used = kql_text.operators(answer.text)
    if rule.evaluation_frequency == timedelta(minutes=1):
        yield from _one_minute(rule, setting, answer, reached)
        return
    if "union" in used:
        text = "Azure's documentation says in one place that an alert's query must not use union: call a function"
        yield warning(rule, setting, "query/union", text)
    for name in sorted(used & {"take", "limit"}):
        yield warning(rule, setting, "query/take", f"{name} takes other rows each time: use top, or leave it out")


def _one_minute(rule: Rule, setting: str, answer: Answer, reached: list[str]) -> Iterator[Finding]:
    used = kql_text.operators(answer.text) & set(_ONE_MINUTE_OPERATORS)
    called = kql_text.calls(answer.text) & set(_ONE_MINUTE_CALLS)
    for name in (*sorted(used), *(f"{name}()" for name in sorted(called))):
        text = f"a rule that is evaluated each minute must not use {name}: look every five minutes"
        yield error(rule, setting, "query/one-minute", text)
    if reached:
        text = f"a rule that is evaluated each minute must not call functions that read tables ({', '.join(reached)})"
        yield error(rule, setting, "query/one-minute", f"{text}: look every five minutes")


def _relative_time(rule: Rule, setting: str, answer: Answer) -> Iterator[Finding]:
    for span in kql_text.look_backs(answer.text):
        if isinstance(span, str):
            text = f"ago({span}): in an alert's query Azure takes ago() with a literal only, for example ago(1h)"
            yield error(rule, setting, "query/ago", text)
        elif span > MAX_RANGE:
            text = f"ago({to_short(span)}) looks back no further than 48 hours in an alert"
            yield warning(rule, setting, "query/ago", text)
    asking = [
        name
        for name in kql_text.reached(answer.text, answer.functions)
        if kql_text.calls(answer.functions[name]) & {"now", "ago"}
    ]
    if asking:
        names = f"{' and '.join(asking)} {'asks' if len(asking) == 1 else 'ask'}"
        text = f"{names} for now() or ago(): an evaluation that Azure makes late sees a later time"
        yield note(rule, setting, "query/relative-time", text)


def _columns(rule: Rule, columns: Mapping[str, str]) -> Iterator[Finding]:
    for setting, message in column_faults(rule, columns):
        yield error(rule, setting, "columns/missing" if "has no column" in message else "columns/type", message)
    binned = columns.get(TIME_COLUMN) == "datetime"
    if rule.failing_periods.of > 1 and not binned:
        text = f"several evaluation periods need a column {TIME_COLUMN} of type datetime in the result"
        yield error(rule, "failingPeriods", "columns/time", text)
    if binned and rule.query_time_range > rule.evaluation_period:
        far, near = to_short(rule.query_time_range), to_short(rule.evaluation_period)
        text = (
            f"the query looks back {far}, but its rows have {TIME_COLUMN}: only those of the last {near} count; "
            f"leave {TIME_COLUMN} out, or look back less"
        )
        yield warning(rule, "overrideQueryTimeRange", "columns/time", text)


def _silence(rule: Rule, answer: Answer) -> Iterator[Finding]:
    """Compare what the rule says about silence with what it does when no table has a row."""
    assert answer.empty is not None  # noqa: S101 - the caller looked
    try:
        fires = any(series.met for series in measure(rule, answer.empty, answer.at))
    except MeasureError:
        return  # said already, by its columns
    if rule.fires_on_silence and not fires:
        rows = len(answer.empty)
        what = f"the query gives {rows} row{'' if rows == 1 else 's'} then" + (
            ", none of which is in the last bin or violates the threshold" if rows else ""
        )
        hint = "let it make a row for each thing expected (datatable, join kind=leftouter)"
        yield error(
            rule, "firesOnSilence", "silence/never", f"does not fire when nothing arrives at all: {what}; {hint}"
        )
    if fires and not rule.fires_on_silence:
        text = "fires when no table has any row: if that is meant, say firesOnSilence: true"
        yield warning(rule, "kql" if rule.kql else "query", "silence/undeclared", text)
    if rule.fires_on_silence and is_binned(answer.empty):
        text = f"leave {TIME_COLUMN} out of the result: a row made for silence has no time of its own"
        yield warning(rule, "firesOnSilence", "silence/time", text)
