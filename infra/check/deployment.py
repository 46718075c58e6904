"""Plays a deployment through: every file as it is instantiated by its callers, with the values that they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.check.bodies import check_body
from infra.check.evaluate import Scope, evaluate, loop
from infra.check.findings import Finding
from infra.check.nodes import Call, Choice, Constant, Declaration, Document, Loop, Member, Name, Node, ObjectNode
from infra.check.values import (
    Arr,
    Known,
    ModuleValue,
    Obj,
    OneOf,
    ResourceValue,
    Type,
    Unknown,
    Value,
    alternatives,
    one_of,
    type_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_BASE_TYPES: Final[dict[str, Type]] = {
    "string": "string",
    "int": "int",
    "bool": "bool",
    "object": "object",
    "array": "array",
}
_EXTENSIONS: Final = frozenset(
    {"microsoft.authorization/roleassignments", "microsoft.insights/diagnosticsettings", "microsoft.authorization/locks"}
)
"""Types that can be deployed onto any other resource, and in any scope."""
_OF_SUBSCRIPTION: Final = frozenset({"microsoft.resources/resourcegroups", "microsoft.authorization/roledefinitions"})
_MODULE_KEYS: Final = frozenset({"name", "scope", "params", "dependsOn"})


@dataclass(frozen=True, slots=True)
class Instance:
    """One resource as one instantiation of its file deploys it.

    `module` names the module symbol that instantiates the file, empty in a root. `scope_type` is the type of the
    resource that it is deployed onto, or empty for its file's scope.
    """

    document: Document
    declared: Declaration
    body: Value
    module: str
    scope_type: str
    target_scope: str


@dataclass(slots=True)
class Deployment:
    """The outcome: findings, and every resource that would be deployed."""

    findings: list[Finding] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)


class Player:
    """Plays files. `documents` are the parsed files by their path below `root`."""

    def __init__(self, root: Path, documents: Mapping[Path, Document]) -> None:
        self.root = root
        self.documents = documents
        self.outcome = Deployment()
        self.visited: set[Path] = set()
        self._path: list[Path] = []

    def play(self, document: Document, parameters: dict[str, Value] | None = None, module: str = "") -> dict[str, Value]:
        """Play one file; gives its outputs."""
        self.visited.add(document.path)
        self._path.append(document.path)

        def report(line: int, code: str, message: str) -> None:
            finding = Finding(document.path, line, code, message)
            if finding not in self.outcome.findings:
                self.outcome.findings.append(finding)

        given = parameters or {}
        values = {each.name: given.get(each.name, parameter_value(each)) for each in document.of("param")}
        scope = Scope(document, self.root / document.path.parent, values, report)
        for declared in document.of("param"):
            self._default(declared, scope)
        for declared in _ordered(document, report):
            made = self._module(declared, scope)
            scope.modules[declared.name] = Arr((made,), open=True) if isinstance(declared.value, Loop) else made
        for declared in document.of("var"):
            evaluate(Name(declared.line, declared.name), scope)
        for declared in document.of("resource"):
            self._resource(declared, scope, module)
        outputs = {each.name: self._output(each, scope) for each in document.of("output")}
        self._path.pop()
        return outputs

    def _default(self, declared: Declaration, scope: Scope) -> None:
        if declared.value is not None:
            _fits(evaluate(declared.value, scope), declared, scope, f"the default of {declared.name!a}", declared.line)

    def _output(self, declared: Declaration, scope: Scope) -> Value:
        value = evaluate(declared.value, scope) if declared.value is not None else Unknown()
        wanted = _type(declared)
        for outcome in alternatives(value):
            if type_of(outcome) not in {wanted, "any", "null"} and wanted != "any":
                scope.report(declared.line, "wrong-type", f"output {declared.name!a} is {wanted}, not {type_of(outcome)}")
        return Unknown(wanted) if isinstance(value, Unknown) and value.type == "any" and not value.origin else value

    # Resources

    def _resource(self, declared: Declaration, scope: Scope, module: str) -> None:
        def one(node: Node, inner: Scope) -> Value:
            if isinstance(node, Choice):
                evaluate(node.test, inner)
                return one(node.then, inner)
            body = evaluate(node, inner)
            check_body(declared, body, scope.report)
            if not declared.existing:
                scope_type = _deployed_onto(node, inner)
                _check_scope(declared, scope_type, node, scope)
                document = scope.document
                instance = Instance(document, declared, body, module, scope_type, document.target_scope)
                self.outcome.instances.append(instance)
            return body

        if declared.value is None:
            return
        if isinstance(declared.value, Loop):
            loop(declared.value, scope, one)
        else:
            one(declared.value, scope)

    # Modules

    def _module(self, declared: Declaration, scope: Scope) -> ModuleValue:
        path = Path(_normal(scope.document.path.parent / declared.type))
        document = self.documents.get(path)
        if document is None:
            scope.report(declared.line, "missing-file", f"the module {declared.type} does not exist")
            return ModuleValue(declared.name, {})
        if path in self._path:
            scope.report(declared.line, "cycle", f"the module {declared.type} contains itself")
            return ModuleValue(declared.name, {})
        outputs: dict[str, Value] = {}

        def one(node: Node, inner: Scope) -> Value:
            if isinstance(node, Choice):
                evaluate(node.test, inner)
                return one(node.then, inner)
            outputs.update(self._instantiate(declared, document, node, inner))
            return Unknown("object")

        if isinstance(declared.value, Loop):
            loop(declared.value, scope, one)
        elif declared.value is not None:
            one(declared.value, scope)
        return ModuleValue(declared.name, _named_outputs(declared.name, outputs))

    def _instantiate(self, declared: Declaration, document: Document, node: Node, scope: Scope) -> dict[str, Value]:
        if not isinstance(node, ObjectNode):
            return {}
        for each in node.properties:
            if each.key not in _MODULE_KEYS:
                scope.report(each.line, "unknown-property", f"a module has no property {each.key!a}")
        _check_module_scope(declared, document, node, scope)
        for key in ("name", "scope", "dependsOn"):
            found = node.get(key)
            if found is not None:
                evaluate(found, scope)
        given = evaluate(node.get("params") or ObjectNode(node.line, ()), scope)
        parameters = _parameters(declared, document, given, scope)
        return self.play(document, parameters, declared.name)


def parameter_value(declared: Declaration) -> Value:
    """Give what a parameter may be: one of its allowed values, or anything of its type."""
    allowed = allowed_values(declared)
    if allowed:
        return OneOf(tuple(Known(value) for value in allowed)) if len(allowed) > 1 else Known(allowed[0])
    kind = _type(declared)
    if kind == "object":
        return Obj(open=True)
    return Arr(open=True) if kind == "array" else Unknown(kind, f"the parameter {declared.name}")


def allowed_values(declared: Declaration) -> list[str | int | bool | None]:
    """List what `@allowed` lets through; empty without it."""
    decorator = declared.decorator("allowed")
    if decorator is None or not decorator.arguments:
        return []
    items = getattr(decorator.arguments[0], "items", ())
    return [item.value for item in items if isinstance(item, Constant)]


def _type(declared: Declaration) -> Type:
    written = declared.type.rstrip("?")
    return "array" if written.endswith("[]") else _BASE_TYPES.get(written, "any")


def _fits(value: Value, declared: Declaration, scope: Scope, what: str, line: int) -> None:
    """Report a value that a parameter does not take."""
    wanted, allowed = _type(declared), allowed_values(declared)
    for outcome in alternatives(value):
        if type_of(outcome) not in {wanted, "any"} and wanted != "any" and outcome != Known(None):
            scope.report(line, "wrong-type", f"{what}: {wanted} is needed, not {type_of(outcome)}")
        elif allowed and isinstance(outcome, Known) and outcome.value not in allowed:
            known = ", ".join(repr(each) for each in allowed)
            scope.report(line, "not-allowed-value", f"{what}: {outcome.value!a} is not one of {known}")


def _parameters(declared: Declaration, document: Document, given: Value, scope: Scope) -> dict[str, Value]:
    known = {each.name: each for each in document.of("param")}
    if not isinstance(given, Obj):
        return {}
    for name, entry in given.entries.items():
        if name not in known:
            listed = ", ".join(sorted(known))
            scope.report(entry.line, "unknown-parameter", f"{declared.type} has no parameter {name!a}; it has {listed}")
            continue
        _fits(entry.value, known[name], scope, f"parameter {name!a} of {declared.type}", entry.line)
    for name, parameter in known.items():
        needed = parameter.value is None and not parameter.type.endswith("?")
        if needed and name not in given.entries and not given.open:
            scope.report(declared.line, "missing-parameter", f"{declared.type} needs the parameter {name!a}")
    return {name: entry.value for name, entry in given.entries.items()}


def _named_outputs(symbol: str, outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Give a module's outputs; one that the deployment decides is known by its name."""
    return {
        name: one_of(
            [
                Unknown(each.type, f"{symbol}.outputs.{name}") if isinstance(each, Unknown) else each
                for each in alternatives(value)
            ]
        )
        for name, value in outputs.items()
    }


