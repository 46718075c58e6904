"""The spoke of tests/conftest.py with its worker in this process, and clients that do not wait long."""

import functools
from collections.abc import Callable

import pytest

from bench.spoke import Spoke, in_process
from cloud.arm_pipeline import Patience


@pytest.fixture
def near(spoke: Spoke) -> Spoke:
    """Give the same spoke with the worker's main called in this process: 20 ms a run instead of 300."""
    spoke.worker = in_process
    return spoke


@pytest.fixture
def web(near: Spoke) -> str:
    """Give the address of rg-one/web, whose records are right."""
    address = near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    return address


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give `impatient(read_seconds=…)`: from now on calls in this process are tried twice, with hardly a pause."""

    def make(read_seconds: float = 10.0) -> None:
        short = functools.partial(Patience, attempts=2, first_wait_seconds=0.001, read_seconds=read_seconds)
        monkeypatch.setattr("cloud.arm.Patience", short)

    return make
