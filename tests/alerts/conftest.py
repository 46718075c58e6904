"""Fixtures of the alert rules' tests: a rule by a few settings, rows in a database, results by a few values."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.model import Operator, Rule
from kql import tables
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import ResultColumn, ResultTable

T = datetime(2026, 3, 2, 12, tzinfo=UTC)
YAML = """\
name: sample
displayName: A sample
description: Something is wrong with the sample.
severity: 1
actionGroup: page
owner: dns-platform
runbook: sample.md
kql: |
  AciDnsEvents()
  | where EventType == "reconcile_failed"
evaluationFrequency: PT5M
windowSize: PT5M
timeAggregation: Count
operator: GreaterThan
threshold: 0
"""


@pytest.fixture(scope="session")
def at() -> datetime:
    """Give the instant that tests evaluate at: nothing depends on when they are run."""
    return T


@pytest.fixture(scope="session")
def make_rule() -> Callable[..., Rule]:
    """Give `make(**settings)`: a rule that looks every 5 minutes at 5 minutes, and fires for any row."""

    def make(**settings: Any) -> Rule:
        common: dict[str, Any] = {
            "name": "sample",
            "display_name": "A sample",
            "description": "Something is wrong with the sample.",
            "severity": 1,
            "owner": "dns-platform",
            "runbook": "sample.md",
            "action_group": "page",
            "kql": "AciDnsEvents()",
            "evaluation_frequency": timedelta(minutes=5),
            "window_size": timedelta(minutes=5),
            "operator": Operator.GREATER_THAN,
            "threshold": 0.0,
            "file": "sample.yaml",
        }
        return Rule(**{**common, **settings})

    return make


@pytest.fixture(scope="session")
def make_table() -> Callable[..., ResultTable]:
    """Give `make("Name:type ...", *rows)`: a query's answer."""

    def make(columns: str, *rows: tuple[Any, ...]) -> ResultTable:
        described = [column.split(":") for column in columns.split()]
        return ResultTable(tuple(ResultColumn(name, kind) for name, kind in described), rows)  # type: ignore[arg-type]

    return make


@pytest.fixture
def with_rows() -> Any:
    """Give `with_rows(*(minutes, ingest_delay_minutes, columns))`: an engine that has these events, by time from T."""
    connections = []

    def make(*rows: tuple[float, float, dict[str, Any]]) -> DuckDbEngine:
        connection = connect()
        connections.append(connection)
        arrived = []
        for number, (minutes, delay, columns) in enumerate(rows):
            time = T + timedelta(minutes=minutes)
            stamp = time.isoformat().replace("+00:00", "Z")
            visible = time + timedelta(minutes=delay)
            arrived.append(
                ({"EventId": str(number), **columns, "TimeGenerated": stamp, "EventTime": stamp}, visible, visible)
            )
        tables.append_each(connection, tables.EVENTS, arrived)
        return DuckDbEngine(connection)

    yield make
    for connection in connections:
        connection.close()


@pytest.fixture(scope="session")
def rule_yaml() -> Callable[..., str]:
    """Give `text(**settings)`: a valid rule's file with settings replaced; None leaves one out, others are appended."""

    def text(**settings: Any) -> str:
        kept = []
        skipping = False
        for line in YAML.splitlines():
            key = line.split(":")[0]
            skipping = skipping if line.startswith(" ") else key in settings
            if not skipping:
                kept.append(line)
        added = [f"{key}: {value}" for key, value in settings.items() if value is not None]
        return "\n".join([*kept, *added]) + "\n"

    return text