def _ordered(document: Document, report: object) -> list[Declaration]:
    """Order modules so that one comes after those whose outputs it needs."""
    needs = {each.name: _symbols(each, document, set()) for each in document.of("module")}
    done: list[Declaration] = []
    waiting = list(document.of("module"))
    while waiting:
        ready = [each for each in waiting if not (needs[each.name] - {each.name}) & {one.name for one in waiting}]
        if not ready:
            names = ", ".join(each.name for each in waiting)
            report(waiting[0].line, "cycle", f"modules that need one another: {names}")  # type: ignore[operator]
            return [*done, *waiting]
        done += ready
        waiting = [each for each in waiting if each not in ready]
    return done


def _symbols(declared: Declaration, document: Document, seen: set[str]) -> set[str]:
    """Name everything that a declaration needs, through variables and resources too."""
    found: set[str] = set()
    for node in declared.value.walk() if declared.value is not None else ():
        if isinstance(node, Name) and node.name in document.by_name and node.name not in seen:
            seen.add(node.name)
            found.add(node.name)
            other = document.by_name[node.name]
            if other.kind != "param":
                found |= _symbols(other, document, seen)
    return found


def _normal(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


# Scopes


def _deployed_onto(node: Node, scope: Scope) -> str:
    """Give the type of the resource that `scope:` or `parent:` names."""
    if not isinstance(node, ObjectNode):
        return ""
    for key in ("scope", "parent"):
        found = node.get(key)
        value = evaluate(found, scope) if found is not None else None
        if isinstance(value, ResourceValue):
            return value.type
        if isinstance(value, Arr) and value.items and isinstance(value.items[0], ResourceValue):
            return value.items[0].type
    return ""


def _check_scope(declared: Declaration, scope_type: str, node: Node, scope: Scope) -> None:
    kind = declared.resource_type.lower()
    target = scope.document.target_scope
    if kind in _EXTENSIONS:
        return
    if isinstance(node, ObjectNode) and node.get("scope") is not None:
        scope.report(declared.line, "wrong-scope", f"{declared.resource_type} is deployed elsewhere by a module, not by scope")
    wanted = "subscription" if kind in _OF_SUBSCRIPTION else "resourceGroup"
    if target != wanted:
        message = f"{declared.resource_type} is deployed to a {wanted}, this file to a {target}"
        scope.report(declared.line, "wrong-scope", message)
    parent = declared.resource_type.rpartition("/")[0]
    if scope_type and parent.lower() != scope_type.lower():
        scope.report(declared.line, "wrong-scope", f"the parent of {declared.resource_type} is a {parent}, not a {scope_type}")


def _check_module_scope(declared: Declaration, document: Document, node: ObjectNode, scope: Scope) -> None:
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
