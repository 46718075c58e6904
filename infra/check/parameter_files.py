"""Parameter files: every value fits a parameter of the template, none is missing, and the zone map can be used."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from core.errors import ConfigurationError
from core.zone_map import ZoneMap
from infra.check.findings import Finding
from infra.check.parameters import fits
from infra.check.scope import Scope
from infra.check.values import Unknown, from_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.check.nodes import Document

_FROM_ENVIRONMENT: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(=[^}]*)?\}")
_ZONE_MAP: Final = "zoneMap"


def check_parameter_file(path: Path, text: str, template: Document) -> list[Finding]:
    """Check one file for a template. azd's `${NAME}` and `${NAME=default}` stand for values that are not known here."""
    try:
        given = json.loads(text)["parameters"]
        values = {name: entry["value"] for name, entry in given.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [Finding(path, 1, "syntax", f"not a parameter file: {error!a}")]
    findings: list[Finding] = []

    def report(line: int, code: str, message: str) -> None:
        findings.append(Finding(path, line, code, message))

    scope = Scope(template, path.parent, {}, report)
    known = {each.name: each for each in template.of("param")}
    for name, value in values.items():
        line = _line_of(text, name)
        if name not in known:
            report(line, "unknown-parameter", f"{template.path.name} has no parameter {name!a}")
        elif isinstance(value, str) and _FROM_ENVIRONMENT.search(value):
            fits(Unknown(), known[name], scope, f"parameter {name!a}", line)
        else:
            fits(from_json(value, line), known[name], scope, f"parameter {name!a}", line)
    for name, declared in known.items():
        if declared.value is None and name not in values:
            report(1, "missing-parameter", f"{template.path.name} needs the parameter {name!a}")
    findings += _zone_map(path, text, values.get(_ZONE_MAP))
    return findings


def _zone_map(path: Path, text: str, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        return
    try:
        ZoneMap.parse(json.dumps(value), _ZONE_MAP)
    except ConfigurationError as error:
        for reason in error.reasons:
            line = _line_of(text, _ZONE_MAP)
            yield Finding(path, line, "not-allowed-value", f"{_ZONE_MAP} {reason.path}: {reason.message}")


def _line_of(text: str, name: str) -> int:
    at = text.find(f'"{name}"')
    return text.count("\n", 0, at) + 1 if at >= 0 else 1
