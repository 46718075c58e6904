"""Replays rules over history, and says how often each would have fired, for what, and for how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from alerts import corpus
from alerts.evaluate import Evaluation, ensure_supported, grid, replay
from alerts.state import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alerts.measure import Key
    from alerts.model import Rule
    from kql.engine import Engine

THREADS: Final = 2
"""Rules that are replayed at a time; DuckDB uses the cores for each of them."""
Progress = Callable[[str, float], None]
"""Is told a rule's name and which share of its history is done."""
_TELL_EACH: Final = 288


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert: of which series, from when to when. `resolved_at` is None while it is fired, or cannot resolve."""

    dimensions: tuple[tuple[str, str], ...]
    fired_at: datetime
    resolved_at: datetime | None
    value: float | None

    def lasted(self, end: datetime) -> timedelta:
        """Give how long it was fired, up to the end of the history."""
        return (self.resolved_at or end) - self.fired_at


@dataclass(frozen=True, slots=True)
class Backtest:
    """What one rule would have done from `start` to `end`.

    `episodes` in order of time; a stateless rule's have no length. `muted` counts what a mute kept silent, `dropped`
    what Azure's limits did, `failed` evaluations whose query failed, `error` the first such failure's reason.
    """

    rule: Rule
    start: datetime
    end: datetime
    evaluations: int
    episodes: tuple[Episode, ...]
    muted: int = 0
    dropped: int = 0
    failed: int = 0
    error: str = ""

    @property
    def fired(self) -> int:
        """How often somebody would have been told."""
        return len(self.episodes)

    @property
    def per_week(self) -> float:
        """How often in a week, on average: the measure of noise."""
        return self.fired / ((self.end - self.start) / timedelta(days=7))

    @property
    def open(self) -> int:
        """How many alerts are still fired at the end; 0 for a stateless rule, whose alerts have no end."""
        return sum(one.resolved_at is None for one in self.episodes) if self.rule.auto_mitigate else 0

    @property
    def longest(self) -> timedelta | None:
        """The longest time that one alert was fired, None when there is none or the rule is stateless."""
        lengths = [one.lasted(self.end) for one in self.episodes] if self.rule.auto_mitigate else []
        return max(lengths, default=None)

    @property
    def mean_time_to_resolve(self) -> timedelta | None:
        """The mean over the alerts that were resolved, None when none was."""
        lengths = [one.lasted(self.end) for one in self.episodes if one.resolved_at is not None]
        return sum(lengths, timedelta()) / len(lengths) if lengths else None

    def by_dimensions(self) -> list[tuple[tuple[tuple[str, str], ...], int]]:
        """Give how often each series fired, the noisiest first."""
        return sorted(Counter(one.dimensions for one in self.episodes).items(), key=lambda pair: (-pair[1], pair[0]))


def run(  # noqa: PLR0913 - what, over which rows, from when to when, and how
    rules: Sequence[Rule],
    engine: Engine,
    start: datetime,
    end: datetime,
    *,
    threads: int = THREADS,
    progress: Progress | None = None,
) -> list[Backtest]:
    """Replay rules, each at its own frequency, on the grid through `end`; the noisiest first.

    A disabled rule is replayed as if it were not: the question is what it would do. Raises CatalogError for a rule
    whose query there is not, ConfigurationError for one that Azure does not evaluate.
    """
    texts = [corpus.query_text(rule) for rule in rules]
    for rule in rules:
        ensure_supported(rule)

    def one(rule: Rule, text: str) -> Backtest:
        awake = replace(rule, enabled=True)
        moments = grid(awake, start, end, through=end)
        told = _told(replay(awake, text, engine, moments), rule.name, len(moments), progress)
        return summarize(rule, told, start, end)

    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="backtest") as pool:
        found = list(pool.map(one, rules, texts))
    return sorted(found, key=lambda one: (-one.fired, one.rule.name))


def summarize(rule: Rule, evaluations: Iterable[Evaluation], start: datetime, end: datetime) -> Backtest:
    """Make evaluations into episodes and counts. Pure."""
    fired: dict[Key, Episode] = {}
    closed: list[Episode] = []
    muted = dropped = failed = count = 0
    error = ""
    for done in evaluations:
        count, dropped = count + 1, dropped + done.dropped
        failed, error = failed + bool(done.error), error or done.error
        for change in done.transitions:
            muted += change.change is Change.MUTED
            if change.change is Change.FIRED:
                episode = Episode(tuple(change.dimensions.items()), change.at, None, change.value)
                if rule.auto_mitigate:
                    fired[change.key] = episode
                else:
                    closed.append(episode)
            elif change.change is Change.RESOLVED:
                closed.append(replace(fired.pop(change.key), resolved_at=change.at))
    episodes = sorted([*closed, *fired.values()], key=lambda one: (one.fired_at, one.dimensions))
    return Backtest(rule, start, end, count, tuple(episodes), muted, dropped, failed, error)


def _told(evaluations: Iterable[Evaluation], name: str, total: int, progress: Progress | None) -> Iterable[Evaluation]:
    for number, done in enumerate(evaluations, start=1):
        if progress and (number % _TELL_EACH == 0 or number == total):
            progress(name, number / total)
        yield done
