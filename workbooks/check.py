"""Checks a workbook: its JSON, names and ids, parameters, queries, the columns it names, and what is not rendered here.

Pure: what the engines say of its queries is given (`verdicts`, see check_queries).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbooks.check_columns import missing_columns
from workbooks.check_parameters import check_parameters
from workbooks.check_rules import check_rules
from workbooks.check_samples import NOW
from workbooks.check_support import Supported, supported
from workbooks.model import (
    Finding,
    GroupItem,
    LinksItem,
    MetricsItem,
    ParametersItem,
    QueryItem,
    Severity,
    UnknownItem,
    walk,
)
from workbooks.resolve import Inputs, resolve
from workbooks.resolve_scope import declarations
from workbooks.viz.support import not_drawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbooks.parse import Parsed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the engines say of one query: why it is refused (code, message), and its columns where they are known."""

    problems: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome for one workbook. `not_rendered` are the elements that show as badges."""

    name: str
    findings: tuple[Finding, ...]
    not_rendered: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make a check fail."""
        return tuple(each for each in self.findings if each.severity is Severity.ERROR)


def check(
    parsed: Parsed,
    verdicts: Mapping[str, Verdict] | None = None,
    registries: Iterable[Supported] = (supported, not_drawn),
) -> Checked:
    """Check a workbook.

    `verdicts` are by the path of the query's item or parameter; without them queries and columns are not checked.
    `registries` say what is not rendered; by default what no answer is got for, and what the renderer does not draw.
    """
    workbook = parsed.workbook
    declared = declarations(workbook)
    found = [*parsed.findings, *check_rules(workbook), *check_parameters(workbook, declared)]
    for cycle in resolve(workbook, Inputs(NOW), declared).cycles:
        message = f"these parameters need one another: {', '.join(cycle)}"
        found.append(Finding("$", "cycle", message, Severity.ERROR))
    items = {item.path: item for item in walk(workbook.items)}
    for path, verdict in (verdicts or {}).items():
        found.extend(Finding(path, code, message, Severity.ERROR) for code, message in verdict.problems)
        if verdict.columns is not None and path in items:
            found.extend(missing_columns(items[path], verdict.columns))
    not_rendered = {each: None for item in items.values() for registry in registries for each in registry(item)}
    return Checked(workbook.name, tuple(dict.fromkeys(found)), tuple(not_rendered))


def count(workbooks: Iterable[Parsed]) -> dict[str, Counter[str]]:
    """Count over workbooks: by `item`, `visualization`, `query`, `parameter`, `formatter` and `link`."""
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("item", "visualization", "query", "parameter", "formatter", "link")
    }
    for parsed in workbooks:
        for item in walk(parsed.workbook.items):
            counts["item"][_kind(item)] += 1
            if isinstance(item, QueryItem | MetricsItem):
                counts["visualization"][_drawn(item)] += 1
                counts["formatter"].update(each.kind.name.lower() for each in item.visuals.grid.formatters)
            if isinstance(item, QueryItem):
                counts["query"][item.query_type.name.lower()] += 1
            if isinstance(item, ParametersItem):
                counts["parameter"].update(each.kind.name.lower() for each in item.parameters)
            if isinstance(item, LinksItem):
                counts["link"].update(each.target or "none" for each in item.links)
    return counts


def _kind(item: object) -> str:
    if isinstance(item, UnknownItem):
        return f"unknown ({item.kind})"
    return (
        "template group"
        if isinstance(item, GroupItem) and item.template
        else type(item).__name__.removesuffix("Item").lower()
    )


def _drawn(item: QueryItem | MetricsItem) -> str:
    if item.visualization == "graph" and item.visuals.graph.honeycomb:
        return "graph (honeycomb)"
    return item.visualization or "set by query"
