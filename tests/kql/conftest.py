"""A workspace in memory, filled by hand: `workspace.says(...)` is an event, `workspace.ask(...)` a query at NOW.

Planning is all that a query over a few rows costs, so these are planned plainly; test_golden asks as users do.
"""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from core import events
from core.events import Component, EventType
from kql import catalog, tables
from kql.duckdb_engine import DuckDbEngine, connect, plan_plainly
from tests.kql import histories

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_COMPONENTS = {"reconcile": Component.RECONCILER, "probe": Component.PROBE, "audit": Component.AUDIT}


def at(minutes_ago):
    return NOW - timedelta(minutes=minutes_ago)


def text(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def group_id(name, resource_group="rg-one"):
    provider = "Microsoft.ContainerInstance/containerGroups"
    return f"/subscriptions/s-1/resourceGroups/{resource_group}/providers/{provider}/{name}"


class Workspace:
    """`minutes_ago` is always from NOW. Every row has an EventId of its own unless it is given one."""

    def __init__(self, connection):
        self.connection = connection
        self.engine = DuckDbEngine(connection)
        self._numbers = count(1)

    def says(self, minutes_ago, event_type, *, group=None, arrives=None, **values):
        """Store an event as its component would send it; `group` fills the columns of that container group."""
        kind = EventType(event_type)
        component = _COMPONENTS.get(kind.value.split("_")[0], Component.TRACKER)
        if group is not None:
            name = {"ContainerGroup": group, "ContainerGroupId": group_id(group), "ResourceGroup": "rg-one"}
            values = {**name, "SubscriptionId": "s-1", "Fqdn": f"{group}.aci.corp.internal", **values}
        stamp = text(at(minutes_ago))
        row = {
            "TimeGenerated": stamp,
            "EventTime": stamp,
            "EventId": f"id-{next(self._numbers):04}",
            "Component": component.value,
            "EventType": kind.value,
            "Severity": events.severity_of(kind, values.get("ErrorCode")).value,
            **values,
        }
        self.store(tables.EVENTS, row, arrives=minutes_ago if arrives is None else arrives)
        return row

    def store(self, table, *rows, arrives=0.0):
        """Store rows of any table as they are; they arrive `arrives` minutes ago."""
        tables.append(self.connection, table, rows, received=at(arrives))

    def ask(self, kql, **options):
        """Answer a query: a list of dictionaries."""
        return list(self.engine.query(kql, **{"now": NOW, **options}))

    def one(self, kql, **options):
        """Answer a query that must have exactly one row."""
        (row,) = self.ask(kql, **options)
        return row


@pytest.fixture
def workspace():
    with connect() as connection:
        plan_plainly(connection)
        yield Workspace(connection)


@pytest.fixture(scope="module")
def connection():
    with connect() as connection:
        plan_plainly(connection)
        yield connection


@pytest.fixture(scope="module")
def engine(connection):
    return DuckDbEngine(connection)


@pytest.fixture
def ask(connection, engine):
    """Store a history and ask a function or query about it: the rows as dicts."""

    def answer(history, name, *, timespan=None, **parameters):
        tables.clear(connection)
        rows = [histories.event(n, minutes, kind, **values) for n, (minutes, kind, values) in enumerate(history)]
        tables.append(connection, tables.EVENTS, rows, received=histories.NOW)
        give = catalog.call if name in catalog.functions() else catalog.query
        return list(engine.query(give(name, **parameters), now=histories.NOW, timespan=timespan))

    return answer
