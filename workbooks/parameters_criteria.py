"""Computed parameters: the first criterion that holds says the value, without asking anybody."""

from __future__ import annotations

import ast
import math
import operator
import re
from typing import TYPE_CHECKING, Final

from workbooks.parse_reader import as_text, decode
from workbooks.substitute import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbooks.model import Criterion
    from workbooks.substitute import Scope

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "contains": lambda left, right: right.lower() in left.lower(),
    "startswith": lambda left, right: left.lower().startswith(right.lower()),
    "endswith": lambda left, right: left.lower().endswith(right.lower()),
}
OPERATORS: Final = frozenset(
    {"default", "is empty", "isnotnull", "isvalidjson", "regex", "=", "==", "!=", *_COMPARISONS, *_TESTS}
    | {f"not{name}" for name in _TESTS}
)
_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: math.fmod,
    ast.Pow: math.pow,
}
MAX_EXPRESSION: Final = 1000
_EXPRESSION: Final = re.compile(r"[0-9.eE+\-*/%^() ]*")


def names(criterion: Criterion) -> tuple[str, ...]:
    """Give the parameters that a criterion needs."""
    found = [_bare(criterion.left)] if criterion.left else []
    if criterion.right_kind == "param":
        found.append(_bare(criterion.right))
    if criterion.result_kind == "param":
        found.append(_bare(criterion.result))
    texts = [criterion.result if criterion.result_kind != "param" else ""]
    texts.append(criterion.right if criterion.right_kind != "param" else "")
    found.extend(match[1] for text in texts for match in REFERENCE.finditer(text))
    return tuple(dict.fromkeys(filter(None, found)))


def evaluate(criteria: tuple[Criterion, ...], scope: Scope) -> tuple[str, bool] | None:
    """Give the computed text, and whether all of it is the author's own; None where no criterion holds.

    A parameter without a value counts as empty. Raises ValueError for an expression that cannot be computed.
    """
    for criterion in criteria:
        if _holds(criterion, scope):
            return _result(criterion, scope)
    return None


def _holds(criterion: Criterion, scope: Scope) -> bool:
    word = criterion.operator.strip().lower()
    left = _plain(criterion.left, scope)
    right = _plain(criterion.right, scope) if criterion.right_kind == "param" else scope.text(criterion.right)
    if word in {"default", "is empty", "isempty", "isnotnull", "isvalidjson"}:
        return word == "default" or (word == "isnotnull") == bool(left) if word != "isvalidjson" else _is_json(left)
    if word in {"=", "==", "!="}:
        numbers = _numbers(left, right)
        return (numbers[0] == numbers[1] if numbers else left == right) == (word != "!=")
    if word in _COMPARISONS:
        numbers = _numbers(left, right)
        return numbers is not None and _COMPARISONS[word](*numbers)
    if word == "regex":
        try:
            return re.search(right, left) is not None
        except re.error as error:
            raise ValueError(f"the expression {right[:40]!r} is not regular: {error}") from error
    test = _TESTS.get(word.removeprefix("not"))
    if test is None:
        raise ValueError(f"the operator {criterion.operator!r} is not known")
    return test(left, right) != word.startswith("not")


def _result(criterion: Criterion, scope: Scope) -> tuple[str, bool]:
    if criterion.result_kind == "param":
        value = scope.get(_bare(criterion.result))
        return (value.plain, value.trusted) if value else ("", True)
    if criterion.result_kind == "expression":
        return _number_text(_compute(REFERENCE.sub(lambda m: _operand(m[1], scope), criterion.result))), True
    used = [scope.get(match[1]) for match in REFERENCE.finditer(criterion.result) if match[1] in scope]
    return scope.text(criterion.result), all(value is None or value.trusted for value in used)


def _bare(name: str) -> str:
    """Give a parameter's name, also where it stands in braces."""
    match = REFERENCE.fullmatch(name.strip())
    return match[1] if match else name.strip()


def _plain(name: str, scope: Scope) -> str:
    value = scope.get(_bare(name)) if name else None
    return value.plain if value else ""


def _operand(name: str, scope: Scope) -> str:
    """Give a parameter as an operand; what is not a number counts as 0, as in the portal."""
    numbers = _numbers(_plain(name, scope), "0")
    return f"({_number_text(numbers[0])})" if numbers else "(0)"


def _numbers(left: str, right: str) -> tuple[float, float] | None:
    try:
        pair = float(left), float(right)
    except ValueError:
        return None
    return pair if all(map(math.isfinite, pair)) else None


def _compute(text: str) -> float:
    """Compute `+ - * / % ^` and parentheses over numbers. Raises ValueError."""
    shown = text[:60]
    if len(text) > MAX_EXPRESSION or not _EXPRESSION.fullmatch(text):
        raise ValueError(f"the expression {shown!r} cannot be computed: it holds more than numbers and + - * / % ^ ( )")
    try:
        result = _node(ast.parse(text.strip().replace("^", "**"), mode="eval").body)
    except (ArithmeticError, RecursionError, SyntaxError, ValueError, MemoryError) as error:
        raise ValueError(f"the expression {shown!r} cannot be computed: {error}") from error
    if not math.isfinite(result):
        raise ValueError(f"the expression {shown!r} has no finite value")
    return result


def _node(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return -_node(node.operand) if isinstance(node.op, ast.USub) else _node(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        return _ARITHMETIC[type(node.op)](_node(node.left), _node(node.right))
    raise ValueError("only numbers and + - * / % ^ ( ) are computed")


def _number_text(number: float) -> str:
    return as_text(number) or "0"


def _is_json(text: str) -> bool:
    try:
        decode(text)
    except ValueError:
        return False
    return True
