"""Evaluates expressions as far as they are known before a deployment, and says what in them cannot be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from infra.check import functions, signatures
from infra.check.members import described, item_of, items_of, loaded, member_of, of_scope_function
from infra.check.nodes import (
    ArrayNode,
    Call,
    Choice,
    Constant,
    Declaration,
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
from infra.check.operators import operate
from infra.check.values import Arr, Entry, Known, Obj, ResourceValue, Unknown, Value, alternatives, one_of, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.check.scope import Scope

NAMESPACES: Final = frozenset({"az", "sys"})


def evaluate(node: Node, scope: Scope) -> Value:
    """Give what is known of an expression's value; what is wrong is reported on the way."""
    rule: Callable[[Any, Scope], Value] = _RULES[type(node)]
    return rule(node, scope)


def loop(node: Loop, scope: Scope, each: Callable[[Node, Scope], Value]) -> Value:
    """Evaluate a loop's body for every known item, or once for what an item may be."""
    over = evaluate(node.over, scope)
    if type_of(over) not in {"array", "any"}:
        scope.report(node.line, "wrong-type", f"a loop goes over an array, not over {described(type_of(over))}")
    items, unsure = items_of(over)
    found: list[Value] = []
    for number, item in enumerate(items):
        index = Unknown("int") if unsure else Known(number)
        found.append(each(node.body, scope.inside({node.item: item, node.index: index})))
    return Arr(tuple(found), open=unsure)


def _text(node: Text, scope: Scope) -> Value:
    parts = [part if isinstance(part, str) else evaluate(part, scope) for part in node.parts]
    for part, value in zip(node.parts, parts, strict=True):
        if isinstance(part, Node) and not isinstance(value, str) and type_of(value) in {"object", "array"}:
            scope.report(part.line, "wrong-type", f"{described(type_of(value))} cannot stand in a string")
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
        if node.name not in NAMESPACES:
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
        scope.report(node.line, "wrong-type", f"a condition is a bool, not {described(type_of(test))}")
    if node.otherwise is None:
        return evaluate(node.then, scope)
    if isinstance(test, Known) and isinstance(test.value, bool):
        # As Azure does: the other outcome may not even make sense for this item of a loop.
        return evaluate(node.then if test.value else node.otherwise, scope)
    return one_of([evaluate(node.then, scope), evaluate(node.otherwise, scope)])


def _member(node: Member, scope: Scope) -> Value:
    target = evaluate(node.target, scope)
    return one_of([member_of(each, node.name, node.line, scope, safe=node.safe) for each in alternatives(target)])


def _index(node: Index, scope: Scope) -> Value:
    index = evaluate(node.index, scope)
    return one_of([item_of(each, index, node.line, scope) for each in alternatives(evaluate(node.target, scope))])


def _operation(node: Operation, scope: Scope) -> Value:
    return operate(node.operator, [evaluate(operand, scope) for operand in node.operands])


def _call(node: Call, scope: Scope) -> Value:  # noqa: PLR0911 - one for each way to call
    if node.target is not None and not (isinstance(node.target, Name) and node.target.name in NAMESPACES):
        return _method(node, scope)
    if not _is_well_formed(node, scope):
        return Unknown()
    if node.function in signatures.LOADS:
        return loaded(node.function, evaluate(node.arguments[0], scope), node.line, scope)
    if any(isinstance(argument, Lambda) for argument in node.arguments):
        return _with_lambda(node, scope)
    arguments = [evaluate(argument, scope) for argument in node.arguments]
    if node.function in signatures.MEMBERS:
        return of_scope_function(node.function)
    if len(arguments) == 1:
        return one_of([functions.apply(node.function, [each]) for each in alternatives(arguments[0])])
    return functions.apply(node.function, arguments)


def _is_well_formed(node: Call, scope: Scope) -> bool:
    signature = signatures.SIGNATURES.get(node.function)
    if signature is None:
        scope.report(node.line, "unknown-function", f"Bicep has no function {node.function!a}")
        return False
    least, most, _ = signature
    count = len(node.arguments)
    if least <= count <= most:
        return True
    takes = str(least) if least == most else f"at least {least}" if most == signatures.MANY else f"{least} to {most}"
    scope.report(node.line, "wrong-argument-count", f"{node.function}() takes {takes} arguments, not {count}")
    return False


def _method(node: Call, scope: Scope) -> Value:
    target = evaluate(node.target, scope) if node.target is not None else Unknown()
    for argument in node.arguments:
        evaluate(argument, scope)
    if node.function.startswith(signatures.SECRET_METHODS):
        whose = getattr(target, "symbol", "a resource")
        scope.report(node.line, "secret", f"{node.function}() reads a secret of {whose!a}")
    return Unknown("any", f"{node.function}()")


def _with_lambda(node: Call, scope: Scope) -> Value:
    """Evaluate map, filter, toObject and the like: the lambda's body for every item that is known."""
    over = evaluate(node.arguments[0], scope)
    for argument in node.arguments[1:]:
        if not isinstance(argument, Lambda):
            evaluate(argument, scope)
    items, unsure = items_of(over)
    lambdas = [argument for argument in node.arguments[1:] if isinstance(argument, Lambda)]
    rows = [[_apply_lambda(each, item, scope) for each in lambdas] for item in items]
    if node.function == "map":
        return Arr(tuple(row[0] for row in rows), open=unsure)
    if node.function in {"filter", "sort"}:
        return Arr(items, open=True)
    if node.function == "toObject":
        pairs = [(row[0], row[1] if len(row) > 1 else item) for row, item in zip(rows, items, strict=True)]
        entries = {str(key.value): Entry(value, node.line) for key, value in pairs if isinstance(key, Known)}
        return Obj(entries, open=unsure or len(entries) < len(pairs))
    return Unknown(signatures.SIGNATURES[node.function][2])


def _apply_lambda(node: Lambda, item: Value, scope: Scope) -> Value:
    names: dict[str, Value] = {name: Unknown() for name in node.parameters}
    names[node.parameters[0]] = item
    return evaluate(node.body, scope.inside(names))


def _constant(node: Constant, _scope: Scope) -> Value:
    return Known(node.value)


def _array(node: ArrayNode, scope: Scope) -> Value:
    return Arr(tuple(evaluate(item, scope) for item in node.items))


def _loop(node: Loop, scope: Scope) -> Value:
    return loop(node, scope, evaluate)


def _lambda(node: Lambda, scope: Scope) -> Value:
    return evaluate(node.body, scope.inside({name: Unknown() for name in node.parameters}))


_RULES: Final[Mapping[type[Node], Callable[[Any, Scope], Value]]] = {
    ArrayNode: _array,
    Call: _call,
    Choice: _choice,
    Constant: _constant,
    Index: _index,
    Lambda: _lambda,
    Loop: _loop,
    Member: _member,
    Name: _name,
    ObjectNode: _object,
    Operation: _operation,
    Text: _text,
}
