"""Names: declared once, and used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from infra.check import signatures
from infra.check.findings import Finding
from infra.check.nodes import Document, Name

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: Final = frozenset({"string", "int", "bool", "object", "array", "any"})


def check_symbols(document: Document) -> Iterator[Finding]:
    """Find names that are declared twice or never used, and decorators that do not exist."""
    yield from _duplicates(document)
    yield from _types(document)
    used = {
        node.name
        for declared in document.declarations
        for root in (declared.value, *declared.decorators)
        if root is not None
        for node in root.walk()
        if isinstance(node, Name)
    }
    for declared in document.of("param", "var"):
        if declared.name not in used:
            message = f"{declared.kind} {declared.name!a} is never used"
            yield Finding(document.path, declared.line, "unused-name", message)
    for declared in document.declarations:
        for decorator in declared.decorators:
            if decorator.function not in signatures.DECORATORS:
                message = f"there is no decorator @{decorator.function}"
                yield Finding(document.path, decorator.line, "unknown-function", message)


def _types(document: Document) -> Iterator[Finding]:
    """Find parameters and outputs of a type that Bicep does not have; literal types and objects are left alone."""
    for declared in document.of("param", "output"):
        base = declared.type.rstrip("?").replace("[]", "").rstrip("?")
        if base.isidentifier() and base not in _TYPES:
            message = f"there is no type {base!a}; there are {', '.join(sorted(_TYPES))}"
            yield Finding(document.path, declared.line, "unknown-name", message)


def _duplicates(document: Document) -> Iterator[Finding]:
    counted = Counter((each.kind == "output", each.name) for each in document.declarations)
    for declared in document.declarations:
        key = (declared.kind == "output", declared.name)
        if counted[key] > 1:
            message = f"{declared.name!a} is declared more than once"
            yield Finding(document.path, declared.line, "duplicate-name", message)
            counted[key] = 0
