"""Whether the parts name one another rightly: streams and tables, functions and those that call them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from infra.check.findings import Finding
from infra.check.values import Arr, Obj, Unknown, Value, alternatives, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from infra.check.deployment import Instance

_RULE: Final = "microsoft.insights/datacollectionrules"
_TABLE: Final = "microsoft.operationalinsights/workspaces/tables"
_SITE: Final = "microsoft.web/sites"
_SUBSCRIPTIONS: Final = frozenset(
    {"microsoft.eventgrid/systemtopics/eventsubscriptions", "microsoft.eventgrid/topics/eventsubscriptions"}
)
_CALLED: Final = re.compile(r"/functions/([^/]*)$")
_SWITCH: Final = re.compile(r"AzureWebJobs\.(.+)\.Disabled")
_DECLARED: Final = re.compile(r'@app\.function_name\("(\w+)"\)')


def function_names(root: Path) -> frozenset[str]:
    """Read the names of the functions out of function_app.py; empty where there is none."""
    file = root / "function_app.py"
    return frozenset(_DECLARED.findall(file.read_text(encoding="utf-8"))) if file.is_file() else frozenset()


def check_wiring(instances: Collection[Instance], functions: frozenset[str]) -> Iterator[Finding]:
    """Check a deployment. Without `functions` nothing is said of them."""
    tables = {
        text
        for each in instances
        if each.declared.resource_type.lower() == _TABLE and isinstance(each.body, Obj)
        for text in texts(each.body.get("name"))
    }
    for each in instances:
        kind = each.declared.resource_type.lower()
        found: Iterable[tuple[str, str]] = ()
        if isinstance(each.body, Obj) and kind == _RULE:
            found = _rule(each.body, tables)
        elif isinstance(each.body, Obj) and functions and kind in _SUBSCRIPTIONS:
            found = _called(each.body, functions)
        elif isinstance(each.body, Obj) and functions and kind == _SITE:
            found = _switched(each.body, functions)
        for code, message in found:
            yield Finding(each.document.path, each.declared.line, code, message)


def _rule(body: Obj, tables: set[str]) -> Iterator[tuple[str, str]]:
    """Check a data collection rule: what flows is declared, where it flows to is there."""
    declared = body.get("properties", "streamDeclarations")
    streams = set(declared.entries) if isinstance(declared, Obj) and not declared.open else None
    named = body.get("properties", "destinations", "logAnalytics")
    destinations = {text for item in _items(named) if isinstance(item, Obj) for text in texts(item.get("name"))}
    for flow in _items(body.get("properties", "dataFlows")):
        if not isinstance(flow, Obj):
            continue
        for stream in (text for item in _items(flow.get("streams")) for text in texts(item)):
            if stream.startswith("Custom-") and streams is not None and stream not in streams:
                yield "wrong-stream", f"the stream {stream!a} is not declared; declared: {', '.join(sorted(streams))}"
        for target in (text for item in _items(flow.get("destinations")) for text in texts(item)):
            if target not in destinations:
                yield "wrong-stream", f"the destination {target!a} is not declared"
        for output in texts(flow.get("outputStream")):
            if tables and output.removeprefix("Custom-") not in tables:
                yield "wrong-stream", f"rows flow to {output!a}; the deployment's table is {', '.join(sorted(tables))}"


def _called(body: Obj, functions: frozenset[str]) -> Iterator[tuple[str, str]]:
    target = body.get("properties", "destination", "properties", "resourceId")
    for outcome in alternatives(target) if target is not None else ():
        text = outcome.origin if isinstance(outcome, Unknown) else "".join(texts(outcome))
        name = _CALLED.search(text)
        if name is not None and name[1] not in functions:
            yield (
                "unknown-trigger",
                f"function_app.py has no function {name[1]!a}; it has {', '.join(sorted(functions))}",
            )


def _switched(body: Obj, functions: frozenset[str]) -> Iterator[tuple[str, str]]:
    for item in _items(body.get("properties", "siteConfig", "appSettings")):
        for text in texts(item.get("name")) if isinstance(item, Obj) else ():
            name = _SWITCH.fullmatch(text)
            if name is not None and name[1] not in functions:
                yield "unknown-trigger", f"{text}: function_app.py has no function {name[1]!a}"


def _items(value: Value | None) -> Iterator[Value]:
    for outcome in alternatives(value) if value is not None else ():
        yield from outcome.items if isinstance(outcome, Arr) else ()
