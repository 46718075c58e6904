"""Evaluates expressions as far as they are known before a deployment, and says what in them cannot be right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from infra.check import functions
from infra.check.nodes import (
    ArrayNode,
    Call,
    Choice,
    Constant,
    Declaration,
    Document,
    Index,
    Lambda,
    Loop,
    Member,
    Name,
    Node,
    ObjectNode,
    Operation,
    Text,
)
from infra.check.values import (
    Arr,
    Entry,
    Known,
    ModuleValue,
    Obj,
    ResourceValue,
    Unknown,
    Value,
    alternatives,
    from_json,
    one_of,
    type_of,
)

if TYPE_CHECKING:
    from pathlib import Path

Report = Callable[[int, str, str], None]
"""Takes a line, a code and a message."""
RESOURCE_MEMBERS: Final = frozenset(
    {"id", "name", "type", "apiVersion", "location", "tags", "properties", "identity", "sku", "kind", "zones", "etag"}
    | {"plan", "managedBy", "extendedLocation", "systemData", "eTag"}
)
_BOOLEAN: Final = frozenset({"==", "!=", "=~", "!~", "<", "<=", ">", ">=", "&&", "||"})
_LOADS: Final = frozenset({"loadJsonContent", "loadTextContent", "loadYamlContent", "loadFileAsBase64"})


@dataclass(slots=True)
class Scope:
    """What names stand for in one instance of a file. `locals` are loop variables and parameters of lambdas."""

    document: Document
    folder: Path
    parameters: dict[str, Value]
    report: Report
    modules: dict[str, Value] = field(default_factory=dict)
    locals: dict[str, Value] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)
    evaluating: list[str] = field(default_factory=list)

    def inside(self, names: dict[str, Value]) -> Scope:
        """Give the scope within a loop or lambda; what is shared stays shared."""
        return Scope(
            self.document,
            self.folder,
            self.parameters,
            self.report,
            self.modules,
            {**self.locals, **names},
            self.variables,
            self.evaluating,
        )


def evaluate(node: Node, scope: Scope) -> Value:
    """Give what is known of an expression's value; what is wrong is reported on the way."""
    match node:
        case Constant():
            return Known(node.value)
        case Text():
            return _text(node, scope)
        case Name():
            return _name(node, scope)
        case ObjectNode():
            return _object(node, scope)
        case ArrayNode():
            return Arr(tuple(evaluate(item, scope) for item in node.items))
        case Choice():
            return _choice(node, scope)
        case Loop():
            return loop(node, scope, evaluate)
        case Member():
            return _member(node, scope)
        case Index():
            return _index(node, scope)
        case Operation():
            return _operation(node, scope)
        case Call():
            return _call(node, scope)
        case Lambda():
            return evaluate(node.body, scope.inside({name: Unknown() for name in node.parameters}))
        case _:
            return Unknown()


def loop(node: Loop, scope: Scope, each: Callable[[Node, Scope], Value]) -> Value:
    """Evaluate a loop's body for every known item, or once for what an item may be."""
    over = evaluate(node.over, scope)
    if type_of(over) not in {"array", "any"}:
        scope.report(node.line, "wrong-type", f"a loop goes over an array, not over {_a(type_of(over))}")
    items, unsure = items_of(over)
    found: list[Value] = []
    for number, item in enumerate(items):
        index = Unknown("int") if unsure else Known(number)
        found.append(each(node.body, scope.inside({node.item: item, node.index: index})))
    return Arr(tuple(found), open=unsure)


def items_of(over: Value) -> tuple[tuple[Value, ...], bool]:
    """Give the items of an array, and whether they only say what its items may be."""
    found: list[Value] = []
    outcomes = alternatives(over)
    for outcome in outcomes:
        known = isinstance(outcome, Arr) and (outcome.items or not outcome.open)
        items = outcome.items if known and isinstance(outcome, Arr) else (Unknown(),)
        found += [item for item in items if len(outcomes) == 1 or item not in found]
    return tuple(found), len(outcomes) > 1 or not isinstance(over, Arr) or over.open


def _text(node: Text, scope: Scope) -> Value:
    parts = [part if isinstance(part, str) else evaluate(part, scope) for part in node.parts]
    for part, value in zip(node.parts, parts, strict=True):
        if isinstance(part, Node) and not isinstance(value, str) and type_of(value) in {"object", "array"}:
            scope.report(part.line, "wrong-type", f"{_a(type_of(value))} cannot stand in a string")
    constants = [part if isinstance(part, str) else part.value for part in parts if isinstance(part, str | Known)]
    if len(constants) == len(parts):
        return Known("".join(str(part) for part in constants))
    origins = [part.origin if isinstance(part, Unknown) else str(getattr(part, "value", part)) for part in parts]
    return Unknown("string", "".join(origins))


