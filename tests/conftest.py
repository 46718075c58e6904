"""Fixtures for every room's tests."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Give the folder that holds function_app.py and the rooms."""
    return ROOT


@pytest.fixture(scope="session")
def require_tool() -> Callable[..., Path]:
    """Give `require(program, hint="")`: the program's path, or the test is skipped, or failed where REQUIRE_TOOLS=1.

    `program` is a name looked up on PATH, or a path below the project's root when it has a slash; `hint` says how it is
    got. Mark such tests `@pytest.mark.tools`.
    """

    def require(program: str, hint: str = "") -> Path:
        found = shutil.which(str(ROOT / program) if "/" in program else program)
        if found:
            return Path(found)
        reason = f"needs {program}, which is not here{f': {hint}' if hint else ''}"
        if os.environ.get("REQUIRE_TOOLS") == "1":
            pytest.fail(f"{reason} (REQUIRE_TOOLS=1 makes this a failure)", pytrace=False)
        pytest.skip(reason)

    return require
