"""The spoke of tests/conftest.py, under the name that this room's tests know it by."""

import pytest

from bench.spoke import Spoke


@pytest.fixture
def bench(spoke: Spoke) -> Spoke:
    """Give an empty spoke: a network of 10.0.0.0/24, its forward and reverse zone linked to it."""
    return spoke
