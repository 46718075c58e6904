"""What becomes of a rule's alerts from one evaluation to the next: fire, stay silent, resolve, mute. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alerts.measure import Key, Series
    from alerts.model import Rule

STATEFUL_PER_EVALUATION: Final = 300
STATEFUL_FIRED: Final = 5_000
STATELESS_PER_EVALUATION: Final = 6_000
"""Azure's limits: what is over them is not fired at that evaluation."""
DISABLED_AFTER: Final = timedelta(days=7)
"""A rule whose query has failed for so long is switched off by Azure."""


class Change(StrEnum):
    """What happened to an alert, or to the rule, at an evaluation."""

    FIRED = "fired"
    RESOLVED = "resolved"
    MUTED = "muted"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change: of which series, when, the number that it is about (None when resolved), and that number's bin."""

    change: Change
    at: datetime
    dimensions: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    window: tuple[datetime, datetime] | None = None
    fired_at: datetime | None = None

    @property
    def key(self) -> Key:
        """The series."""
        return tuple(self.dimensions.values())


@dataclass(frozen=True, slots=True)
class Alert:
    """A stateful alert that is fired. `healthy_since` is the start of the unbroken time without the condition."""

    dimensions: Mapping[str, str]
    fired_at: datetime
    value: float | None
    window: tuple[datetime, datetime]
    healthy_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What a rule remembers: its fired alerts (stateful), until when a series is muted (stateless), failures."""

    alerts: Mapping[Key, Alert] = field(default_factory=dict)
    muted_until: Mapping[Key, datetime] = field(default_factory=dict)
    failing_since: datetime | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One evaluation's outcome. `dropped` counts alerts that a limit of Azure's kept from firing."""

    state: State
    transitions: tuple[Transition, ...] = ()
    dropped: int = 0


def step(rule: Rule, state: State, at: datetime, series: Sequence[Series]) -> Step:
    """Take a rule from one evaluation to the next. A disabled rule does nothing."""
    if not rule.enabled or state.disabled:
        return Step(state)
    state = replace(state, failing_since=None)
    met = [one for one in series if one.met]
    return _stateful(rule, state, at, met) if rule.auto_mitigate else _stateless(rule, state, at, met)


def step_failed(rule: Rule, state: State, at: datetime) -> Step:
    """Take a rule over an evaluation whose query failed: nothing fires, and nothing becomes healthier by it."""
    if not rule.enabled or state.disabled:
        return Step(state)
    since = state.failing_since or at
    alerts = {key: replace(alert, healthy_since=None) for key, alert in state.alerts.items()}
    disabled = at - since >= DISABLED_AFTER
    after = replace(state, alerts=alerts, failing_since=since, disabled=disabled)
    return Step(after, (Transition(Change.DISABLED, at),) if disabled else ())


def _stateful(rule: Rule, state: State, at: datetime, met: Iterable[Series]) -> Step:
    alerts = dict(state.alerts)
    changes: list[Transition] = []
    seen, dropped = set(), 0
    for one in met:
        seen.add(one.key)
        window = (one.shown.start, one.shown.end)
        if one.key in alerts:
            alerts[one.key] = replace(alerts[one.key], healthy_since=None, value=one.shown.value, window=window)
        elif len(changes) >= STATEFUL_PER_EVALUATION or len(alerts) >= STATEFUL_FIRED:
            dropped += 1
        else:
            alerts[one.key] = Alert(one.dimensions, at, one.shown.value, window)
            changes.append(Transition(Change.FIRED, at, one.dimensions, one.shown.value, window, at))
    for key in [key for key in alerts if key not in seen]:
        alert = replace(alerts[key], healthy_since=alerts[key].healthy_since or at - rule.evaluation_frequency)
        alerts[key] = alert
        if rule.resolves and alert.healthy_since and at - alert.healthy_since >= rule.resolve_delay:
            del alerts[key]
            changes.append(Transition(Change.RESOLVED, at, alert.dimensions, None, None, alert.fired_at))
    return Step(replace(state, alerts=alerts), tuple(changes), dropped)


def _stateless(rule: Rule, state: State, at: datetime, met: Sequence[Series]) -> Step:
    muted_until = {key: until for key, until in state.muted_until.items() if until > at}
    changes: list[Transition] = []
    dropped = fired = 0
    for one in met:
        window = (one.shown.start, one.shown.end)
        if one.key in muted_until:
            changes.append(Transition(Change.MUTED, at, one.dimensions, one.shown.value, window))
        elif fired >= STATELESS_PER_EVALUATION:
            dropped += 1
        else:
            fired += 1
            changes.append(Transition(Change.FIRED, at, one.dimensions, one.shown.value, window, at))
            if rule.mute_actions_duration:
                muted_until[one.key] = at + rule.mute_actions_duration
    return Step(replace(state, muted_until=muted_until), tuple(changes), dropped)
