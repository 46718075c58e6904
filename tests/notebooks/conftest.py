"""Histories to explore: ninety days of a small fleet with what really happened, three days, and none."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from kql.duckdb_engine import connect
from local_azure.history.shape import Shape
from local_azure.history.truth import Truth
from local_azure.history.write import write_duckdb, write_parquet
from notebooks import source

SHAPE = Shape(groups=12, probe_minutes=240, audit_minutes=360, canary_minutes=720, deploys=0.8)


@dataclass(frozen=True)
class Sample:
    """A history in files; `events` are its rows as load_events gives them, `drifts` their episodes."""

    path: Path
    truth: Truth

    @property
    def wrongs(self):
        """What was really wrong: group, since, until, cause."""
        frame = pd.DataFrame([(each.group, each.since, each.until, each.cause) for each in self.truth.wrongs])
        frame.columns = ["group", "since", "until", "cause"]
        return frame.astype({"since": "datetime64[us, UTC]", "until": "datetime64[us, UTC]"})


@pytest.fixture(scope="session")
def season(tmp_path_factory):
    """Give ninety days, seeded, in a database."""
    path = tmp_path_factory.mktemp("history") / "season.duckdb"
    _, truth = write_duckdb(path, SHAPE)
    return Sample(path, truth)


@pytest.fixture(scope="session")
def days(tmp_path_factory):
    """Give three days, in a folder of Parquet: as small as the demo's history."""
    path = tmp_path_factory.mktemp("history") / "days"
    _, truth = write_parquet(path, Shape.tiny())
    return Sample(path, truth)


@pytest.fixture
def demo_rows(project_root, tmp_path):
    """Give a copy of the rows that `make demo` left: skipped without them, failed where REQUIRE_TOOLS=1."""
    left = project_root / source.DEMO
    if left.exists():
        return Path(shutil.copy(left, tmp_path / "demo.duckdb"))
    reason = f"needs {source.DEMO}, which `make demo` leaves"
    return pytest.fail(reason, pytrace=False) if os.environ.get("REQUIRE_TOOLS") == "1" else pytest.skip(reason)


@pytest.fixture(scope="session")
def nothing(tmp_path_factory):
    """Give a database with our tables, and no row."""
    path = tmp_path_factory.mktemp("history") / "nothing.duckdb"
    connect(path).close()
    return path


@pytest.fixture(scope="session")
def events(season):
    from notebooks import history  # noqa: PLC0415 - statsmodels takes a second

    return history.load_events(season.path)


@pytest.fixture(scope="session")
def drifts(events):
    from notebooks import history  # noqa: PLC0415 - same

    return history.drift_episodes(events)
