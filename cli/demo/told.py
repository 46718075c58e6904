"""What an act is, and what it has to tell: values, and a stopwatch."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from cli.demo.stage import Stage
from cli.demo.world import Group
from core.events import DriftKind, EventType


@dataclass(frozen=True, slots=True)
class Expected:
    """A row that the act must have left in the event table; for drift, with one of its kinds."""

    group: Group
    type: EventType
    kind: DriftKind | None = None
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """An alert that must fire: its rule, some of its dimensions, and whether it must have resolved at the end."""

    rule: str
    dimensions: Mapping[str, str]
    resolves: bool = True

    def __str__(self) -> str:
        return f"{self.rule} ({', '.join(self.dimensions.values())})"


@dataclass(frozen=True, slots=True)
class Told:
    """What an act has to tell. `seconds` is the time from the change in Azure (or the asking) until DNS was right.

    `before`, `after` and `ptr_after` are what a resolver said: the A record, and after it the address's own name.
    `drifted` and `repaired_by` are for the closing table; `wrong` says what is left wrong on purpose, and why. `due`
    are the alerts that it must set off.
    """

    did: str
    before: str
    after: str
    ptr_after: str
    seconds: float
    drifted: str
    repaired_by: str
    note: str = ""
    wrong: str = ""
    expected: tuple[Expected, ...] = ()
    due: tuple[Due, ...] = ()


def unrepaired(group: Group) -> Due:
    """Give the alert about a group whose records stay wrong."""
    where = {"ResourceGroup": group.network.resource_group, "ContainerGroup": group.name}
    return Due("drift-not-repaired", where)


@dataclass(frozen=True, slots=True)
class Act:
    """One act: a name for the eye, and what happens."""

    name: str
    run: Callable[[Stage], Told]


def kinds_of(row: Mapping[str, Any]) -> str:
    """Give a row's kinds of drift in words; the column is JSON text or a list."""
    kinds = row["DriftKinds"]
    return kinds.strip('[]"').replace('","', ", ") if isinstance(kinds, str) else ", ".join(kinds)


class Clock:
    """A stopwatch: it runs in its `with` block, from the last `restart`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.restart()

    def __enter__(self) -> Self:
        self.restart()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.monotonic() - self._began

    def restart(self) -> None:
        """Count from now."""
        self._began = time.monotonic()
