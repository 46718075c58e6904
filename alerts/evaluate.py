"""Evaluates a rule at instants that the caller sets: query, measure, compare with what was before.

The engine is frozen at the instant (`now`): rows that had not been ingested by then are not seen, and now() and ago()
mean that instant. Late rows are judged by whichever evaluation sees them first; that Azure retries an evaluation whose
data was late is not assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from alerts.measure import MeasureError, Series, measure, query_span
from alerts.model import MAX_STATEFUL_FREQUENCY, Rule
from alerts.state import State, Transition, step, step_failed
from core.errors import ConfigurationError
from kql.engine import Engine, QueryError, ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation saw and did. `error` says why it could not be made; `table` is the query's answer."""

    rule: str
    at: datetime
    series: tuple[Series, ...]
    transitions: tuple[Transition, ...]
    state: State
    table: ResultTable | None = None
    dropped: int = 0
    error: str = ""


@runtime_checkable
class EachEngine(Protocol):
    """An engine that can answer a query at many moments in one go; kql.many_moments says why that matters."""

    def query_each(
        self, kql: str, moments: Sequence[tuple[datetime, tuple[datetime, datetime]]]
    ) -> Iterator[ResultTable]:
        """Give the answer at each moment (now, (first, last TimeGenerated)), in order. Raises QueryError."""
        ...


def ensure_supported(rule: Rule) -> None:
    """Raise ConfigurationError for a rule that Azure does not evaluate."""
    if rule.auto_mitigate and rule.evaluation_frequency > MAX_STATEFUL_FREQUENCY:
        raise ConfigurationError(
            f"{rule.place('evaluationFrequency')}: a stateful rule is not evaluated less often than every 12 hours: "
            "set autoMitigate: false, or look more often"
        )


def evaluate(rule: Rule, kql: str, engine: Engine, at: datetime, state: State) -> Evaluation:
    """Evaluate a rule once. A query that fails is an evaluation with an `error`, as it is in Azure."""
    try:
        table = engine.query(kql, timespan=query_span(rule, at), now=at)
    except QueryError as error:
        return _failed(rule, at, state, str(error))
    return judge(rule, table, at, state)


def judge(rule: Rule, table: ResultTable, at: datetime, state: State) -> Evaluation:
    """Evaluate a rule once on the query's answer. Pure."""
    try:
        series = measure(rule, table, at)
    except MeasureError as error:
        return _failed(rule, at, state, str(error))
    after = step(rule, state, at, series)
    return Evaluation(rule.name, at, series, after.transitions, after.state, table, after.dropped)


def replay(
    rule: Rule, kql: str, engine: Engine, moments: Sequence[datetime], state: State | None = None
) -> Iterator[Evaluation]:
    """Evaluate a rule at each of these instants, in order, each beginning where the one before ended."""
    ensure_supported(rule)
    state = state or State()
    for at, answer in zip(moments, _answers(rule, kql, engine, moments), strict=True):
        if isinstance(answer, QueryError):
            done = _failed(rule, at, state, str(answer))
        else:
            done = judge(rule, answer, at, state)
        state = done.state
        yield done


def _answers(rule: Rule, kql: str, engine: Engine, moments: Sequence[datetime]) -> Iterator[ResultTable | QueryError]:
    """Ask at each instant: many in one go where the engine can, and one by one from where it cannot."""
    given = 0
    if isinstance(engine, EachEngine):
        try:
            for table in engine.query_each(kql, [(at, query_span(rule, at)) for at in moments]):
                yield table
                given += 1
        except QueryError:
            pass
    for at in moments[given:]:
        try:
            yield engine.query(kql, timespan=query_span(rule, at), now=at)
        except QueryError as error:
            yield error


def grid(rule: Rule, first: datetime, last: datetime, *, through: datetime) -> list[datetime]:
    """Give the rule's evaluation instants from `first` to `last`, on the grid that goes through an instant."""
    begin = aligned(rule.evaluation_frequency, first, through)
    return [
        begin + rule.evaluation_frequency * number for number in range((last - begin) // rule.evaluation_frequency + 1)
    ]


def aligned(frequency: timedelta, moment: datetime, through: datetime) -> datetime:
    """Give the first instant of the grid that is not before a moment."""
    return (through - (through - moment) // frequency * frequency).astimezone(UTC)


def _failed(rule: Rule, at: datetime, state: State, error: str) -> Evaluation:
    after = step_failed(rule, state, at)
    return Evaluation(rule.name, at, (), after.transitions, after.state, error=error)
