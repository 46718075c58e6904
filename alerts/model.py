"""An alert rule as a value, in Azure's own words, with what follows from its settings. Pure.

The names are those of Microsoft.Insights/scheduledQueryRules 2023-12-01, in Python's spelling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RANGE: Final = timedelta(hours=48)
"""Azure never looks further back, whatever the rule or its query say."""
MAX_STATEFUL_FREQUENCY: Final = timedelta(hours=12)
TIME_COLUMN: Final = "TimeGenerated"
"""The column by which Azure puts the rows of a result into bins; several bins need it, of type datetime."""
ACTION_GROUPS: Final = ("page", "ticket")
"""The logical names that rules use; the deployment says which action groups they are."""


class TimeAggregation(StrEnum):
    """How the rows of one bin become one number."""

    COUNT = "Count"
    AVERAGE = "Average"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"
    TOTAL = "Total"


class Operator(StrEnum):
    """How the number is compared with the threshold."""

    EQUALS = "Equals"
    GREATER_THAN = "GreaterThan"
    GREATER_THAN_OR_EQUAL = "GreaterThanOrEqual"
    LESS_THAN = "LessThan"
    LESS_THAN_OR_EQUAL = "LessThanOrEqual"

    def holds(self, value: float, threshold: float) -> bool:
        """Tell whether the value violates the threshold; NaN never does."""
        match self:
            case Operator.EQUALS:
                return value == threshold
            case Operator.GREATER_THAN:
                return value > threshold
            case Operator.GREATER_THAN_OR_EQUAL:
                return value >= threshold
            case Operator.LESS_THAN:
                return value < threshold
            case Operator.LESS_THAN_OR_EQUAL:
                return value <= threshold


class DimensionOperator(StrEnum):
    """Whether the listed values are the ones that are looked at, or the ones that are not."""

    INCLUDE = "Include"
    EXCLUDE = "Exclude"


@dataclass(frozen=True, slots=True)
class Dimension:
    """A column whose values split the result: each combination is a series, and an alert of its own."""

    name: str
    operator: DimensionOperator = DimensionOperator.INCLUDE
    values: tuple[str, ...] = ("*",)

    def admits(self, value: str) -> bool:
        """Tell whether rows with this value are looked at."""
        listed = "*" in self.values or value in self.values
        return listed if self.operator is DimensionOperator.INCLUDE else not listed


@dataclass(frozen=True, slots=True)
class FailingPeriods:
    """It fires when at least `minimum` of the last `of` bins violate the threshold."""

    minimum: int = 1
    of: int = 1


@dataclass(frozen=True, slots=True)
class ResolveConfiguration:
    """When a fired alert is resolved, where that is not Azure's default."""

    auto_resolved: bool = True
    time_to_resolve: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule.

    Exactly one of `query` (a name of kql/queries, with `parameters` as text) and `kql` (the text itself) is set.
    `fires_on_silence` says that the rule exists to notice what does not arrive. `file` and `lines` say where it is
    written (setting -> line, from 1), for messages.
    """

    name: str
    display_name: str
    description: str
    severity: int
    owner: str
    runbook: str
    action_group: str
    evaluation_frequency: timedelta
    window_size: timedelta
    operator: Operator
    threshold: float
    query: str = ""
    kql: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    time_aggregation: TimeAggregation = TimeAggregation.COUNT
    metric_measure_column: str = ""
    resource_id_column: str = ""
    dimensions: tuple[Dimension, ...] = ()
    failing_periods: FailingPeriods = FailingPeriods()
    override_query_time_range: timedelta | None = None
    auto_mitigate: bool = True
    mute_actions_duration: timedelta | None = None
    resolve_configuration: ResolveConfiguration | None = None
    custom_properties: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    fires_on_silence: bool = False
    skip_query_validation: bool = False
    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def evaluation_period(self) -> timedelta:
        """How far back the bins reach: windowSize times the number of evaluation periods, at most 48 hours."""
        return min(self.window_size * self.failing_periods.of, MAX_RANGE)

    @property
    def query_time_range(self) -> timedelta:
        """How far back the query looks: the override or the evaluation period, at most 48 hours."""
        return min(self.override_query_time_range or self.evaluation_period, MAX_RANGE)

    @property
    def resolves(self) -> bool:
        """Whether a fired alert is resolved by Azure when the condition is no longer met."""
        return self.auto_mitigate and (self.resolve_configuration is None or self.resolve_configuration.auto_resolved)

    @property
    def resolve_delay(self) -> timedelta:
        """For how long the condition must not be met before a fired alert is resolved."""
        stated = self.resolve_configuration.time_to_resolve if self.resolve_configuration else None
        return stated if stated is not None else resolve_delay(self.evaluation_frequency)

    def place(self, setting: str = "") -> str:
        """Say where a setting is written: `file:line`."""
        return f"{self.file or self.name}:{self.lines.get(setting, self.lines.get('', 1))}"


def resolve_delay(frequency: timedelta) -> timedelta:
    """Give Azure's documented delay before a stateful alert is resolved.

    1 minute: 10 minutes; 5 to 15 minutes: 3 frequency periods; 15 minutes to 11 hours: 2; 11 to 12 hours: 1. The
    documentation names 15 minutes twice: we take 3 periods, the later end, so that a test never promises too much.
    """
    if frequency < timedelta(minutes=5):
        return timedelta(minutes=10)
    if frequency <= timedelta(minutes=15):
        return 3 * frequency
    if frequency <= timedelta(hours=11):
        return 2 * frequency
    return frequency
