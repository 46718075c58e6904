"""Queries as they look with some value for every parameter, so that they can be parsed and their columns known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from workbooks import parameters_options
from workbooks.model import ParameterKind, QueryItem, QueryType, TimeRange, walk
from workbooks.model import ParametersItem as _Parameters
from workbooks.substitute import REFERENCE, Scope, SubstitutionError
from workbooks.substitute_format import RESOURCE_KINDS, Value

if TYPE_CHECKING:
    from workbooks.model import Option, Parameter, Workbook
    from workbooks.resolve_scope import Declaration, Declarations

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
RESOURCE: Final = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
DEPTH: Final = 8
_NUMBER: Final = "1"


class _Samples(Mapping[str, "Value | None"]):
    def __init__(self, declared: Declarations, path: str, depth: int = 0) -> None:
        self.declared, self.path, self.depth = declared, path, depth
        self.names = declared.seen.get(path, {})

    def __getitem__(self, name: str) -> Value | None:
        return self._of(self.names[name][-1])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def _of(self, declaration: Declaration) -> Value:
        if declaration.parameter:
            return self._parameter(declaration.parameter)
        if declaration.brush or (declaration.export and declaration.export.parameter_kind is ParameterKind.TIME_RANGE):
            return Value(time=TimeRange(86_400_000), kind=ParameterKind.TIME_RANGE)
        text = next((link.sub_target for link in declaration.links), "") or _NUMBER
        multiple = bool(declaration.export and declaration.export.multiple)
        return Value(values=(text,), trusted=True, multiple=multiple)

    def _parameter(self, parameter: Parameter) -> Value:
        if parameter.kind is ParameterKind.TIME_RANGE:
            return Value(time=TimeRange(86_400_000), kind=parameter.kind)
        text = RESOURCE if parameter.kind in RESOURCE_KINDS else self._text(parameter)
        return Value(
            values=(text,),
            trusted=True,
            multiple=parameter.is_multiple,
            quote=parameter.quote,
            delimiter=parameter.delimiter,
            kind=parameter.kind,
        )

    def _text(self, parameter: Parameter) -> str:
        static = [each.result for each in parameter.criteria if each.result_kind == "static" and each.result]
        if static and self.depth < DEPTH:
            return Scope(_Samples(self.declared, parameter.path, self.depth + 1), NOW).text(static[-1])
        options = [option.value for option in options_of(parameter)]
        saved = [
            text for text in parameter.value or () if not text.startswith("value::") and not REFERENCE.search(text)
        ]
        return next(iter([*saved, *options]), _NUMBER)


def options_of(parameter: Parameter) -> tuple[Option, ...]:
    """Give the options that the workbook lists; none where it lists none, or they cannot be read."""
    try:
        if parameter.options_json:
            return parameters_options.from_json(parameter.options_json)
        if parameter.query and parameter.query_type == QueryType.JSON:
            return parameters_options.from_json_query(parameter.query)
    except parameters_options.OptionsError:
        return ()
    return ()


def sample_scope(declared: Declarations, path: str) -> Scope:
    """Give what is seen from a path, with a value for every name."""
    return Scope(_Samples(declared, path), NOW)


def log_queries(workbook: Workbook) -> dict[str, str]:
    """Give every log query as it is written, by the path of its item or parameter."""
    found: dict[str, str] = {}
    for item in walk(workbook.items):
        if isinstance(item, QueryItem) and item.query_type is QueryType.LOGS and item.query.strip():
            found[item.path] = item.query
        for parameter in item.parameters if isinstance(item, _Parameters) else ():
            if parameter.query.strip() and parameter.query_type == QueryType.LOGS and not parameter.criteria:
                found[parameter.path] = parameter.query
    return found


def sample_queries(workbook: Workbook, declared: Declarations) -> dict[str, str]:
    """Give every log query with sample values; one whose values cannot be put in, as it is written."""
    found = {}
    for path, template in log_queries(workbook).items():
        try:
            text = sample_scope(declared, path).kql(template)
        except SubstitutionError:
            text = template
        found[path] = re.sub(r"\r\n?", "\n", text)
    return found
