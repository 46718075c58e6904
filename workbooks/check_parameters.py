"""Every parameter that is named must be declared where it is seen; every one that is declared should be named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from workbooks import parameters_criteria, parameters_options
from workbooks.check_samples import options_of, sample_scope
from workbooks.model import (
    Finding,
    GroupItem,
    Item,
    MetricsItem,
    Parameter,
    ParameterKind,
    ParametersItem,
    QueryItem,
    QueryType,
    Severity,
    Workbook,
    walk,
)
from workbooks.parse_reader import step
from workbooks.substitute import Reference, references
from workbooks.substitute_format import SPECIFIERS, TIME_SPECIFIERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbooks.resolve_scope import Declarations

_LAMBDA: Final = re.compile(r"\)\s*\Z")
Use = tuple[str, str, Reference]
"""(path of the item or parameter that sees it, path of the text, the reference)."""


def check_parameters(workbook: Workbook, declared: Declarations) -> list[Finding]:
    """Tell names without a declaration, declarations without a use, and specifiers that there are not."""
    uses = list(_uses(workbook))
    names = {each.name for each in declared.all}
    found: list[Finding] = []
    for seer, path, reference in uses:
        found.extend(_use(declared, names, seer, path, reference))
    used = {reference.name for _, _, reference in uses}
    for each in declared.all:
        if each.name not in used:
            message = f"{each.name} is declared ({each.kind}) and never used"
            found.append(Finding(each.path, "unused-parameter", message))
    for item in walk(workbook.items):
        for parameter in item.parameters if isinstance(item, ParametersItem) else ():
            found.extend(_declaration(parameter))
    return found


def _use(declared: Declarations, names: set[str], seer: str, path: str, reference: Reference) -> Iterator[Finding]:
    seen = declared.at(seer, reference.name)
    if not seen:
        why = "is declared below, or in a group that keeps it in" if reference.name in names else "is declared nowhere"
        yield Finding(path, "undeclared-parameter", f"{{{reference.name}}} {why}", Severity.ERROR)
        return
    word = reference.specifier.lower()
    if not word or word.startswith("$"):
        return
    value = sample_scope(declared, seer).get(reference.name)
    known = TIME_SPECIFIERS if value is not None and value.time is not None else SPECIFIERS
    if word not in known:
        offered = ", ".join(sorted(known))
        message = f"{{{reference.name}:{reference.specifier}}}: there is no such specifier; there are {offered}"
        yield Finding(path, "unknown-specifier", message, Severity.ERROR)


def _uses(workbook: Workbook) -> Iterator[Use]:
    """Give every place where a parameter is named."""
    for item in walk(workbook.items):
        if isinstance(item, ParametersItem):
            for parameter in item.parameters:
                yield from _in_parameter(parameter)
        yield from _in_texts(item.path, item.path, _without_inner(item))
        for condition in item.conditions:
            yield _named(item.path, condition.path, condition.parameter)
        if isinstance(item, QueryItem | MetricsItem) and item.time_parameter:
            yield _named(item.path, f"{item.path}.content.timeContextFromParameter", item.time_parameter)
        if isinstance(item, MetricsItem) and item.resource_parameter:
            yield _named(item.path, f"{item.path}.content.resourceParameter", item.resource_parameter)


def _named(seer: str, path: str, name: str) -> Use:
    return seer, path, Reference(name.strip("{}"), "", 0, 0)


def _in_parameter(parameter: Parameter) -> Iterator[Use]:
    # What only says how a query is asked is left over from the editor where there is no query.
    unused = {"criteriaData"} if parameter.query else {"criteriaData", "crossComponentResources"}
    raw = {key: value for key, value in parameter.raw.items() if key not in unused}
    yield from _in_texts(parameter.path, parameter.path, raw)
    if parameter.time_parameter and parameter.query:
        yield _named(parameter.path, f"{parameter.path}.timeContextFromParameter", parameter.time_parameter)
    for criterion in parameter.criteria:
        for name in parameters_criteria.names(criterion):
            yield _named(parameter.path, criterion.path, name)


def _without_inner(item: Item) -> dict[str, Any]:
    """Give an item's JSON without what is walked by itself."""
    # A parameters item's own resources are the editor's offer for the next parameter.
    inner = {GroupItem: {"items"}, ParametersItem: {"parameters", "crossComponentResources"}}.get(type(item))
    content = item.raw.get("content")
    if not inner or not isinstance(content, dict):
        return dict(item.raw)
    return {**item.raw, "content": {key: value for key, value in content.items() if key not in inner}}


def _in_texts(seer: str, path: str, value: Any) -> Iterator[Use]:
    if isinstance(value, str):
        for reference in references(value):
            # `(x:int) {x}` is the body of a KQL function.
            if not _LAMBDA.search(value[: reference.start]):
                yield seer, path, reference
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _in_texts(seer, step(path, key), member)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _in_texts(seer, step(path, index), member)


def _declaration(parameter: Parameter) -> Iterator[Finding]:
    """Tell what is wrong with a declaration itself."""
    if not parameter.name:
        yield Finding(parameter.path, "no-name", "the parameter has no name, so nothing can use it", Severity.ERROR)
    for rule in parameter.settings.rules:
        try:
            re.compile(rule.pattern)
        except re.error as error:
            message = f"the rule {rule.pattern!r} is no regular expression: {error}"
            yield Finding(parameter.path, "bad-regex", message, Severity.ERROR)
    yield from _options(parameter)
    for criterion in parameter.criteria:
        if criterion.operator.strip().lower() not in parameters_criteria.OPERATORS:
            message = f"the operator {criterion.operator!r} is not known"
            yield Finding(criterion.path, "unknown-operator", message, Severity.ERROR)


def _options(parameter: Parameter) -> Iterator[Finding]:
    text = parameter.options_json
    try:
        if text and not references(text):
            parameters_options.from_json(text)
        elif parameter.query_type == QueryType.JSON and parameter.query and not references(parameter.query):
            parameters_options.from_json_query(parameter.query)
    except parameters_options.OptionsError as error:
        yield Finding(parameter.path, "bad-options", f"{parameter.name}: {error}", Severity.ERROR)
    values = [option.value for option in options_of(parameter)]
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield Finding(parameter.path, "duplicate-option", f"{parameter.name} offers {value!r} twice")
    one = {ParameterKind.DROPDOWN, ParameterKind.OPTIONS_GROUP}
    chosen = [
        text for text in parameter.value or () if values and text not in values and not text.startswith("value::")
    ]
    if parameter.kind in one and chosen and not references(" ".join(chosen)):
        yield Finding(
            parameter.path, "bad-default", f"{parameter.name} starts with {chosen[0]!r}, which it does not offer"
        )
