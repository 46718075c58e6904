"""Where resources and modules are deployed to, and whether they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.check.evaluate import evaluate
from infra.check.nodes import Call, Declaration, Document, Member, Name, Node, ObjectNode
from infra.check.values import Arr, Known, ResourceValue, Unknown

if TYPE_CHECKING:
    from infra.check.scope import Scope

_EXTENSIONS: Final = frozenset(
    {
        "microsoft.authorization/roleassignments",
        "microsoft.insights/diagnosticsettings",
        "microsoft.authorization/locks",
    }
)
"""Types that can be deployed onto any other resource, and in any scope."""
_WHOLE: Final = frozenset({"subscription", "managementGroup", "tenant"})
_OF_SUBSCRIPTION: Final = frozenset({"microsoft.resources/resourcegroups", "microsoft.authorization/roledefinitions"})


def deployed_onto(node: Node, scope: Scope) -> str:
    """Give the type of the resource that `scope:` or `parent:` names, or `subscription` and the like."""
    if not isinstance(node, ObjectNode):
        return ""
    for key in ("scope", "parent"):
        found = node.get(key)
        if isinstance(found, Call) and found.function in _WHOLE:
            return found.function
        value = evaluate(found, scope) if found is not None else None
        if isinstance(value, ResourceValue):
            return value.type
        if isinstance(value, Arr) and value.items and isinstance(value.items[0], ResourceValue):
            return value.items[0].type
    return ""


def name_origin(node: Node, scope: Scope) -> str:
    """Say where the name of the resource that `scope:` names comes from, e.g. `storage.outputs.name`."""
    found = node.get("scope") if isinstance(node, ObjectNode) else None
    declared = scope.document.by_name.get(found.name) if isinstance(found, Name) else None
    name = declared.value.get("name") if declared is not None and isinstance(declared.value, ObjectNode) else None
    value = evaluate(name, scope) if name is not None else None
    return value.origin if isinstance(value, Unknown) else ""


def check_scope(declared: Declaration, scope_type: str, node: Node, scope: Scope) -> None:
    """Report a resource that cannot be deployed to its file's scope, or that has the wrong parent."""
    kind = declared.resource_type.lower()
    target = scope.document.target_scope
    if kind in _EXTENSIONS:
        return
    if isinstance(node, ObjectNode) and node.get("scope") is not None:
        message = f"{declared.resource_type} is deployed elsewhere by a module, not by `scope`"
        scope.report(declared.line, "wrong-scope", message)
    wanted = "subscription" if kind in _OF_SUBSCRIPTION else "resourceGroup"
    if target != wanted:
        message = f"{declared.resource_type} is deployed to a {wanted}, this file to a {target}"
        scope.report(declared.line, "wrong-scope", message)
    _check_name(declared, node, scope)
    parent = declared.resource_type.rpartition("/")[0]
    if scope_type and parent.lower() != scope_type.lower():
        message = f"the parent of {declared.resource_type} is a {parent}, not a {scope_type}"
        scope.report(declared.line, "wrong-scope", message)


def _check_name(declared: Declaration, node: Node, scope: Scope) -> None:
    """Report a child that is named neither within its parent nor with its parent's name in front."""
    name = node.get("name") if isinstance(node, ObjectNode) else None
    value = evaluate(name, scope) if name is not None else None
    if not isinstance(node, ObjectNode) or not isinstance(value, Known) or not isinstance(value.value, str):
        return
    segments = 1 if node.get("parent") is not None else declared.resource_type.count("/")
    if value.value.count("/") + 1 != segments:
        wanted = "one segment" if segments == 1 else f"{segments} segments, or a parent"
        scope.report(
            declared.line, "wrong-scope", f"the name {value.value!a} of {declared.resource_type} needs {wanted}"
        )


def check_module_scope(declared: Declaration, document: Document, node: ObjectNode, scope: Scope) -> None:
    """Report a module whose file is for another kind of scope."""
    found = node.get("scope")
    target = scope.document.target_scope if found is None else _scope_kind(found, scope)
    if target and target != document.target_scope:
        message = f"{declared.type} is for a {document.target_scope}, and would be deployed to a {target}"
        scope.report(found.line if found is not None else declared.line, "wrong-scope", message)


def _scope_kind(node: Node, scope: Scope) -> str:
    if isinstance(node, Call):
        return node.function
    if isinstance(node, Name):
        declared = scope.document.by_name.get(node.name)
        if declared is not None and declared.resource_type.lower() == "microsoft.resources/resourcegroups":
            return "resourceGroup"
    return "" if isinstance(node, Member | Name) else "resourceGroup"
