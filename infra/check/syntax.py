"""Two borrowed parsers look at every file; what either does not take is not valid Bicep, or too new for them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import pycep
import tree_sitter
import tree_sitter_bicep

from infra.check.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_syntax(path: Path, text: str) -> list[Finding]:
    """Find what tree-sitter-bicep and pycep do not take."""
    return [Finding(path, line, "syntax", message) for line, message in _problems(text)]


@lru_cache(maxsize=256)
def _problems(text: str) -> list[tuple[int, str]]:
    return list(_find(text))


def _find(text: str) -> Iterator[tuple[int, str]]:
    tree = _parser().parse(text.encode())
    for node in _errors(tree.root_node):
        yield node.start_point[0] + 1, f"tree-sitter-bicep: unexpected {_shown(node)}"
    try:
        _pycep().parse(text=text)
    except Exception as error:  # noqa: BLE001 - lark's errors have no common base that pycep exports
        cause = error.__context__ or error
        line = getattr(cause, "line", None)
        first = str(cause).partition("\n")[0]
        yield line if isinstance(line, int) and line > 0 else 1, f"pycep: {first}"


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


@cache
def _pycep() -> pycep.BicepParser:
    return pycep.BicepParser()  # its tables take 80 ms to load


def _errors(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    if node.type == "ERROR" or node.is_missing:
        yield node
        return
    for child in node.children:
        if child.has_error or child.is_missing:
            yield from _errors(child)


def _shown(node: tree_sitter.Node) -> str:
    text = (node.text or b"").decode(errors="replace").strip().partition("\n")[0]
    return f"{text[:60]!a}" if text else "end"
