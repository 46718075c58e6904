"""A tool that is missing is a reason that can be read, and a failure where tools are promised."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize("program", ["no-such-program", ".venv/bin/no-such-program"])
def test_without_the_tool_a_test_is_skipped_with_the_reason(
    require_tool: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.delenv("REQUIRE_TOOLS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"needs {program}, which is not here: run make tool"):
        require_tool(program, "run make tool")


def test_without_the_tool_a_test_fails_where_tools_are_required(
    require_tool: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_TOOLS", "1")
    with pytest.raises(pytest.fail.Exception, match="REQUIRE_TOOLS=1"):
        require_tool("no-such-program")


def test_a_tool_that_is_there_is_given_by_its_path(require_tool: Callable[..., Path]) -> None:
    assert require_tool("sh").is_absolute()
