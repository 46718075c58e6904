"""Works out parameters one by one, each after those that it needs, whatever the order they are asked for in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from workbooks import parameters, parameters_criteria, parameters_options, substitute_time
from workbooks.model import CHOICES, MetricsItem, ParameterKind, ParametersItem, QueryItem, QueryType
from workbooks.parameters_options import OptionsError
from workbooks.resolve_requests import parameter_request, time_of, unset_names
from workbooks.resolve_state import Inputs, ParameterState
from workbooks.substitute import Scope, SubstitutionError, references
from workbooks.substitute_format import RESOURCE_KINDS, Value
from workbooks.visibility import is_visible

if TYPE_CHECKING:
    from kql.engine import ResultTable
    from workbooks.model import Export, Option, Parameter
    from workbooks.resolve_scope import Declaration, Declarations

_PICKERS = RESOURCE_KINDS | {ParameterKind.RESOURCE_TYPE}


class _Seen(Mapping[str, "Value | None"]):
    """What is seen from a path; values are worked out when they are asked for."""

    def __init__(self, resolver: ParameterResolver, path: str) -> None:
        self.resolver, self.path = resolver, path
        self.names = resolver.declared.seen.get(path, {})

    def __getitem__(self, name: str) -> Value | None:
        return self.resolver.value(self.path, name)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class ParameterResolver:
    """One working out. `cycles` collects the names that need one another."""

    def __init__(self, inputs: Inputs, declared: Declarations) -> None:
        self.inputs, self.declared = inputs, declared
        self.cycles: list[tuple[str, ...]] = []
        self._states: dict[str, ParameterState] = {}
        self._open: dict[str, Declaration] = {}

    def scope(self, path: str) -> Scope:
        """Give what is seen from the item or parameter at a path."""
        return Scope(_Seen(self, path), self.inputs.now)

    def fixed(self, scope: Scope) -> Scope:
        """Give a scope whose values are all worked out."""
        return Scope(dict(scope.values), scope.now)

    def value(self, path: str, name: str) -> Value | None:
        """Give the value of a name as it is seen from a path: that of the nearest declaration that has one."""
        for declaration in reversed(self.declared.at(path, name)):
            value = self.state(declaration).value
            if value is not None:
                return value
        return None

    def state(self, declaration: Declaration) -> ParameterState:
        """Work out one declaration. One that needs itself stays unset."""
        cell = declaration.cell
        if cell in self._open:
            names = [each.name for each in self._open.values()]
            self.cycles.append(tuple(names[list(self._open).index(cell) :]))
            return ParameterState(
                declaration, problem="it needs itself: " + " → ".join([*self.cycles[-1], declaration.name])
            )
        if cell not in self._states:
            self._open[cell] = declaration
            try:
                self._states[cell] = self._worked_out(declaration)
            finally:
                del self._open[cell]
        return self._states[cell]

    def _worked_out(self, declaration: Declaration) -> ParameterState:
        if declaration.kind == "export" and declaration.export:
            return ParameterState(declaration, self._exported(declaration, declaration.export))
        if declaration.kind == "tab":
            return ParameterState(declaration, self._tab(declaration))
        if declaration.kind == "brush":
            return ParameterState(declaration, self._brushed(declaration))
        assert declaration.parameter is not None  # noqa: S101 - a declaration of the last kind has one
        state = self._parameter(declaration, declaration.parameter)
        if state.value is None and not state.waits_for and state.request is None and not self._chosen(declaration):
            initial = filter(None, (self._initial(setter) for setter in self.declared.setters.get(declaration.key, ())))
            return ParameterState(declaration, next(initial, None), state.options, state.times, problem=state.problem)
        return state

    def _initial(self, setter: Declaration) -> Value | None:
        """Give what a setter of a global parameter starts it with, where nothing else does.

        A brush starts with the range that its chart has, which may be this very parameter's: so with nothing.
        """
        if setter.kind == "tab":
            return self._tab(setter, starting=True)
        return self.state(setter).value if setter.kind == "export" else None

    def _chosen(self, declaration: Declaration) -> tuple[str, ...] | None:
        return self.inputs.chosen.get(declaration.key)

    def _exported(self, declaration: Declaration, export: Export) -> Value | None:
        chosen = self._chosen(declaration)
        if chosen:
            if export.parameter_kind is ParameterKind.TIME_RANGE:
                time = substitute_time.from_text(chosen[0])
                return Value(time=time, kind=export.parameter_kind) if time else None
            members = chosen if export.multiple else chosen[:1]
            return Value(
                values=members,
                trusted=members == (export.default,),
                multiple=export.multiple,
                quote=export.quote,
                delimiter=export.delimiter,
                kind=export.parameter_kind,
            )
        if export.default is None:
            return None
        scope = self.scope(declaration.owner.path)
        trusted = self._is_own(export.default, scope)
        return Value(values=(scope.text(export.default),), trusted=trusted, kind=export.parameter_kind)

    def _tab(self, declaration: Declaration, *, starting: bool = False) -> Value | None:
        path = declaration.owner.path
        scope = self.scope(path)
        offered = {scope.text(link.sub_target): link for link in declaration.links}
        above = None if starting else self.value(path, declaration.name)
        wanted = [*(self._chosen(declaration) or ())[:1], *([above.plain] if above else [])]
        text = next((text for text in wanted if text in offered), None)
        if text is None and getattr(declaration.owner, "is_tabs", False):
            text = next(iter(offered), None)
        if text is None:
            return None
        link = offered[text]
        return Value(values=(text,), labels=(scope.text(link.label),), trusted=self._is_own(link.sub_target, scope))

    def _brushed(self, declaration: Declaration) -> Value | None:
        chosen, owner = self._chosen(declaration), declaration.owner
        time = substitute_time.from_text(chosen[0]) if chosen else None
        only = declaration.brush is not None and declaration.brush.only_brushed
        if time is None and not only and isinstance(owner, QueryItem | MetricsItem):
            scope = self.scope(owner.path)
            time = (
                None
                if unset_names(f"{{{owner.time_parameter}}}", scope)
                else time_of(owner.time, owner.time_parameter, scope)
            )
        return Value(time=time, kind=ParameterKind.TIME_RANGE) if time else None

    def _parameter(self, declaration: Declaration, parameter: Parameter) -> ParameterState:
        scope, chosen = self.scope(parameter.path), self._chosen(declaration)
        if parameter.kind is ParameterKind.TIME_RANGE:
            found = parameters.choose(parameter, chosen, (), trusted=True)
            return ParameterState(
                declaration, found.value, times=parameters.time_ranges(parameter), problem=found.problem
            )
        if parameter.criteria:
            return self._computed(declaration, parameter, scope)
        try:
            source = self._source(declaration, parameter, scope)
        except (OptionsError, SubstitutionError) as error:
            source = ParameterState(declaration, problem=str(error))
        if isinstance(source, ParameterState):
            return self._without_source(source, parameter, chosen)
        options, computed, trusted = source
        found = parameters.choose(parameter, chosen, options, trusted=trusted, computed=computed)
        return ParameterState(declaration, found.value, options, problem=found.problem)

    def _without_source(
        self, failed: ParameterState, parameter: Parameter, chosen: tuple[str, ...] | None
    ) -> ParameterState:
        """Take what was typed where there are no options to choose from; a text needs none."""
        if parameter.kind in CHOICES or chosen is None:
            return failed
        found = parameters.choose(parameter, chosen, (), trusted=False)
        return ParameterState(failed.declaration, found.value, problem=found.problem or failed.problem)

    def _computed(self, declaration: Declaration, parameter: Parameter, scope: Scope) -> ParameterState:
        needed = [name for each in parameter.criteria for name in parameters_criteria.names(each) if name in scope]
        waits = tuple(dict.fromkeys(name for name in needed if self._is_pending(parameter.path, name)))
        if waits:
            return ParameterState(declaration, waits_for=waits)
        try:
            result = parameters_criteria.evaluate(parameter.criteria, scope)
        except ValueError as error:
            return ParameterState(declaration, problem=str(error))
        text, trusted = result or ("", True)
        found = parameters.choose(parameter, None, (), trusted=trusted, computed=text)
        return ParameterState(declaration, found.value, problem=found.problem)

    def _is_pending(self, path: str, name: str) -> bool:
        """Say whether a name may still get a value from an answer that is outstanding."""
        states = [self.state(each) for each in self.declared.at(path, name)]
        return any(each.request or each.waits_for for each in states) and all(each.value is None for each in states)

    def _source(
        self, declaration: Declaration, parameter: Parameter, scope: Scope
    ) -> tuple[tuple[Option, ...], str | None, bool] | ParameterState:
        """Find a parameter's options, the text that a query gives it, and whether both are the author's own."""
        if parameter.options_json or (parameter.query and parameter.query_type == QueryType.JSON):
            return self._from_json(declaration, parameter, scope)
        if parameter.kind in _PICKERS and (not parameter.query or parameter.query_type != QueryType.LOGS):
            return parameters_options.from_resources(parameter, self.inputs.resources), None, False
        if parameter.query:
            return self._asked(declaration, parameter, scope)
        return (), None, True

    def _from_json(
        self, declaration: Declaration, parameter: Parameter, scope: Scope
    ) -> tuple[tuple[Option, ...], str | None, bool] | ParameterState:
        template = parameter.options_json or parameter.query
        waits = unset_names(template, scope)
        if waits:
            return ParameterState(declaration, waits_for=waits)
        own = self._is_own(template, scope)
        if parameter.options_json:
            return parameters_options.from_json(scope.text(template)), None, own
        options = parameters_options.from_json_query(scope.text(template))
        return options, (options[0].value if options else ""), own

    def _asked(
        self, declaration: Declaration, parameter: Parameter, scope: Scope
    ) -> tuple[tuple[Option, ...], str | None, bool] | ParameterState:
        owner = declaration.owner
        if isinstance(owner, ParametersItem) and not owner.run_when_hidden and not self._is_shown(owner.path):
            return ParameterState(declaration, problem="it is not asked for while its item is hidden")
        request, waits, problem = parameter_request(parameter, scope)
        if request is None:
            return ParameterState(declaration, waits_for=waits, problem=problem)
        answer: ResultTable | str | None = self.inputs.answers.get(request)
        if answer is None:
            return ParameterState(declaration, request=request)
        if isinstance(answer, str):
            raise OptionsError(answer)
        return parameters_options.from_table(answer, parameter.kind), parameters_options.first_cell(answer), False

    def _is_shown(self, path: str) -> bool:
        """Say whether an item and the groups around it are shown."""
        while path:
            if not is_visible(self.declared.conditions.get(path, ()), self.scope(path)):
                return False
            path = self.declared.parents.get(path, "")
        return True

    def _is_own(self, template: str, scope: Scope) -> bool:
        """Say whether a text stays the author's own when its parameters are put in."""
        values = [scope.get(each.name) for each in references(template) if each.name in scope]
        return all(value is None or value.trusted or value.time is not None for value in values)
