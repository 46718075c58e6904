"""How things are written for a person."""

import pytest

from cli.words import counted


@pytest.mark.parametrize(
    ("number", "words", "shown"),
    [
        (1, ("target",), "1 target"),
        (0, ("target",), "0 targets"),
        (2, ("query", "queries"), "2 queries"),
        (1, ("query", "queries"), "1 query"),
    ],
)
def test_a_number_comes_with_its_noun(number: int, words: tuple[str, ...], shown: str) -> None:
    assert counted(number, *words) == shown