def _name(node: Name, scope: Scope) -> Value:
    if node.name in scope.locals:
        return scope.locals[node.name]
    declared = scope.document.by_name.get(node.name)
    if declared is None:
        if node.name not in {"az", "sys"}:
            scope.report(node.line, "unknown-name", f"{node.name!a} is not declared")
        return Unknown()
    if declared.kind == "param":
        return scope.parameters.get(node.name, Unknown())
    if declared.kind == "module":
        return scope.modules.get(node.name, Unknown("object", node.name))
    if declared.kind == "resource":
        return resource_value(declared)
    return _variable(declared, node, scope)


def resource_value(declared: Declaration) -> Value:
    """Give what a resource's symbol stands for; a loop's symbol is an array of resources."""
    single = ResourceValue(declared.name, declared.resource_type)
    return Arr((single,), open=True) if isinstance(declared.value, Loop) else single


def _variable(declared: Declaration, node: Name, scope: Scope) -> Value:
    if node.name in scope.variables:
        return scope.variables[node.name]
    if node.name in scope.evaluating:
        scope.report(node.line, "cycle", f"{node.name!a} needs itself: {' -> '.join([*scope.evaluating, node.name])}")
        return Unknown()
    scope.evaluating.append(node.name)
    value = evaluate(declared.value, scope.inside({})) if declared.value is not None else Unknown()
    scope.evaluating.pop()
    scope.variables[node.name] = value
    return value


def _object(node: ObjectNode, scope: Scope) -> Value:
    entries: dict[str, Entry] = {}
    unsure = False
    for each in node.properties:
        key = each.key if isinstance(each.key, str) else evaluate(each.key, scope)
        value = evaluate(each.value, scope)
        if isinstance(key, Known):
            key = str(key.value)
        if not isinstance(key, str):
            unsure = True
            continue
        if key in entries:
            scope.report(each.line, "duplicate-name", f"the property {key!a} stands twice in this object")
        entries[key] = Entry(value, each.line)
    return Obj(entries, open=unsure)


def _choice(node: Choice, scope: Scope) -> Value:
    test = evaluate(node.test, scope)
    if type_of(test) not in {"bool", "any"}:
        scope.report(node.line, "wrong-type", f"a condition is a bool, not {_a(type_of(test))}")
    then = evaluate(node.then, scope)
    if node.otherwise is None:
        return then
    otherwise = evaluate(node.otherwise, scope)
    if isinstance(test, Known) and isinstance(test.value, bool):
        return then if test.value else otherwise
    return one_of([then, otherwise])


def _member(node: Member, scope: Scope) -> Value:
    target = evaluate(node.target, scope)
    return one_of([member_of(each, node, scope) for each in alternatives(target)])


def member_of(target: Value, node: Member, scope: Scope) -> Value:
    """Give a property of a value; one that it cannot have is reported."""
    match target:
        case Obj():
            if node.name in target.entries:
                return target.entries[node.name].value
            if not target.open and not node.safe:
                known = ", ".join(sorted(target.entries)) or "none"
                scope.report(node.line, "unknown-property", f"{node.name!a} is not among the properties: {known}")
            return Unknown() if target.open else Known(None)
        case ResourceValue():
            if node.name not in RESOURCE_MEMBERS:
                scope.report(node.line, "unknown-property", f"the resource {target.symbol!a} has no {node.name!a}")
            return Unknown("string" if node.name in {"id", "name", "type"} else "any", f"{target.symbol}.{node.name}")
        case ModuleValue():
            if node.name not in {"outputs", "name"}:
                scope.report(node.line, "unknown-property", f"of the module {target.symbol!a} only 'outputs' can be read")
                return Unknown()
            return Obj({name: Entry(value, node.line) for name, value in target.outputs.items()})
        case Unknown():
            return Unknown("any", f"{target.origin}.{node.name}" if target.origin else "")
        case Known(None):
            return Known(None)
        case _:
            scope.report(node.line, "wrong-type", f"{_a(type_of(target))} has no property {node.name!a}")
            return Unknown()


def _index(node: Index, scope: Scope) -> Value:
    index = evaluate(node.index, scope)
    return one_of([_item(each, index, node, scope) for each in alternatives(evaluate(node.target, scope))])


def _item(target: Value, index: Value, node: Index, scope: Scope) -> Value:
    match target, index:
        case Arr(open=False), Known(int() as number) if not isinstance(number, bool):
            if number < len(target.items):
                return target.items[number]
            scope.report(node.line, "unknown-property", f"there is no item {number} among {len(target.items)}")
            return Unknown()
        case Arr(), _:
            return one_of(list(target.items)) if target.items else Unknown()
        case Obj(), Known(str() as key):
            return member_of(target, Member(node.line, node.target, key), scope)
        case Obj(), _:
            return one_of([entry.value for entry in target.entries.values()]) if target.entries else Unknown()
        case Unknown(), _:
            return Unknown("any", target.origin)
        case _:
            return Unknown()


