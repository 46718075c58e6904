"""`drift alerts list` and `show`: the rules as a person reads them."""

import re
import textwrap
from pathlib import Path
from typing import Any, Final

from rich.markup import escape

from alerts import corpus
from alerts.durations import to_iso, to_short
from alerts.model import Rule
from cli import console
from core.errors import EXIT_DONE

LINE: Final = 100
"""Columns of a description: a paragraph is read in lines, on any terminal and in a file."""


def show_all(folder: Path | None, *, json: bool) -> int:
    """Show every rule, the most severe first."""
    rules = sorted(corpus.read_rules(folder or corpus.RULES).values(), key=lambda rule: (rule.severity, rule.name))
    if json:
        console.show_json([as_json(rule) for rule in rules])
        return EXIT_DONE
    table = console.table()
    for heading in ("rule", "severity", "tells", "every", "looks back", "owner", "what"):
        table.add_column(heading, no_wrap=heading != "what", justify="right" if heading == "severity" else "left")
    for rule in rules:
        table.add_row(
            rule.name + ("" if rule.enabled else " (disabled)"),
            str(rule.severity),
            rule.action_group,
            to_short(rule.evaluation_frequency),
            to_short(rule.query_time_range),
            rule.owner,
            rule.display_name,
        )
    console.show(table)
    return EXIT_DONE


def show_one(name: str, folder: Path | None, *, json: bool) -> int:
    """Show one rule with its query."""
    (rule,) = corpus.chosen(corpus.read_rules(folder or corpus.RULES), [name])
    kql = corpus.query_text(rule)
    if json:
        console.show_json({**as_json(rule), "kql": kql})
        return EXIT_DONE
    console.show(f"[bold]{escape(rule.display_name)}[/]")
    console.show_text(f"{paragraphs(rule.description)}\n\n")
    table = console.table(headings=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _described(rule):
        table.add_row(label, escape(text))
    console.show(table)
    console.show()
    console.show_text(f"{kql}\n")
    return EXIT_DONE


def as_json(rule: Rule) -> dict[str, Any]:
    """Give what `list` says about a rule, as JSON values."""
    return {
        "name": rule.name,
        "displayName": rule.display_name,
        "severity": rule.severity,
        "actionGroup": rule.action_group,
        "owner": rule.owner,
        "runbook": rule.runbook,
        "enabled": rule.enabled,
        "evaluationFrequency": to_iso(rule.evaluation_frequency),
        "windowSize": to_iso(rule.window_size),
        "queryTimeRange": to_iso(rule.query_time_range),
        "dimensions": [dimension.name for dimension in rule.dimensions],
        "condition": condition(rule),
        "stateful": rule.auto_mitigate,
        "resolvesAfter": to_iso(rule.resolve_delay) if rule.resolves else None,
        "file": rule.file,
    }


def paragraphs(description: str) -> str:
    """Break a description into lines that can be read, each reason (Why …) in a paragraph of its own."""
    parts = re.split(r"(?<=\.)\s+(?=Why )", description.strip())
    return "\n".join(textwrap.fill(part, LINE, break_long_words=False, break_on_hyphens=False) for part in parts)


def condition(rule: Rule) -> str:
    """Say when a rule fires, in Azure's words."""
    measure = f"({rule.metric_measure_column})" if rule.metric_measure_column else " of rows"
    text = f"{rule.time_aggregation}{measure} {rule.operator} {rule.threshold:g}"
    periods = rule.failing_periods
    return text if periods.of == 1 else f"{text} in {periods.minimum} of the last {periods.of} bins"


def _described(rule: Rule) -> list[tuple[str, str]]:
    for_each = ", ".join(
        dimension.name
        + ("" if dimension.values == ("*",) else f" ({dimension.operator} {', '.join(dimension.values)})")
        for dimension in rule.dimensions
    )
    return [
        ("rule", f"{rule.name}{'' if rule.enabled else ' (disabled)'}, {rule.file}"),
        ("severity", f"{rule.severity}, tells {rule.action_group}; owner {rule.owner}"),
        ("runbook", f"docs/runbooks/{rule.runbook}"),
        ("fires when", condition(rule)),
        ("for each", for_each or "nothing: one alert"),
        ("looks", f"every {to_short(rule.evaluation_frequency)} at the last {to_short(rule.query_time_range)}"),
        ("bins", f"of {to_short(rule.window_size)} back from each evaluation; one of it all without TimeGenerated"),
        ("then", _afterwards(rule)),
        ("query", rule.query or "its own"),
    ]


def _afterwards(rule: Rule) -> str:
    if not rule.auto_mitigate:
        mute = rule.mute_actions_duration
        return "stateless: fires at every evaluation" + (f", then silent for {to_short(mute)}" if mute else "")
    if not rule.resolves:
        return "stateful: fires once, and is never resolved by Azure"
    return f"stateful: fires once, resolves after {to_short(rule.resolve_delay)} without the condition"
