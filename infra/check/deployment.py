"""Plays a deployment through: every file as it is instantiated by its callers, with the values that they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.check.bodies import check_body
from infra.check.evaluate import evaluate, loop
from infra.check.findings import Finding
from infra.check.nodes import Choice, Declaration, Document, Loop, Name, Node, ObjectNode
from infra.check.parameters import declared_type, fits, given_parameters, parameter_value
from infra.check.scope import Report, Scope
from infra.check.scopes import check_module_scope, check_scope, deployed_onto, name_origin
from infra.check.values import Arr, ModuleValue, Unknown, Value, alternatives, one_of, type_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODULE_KEYS: Final = frozenset({"name", "scope", "params", "dependsOn"})


@dataclass(frozen=True, slots=True)
class Instance:
    """One resource as one instantiation of its file deploys it.

    `module` names the module symbol that instantiates the file, empty in a root. `scope_type` is the type of the
    resource that it is deployed onto, or empty for its file's scope; `scope_origin` says where its name comes from.
    """

    document: Document
    declared: Declaration
    body: Value
    module: str
    scope_type: str
    target_scope: str
    scope_origin: str = ""


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

    def play(
        self, document: Document, parameters: dict[str, Value] | None = None, module: str = ""
    ) -> dict[str, Value]:
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
            fits(evaluate(declared.value, scope), declared, scope, f"the default of {declared.name!a}", declared.line)

    def _output(self, declared: Declaration, scope: Scope) -> Value:
        value = evaluate(declared.value, scope) if declared.value is not None else Unknown()
        wanted = declared_type(declared)
        for outcome in alternatives(value):
            if type_of(outcome) not in {wanted, "any", "null"} and wanted != "any":
                message = f"output {declared.name!a} is {wanted}, not {type_of(outcome)}"
                scope.report(declared.line, "wrong-type", message)
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
                scope_type = deployed_onto(node, inner)
                check_scope(declared, scope_type, node, inner)
                document = scope.document
                origin = name_origin(node, inner)
                instance = Instance(document, declared, body, module, scope_type, document.target_scope, origin)
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
        check_module_scope(declared, document, node, scope)
        for key in ("name", "scope", "dependsOn"):
            found = node.get(key)
            if found is not None:
                evaluate(found, scope)
        given = evaluate(node.get("params") or ObjectNode(node.line, ()), scope)
        parameters = given_parameters(declared, document, given, scope)
        return self.play(document, parameters, declared.name)


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


def _ordered(document: Document, report: Report) -> list[Declaration]:
    """Order modules so that one comes after those whose outputs it needs."""
    needs = {each.name: _symbols(each, document, set()) for each in document.of("module")}
    done: list[Declaration] = []
    waiting = list(document.of("module"))
    while waiting:
        ready = [each for each in waiting if not (needs[each.name] - {each.name}) & {one.name for one in waiting}]
        if not ready:
            names = ", ".join(each.name for each in waiting)
            report(waiting[0].line, "cycle", f"modules that need one another: {names}")
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