def _operation(node: Operation, scope: Scope) -> Value:
    values = [evaluate(operand, scope) for operand in node.operands]
    if node.operator == "??":
        kept = [each for each in alternatives(values[0]) if each != Known(None)]
        sure = kept and all(isinstance(each, Obj | Arr | Known) for each in kept) and len(kept) == len(alternatives(values[0]))
        return one_of(kept) if sure else one_of([*kept, values[1]])
    if node.operator == "!":
        return Known(not values[0].value) if isinstance(values[0], Known) else Unknown("bool")
    if node.operator in {"==", "!="} and all(isinstance(each, Known) for each in values):
        return Known((values[0] == values[1]) is (node.operator == "=="))
    if node.operator in _BOOLEAN:
        return _logic(node.operator, values)
    return Unknown("int")


def _logic(operator: str, values: list[Value]) -> Value:
    """Decide `&&` and `||` where one side is enough."""
    sides = [each.value if isinstance(each, Known) and isinstance(each.value, bool) else None for each in values]
    if operator == "&&" and False in sides:
        return Known(value=False)
    if operator == "||" and True in sides:
        return Known(value=True)
    if operator in {"&&", "||"} and None not in sides:
        return Known(operator == "&&")
    return Unknown("bool")


def _call(node: Call, scope: Scope) -> Value:
    if node.target is not None and not (isinstance(node.target, Name) and node.target.name in {"az", "sys"}):
        return _method(node, scope)
    signature = functions.SIGNATURES.get(node.function)
    if signature is None:
        scope.report(node.line, "unknown-function", f"Bicep has no function {node.function!a}")
        return Unknown()
    least, most, _ = signature
    if not least <= len(node.arguments) <= most:
        takes = str(least) if least == most else f"at least {least}" if most > 50 else f"{least} to {most}"  # noqa: PLR2004
        scope.report(node.line, "wrong-argument-count", f"{node.function}() takes {takes} arguments, not {len(node.arguments)}")
        return Unknown()
    if node.function in _LOADS:
        return _load(node, scope)
    if any(isinstance(argument, Lambda) for argument in node.arguments):
        return _with_lambda(node, scope)
    arguments = [evaluate(argument, scope) for argument in node.arguments]
    if node.function in functions.SCOPE_FUNCTIONS or functions.members(node.function):
        return _scope_object(node.function)
    if len(arguments) == 1:
        return one_of([functions.apply(node.function, [each]) for each in alternatives(arguments[0])])
    return functions.apply(node.function, arguments)


def _scope_object(function: str) -> Value:
    names = functions.members(function)
    if names is None:
        return Unknown("object", f"{function}()")
    texts = names - {"tags", "properties", "suffixes", "authentication"}
    return Obj(
        {name: Entry(Unknown("string" if name in texts else "any", f"{function}().{name}"), 0) for name in names}
    )


def _method(node: Call, scope: Scope) -> Value:
    target = evaluate(node.target, scope) if node.target is not None else Unknown()
    for argument in node.arguments:
        evaluate(argument, scope)
    if node.function.startswith(functions.SECRET_METHODS):
        scope.report(node.line, "secret", f"{node.function}() reads a secret of {getattr(target, 'symbol', 'a resource')!a}")
    return Unknown("any", f"{node.function}()")


def _with_lambda(node: Call, scope: Scope) -> Value:
    """Evaluate map, filter, toObject and the like: the lambda's body for every item that is known."""
    over = evaluate(node.arguments[0], scope)
    for argument in node.arguments[1:]:
        if not isinstance(argument, Lambda):
            evaluate(argument, scope)
    items, unsure = items_of(over)
    rows = [[_apply_lambda(each, item, scope) for each in node.arguments[1:] if isinstance(each, Lambda)] for item in items]
    if node.function == "map":
        return Arr(tuple(row[0] for row in rows), open=unsure)
    if node.function in {"filter", "sort"}:
        return Arr(items, open=True)
    if node.function == "toObject":
        pairs = [(row[0], row[1] if len(row) > 1 else item) for row, item in zip(rows, items, strict=True)]
        entries = {str(key.value): Entry(value, node.line) for key, value in pairs if isinstance(key, Known)}
        return Obj(entries, open=unsure or len(entries) < len(pairs))
    return Unknown(functions.SIGNATURES[node.function][2])


def _apply_lambda(node: Lambda, item: Value, scope: Scope) -> Value:
    names: dict[str, Value] = {name: Unknown() for name in node.parameters}
    names[node.parameters[0]] = item
    return evaluate(node.body, scope.inside(names))


def _load(node: Call, scope: Scope) -> Value:
    path = evaluate(node.arguments[0], scope)
    if not isinstance(path, Known) or not isinstance(path.value, str):
        scope.report(node.line, "missing-file", f"the path given to {node.function}() must be a constant")
        return Unknown()
    file = scope.folder / path.value
    try:
        content = file.read_text(encoding="utf-8-sig")
        return from_json(json.loads(content), node.line) if node.function == "loadJsonContent" else Known(content)
    except FileNotFoundError:
        scope.report(node.line, "missing-file", f"{path.value} does not exist")
    except (OSError, ValueError) as error:
        scope.report(node.line, "missing-file", f"{path.value} cannot be read: {error}")
    return Unknown()


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"
