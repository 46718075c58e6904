"""What Azure must know when a deployment starts: names, scopes, conditions, and what loops go over.

Within a file they may not depend on what is only known while it is deployed: a module's outputs, or a resource's
properties. A module's parameters are known when the module starts, wherever they come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.check.findings import Finding
from infra.check.nodes import Call, Choice, Declaration, Document, Index, Loop, Member, Name, Node, ObjectNode

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT_START: Final = frozenset({"id", "name", "type", "apiVersion"})
"""Members of a resource that follow from its declaration."""
_OF_BODY: Final = {"resource": ("name",), "module": ("name", "scope")}


def check_start_time(document: Document) -> Iterator[Finding]:
    """Find resources and modules whose name, scope, condition or loop needs what is only known later."""
    for declared in document.of("resource", "module"):
        for what, node in _needed_at_start(declared):
            for culprit in sorted(_known_later(node, document, set())):
                message = f"the {what} of {declared.name!a} needs {culprit}, which is known only during the deployment"
                yield Finding(document.path, node.line, "not-known-at-start", message)


def _needed_at_start(declared: Declaration) -> Iterator[tuple[str, Node]]:
    node = declared.value
    if isinstance(node, Loop):
        yield "loop", node.over
        node = node.body
    if isinstance(node, Choice):
        yield "condition", node.test
        node = node.then
    if isinstance(node, ObjectNode):
        for key in _OF_BODY[declared.kind]:
            found = node.get(key)
            if found is not None:
                yield key, found


def _known_later(node: Node, document: Document, seen: set[str]) -> set[str]:
    """Name the outputs and properties that an expression needs, through variables too."""
    found: set[str] = set()
    for each in node.walk():
        if isinstance(each, Member):
            found |= _member(each, document)
        elif isinstance(each, Name) and each.name not in seen:
            declared = document.by_name.get(each.name)
            if declared is not None and declared.kind == "var" and declared.value is not None:
                seen.add(each.name)
                found |= _known_later(declared.value, document, seen)
    return found


def _member(node: Member, document: Document) -> set[str]:
    """Name a member of a resource or module that is not known at the start; an index in between does not matter."""
    target: Node | None = node.target
    while isinstance(target, Index | Call):
        target = target.target
    declared = document.by_name.get(target.name) if isinstance(target, Name) else None
    if declared is None:
        return set()
    later = declared.kind == "module" or (declared.kind == "resource" and node.name not in _AT_START)
    return {f"{declared.name}.{node.name}"} if later else set()
