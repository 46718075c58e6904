"""A local Azure with one spoke, the product's path beside it, and its worker in a process of its own or in this one."""

import functools
from collections.abc import Callable, Iterator

import pytest

from bench.spoke import Spoke, in_process
from cloud.arm_pipeline import Patience
from local_azure.server import LocalAzure


@pytest.fixture(scope="session")
def azure() -> Iterator[LocalAzure]:
    """Give a local Azure of ARM and identity alone, whose operations end at once."""
    with LocalAzure.start(parts=(), seed=7, provisioning_seconds=0.0) as running:
        yield running


@pytest.fixture
def spoke(azure: LocalAzure) -> Iterator[Spoke]:
    """Give an empty spoke, its worker a process as in Azure."""
    laid_out = Spoke.lay_out(azure)
    yield laid_out
    laid_out.close()


@pytest.fixture
def near(spoke: Spoke) -> Spoke:
    """Give the same spoke with the worker's main called in this process: 20 ms a run instead of 300."""
    spoke.worker = in_process
    return spoke


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give `impatient(read_seconds=…)`: from now on calls in this process are tried twice, with hardly a pause."""

    def make(read_seconds: float = 10.0) -> None:
        short = functools.partial(Patience, attempts=2, first_wait_seconds=0.001, read_seconds=read_seconds)
        monkeypatch.setattr("cloud.arm.Patience", short)

    return make
