"""Writes what the Bicep files load: everything here has its source elsewhere, and is compared with it in CI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alerts import build as alert_bodies
from alerts import corpus as alert_corpus
from core import events
from infra import costs_page, roles, roles_page, workbooks_module
from kql import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
GENERATED: Final = Path("infra/generated")
# Pages of the docs with a part that is written here: the page, who writes it, from what.
_PAGES: Final = (
    (Path("docs/security.md"), roles_page.updated, "infra/roles.yaml"),
    (Path("docs/costs.md"), costs_page.updated, "infra/costs.py and infra/prices.yaml"),
)
# The table resource's spelling of a type, where it differs from the stream declaration's.
_TABLE_TYPES: Final = {"datetime": "dateTime"}


@dataclass(frozen=True, slots=True)
class Artefact:
    """One generated file: its path below the project's root, its text, and where the text comes from."""

    path: Path
    text: str
    source: str


def artefacts(root: Path = ROOT) -> Iterator[Artefact]:
    """Give every generated file, in a fixed order. Reads the sources below `root`; writes nothing."""
    yield _json("table.json", table_columns(), "core/events.py")
    yield _json("stream.json", events.stream_declaration()["columns"], "core/events.py")
    yield _json("functions.json", list(functions()), "kql/functions")
    yield _json("queries.json", list(queries()), "kql/queries")
    yield _json("roles.json", role_ids(), "infra/roles.yaml")
    yield _json("custom-roles.json", custom_roles(), "infra/roles.yaml")
    yield _json("alert-rules.json", alert_rules(), "alerts/rules")
    for name, text in sorted(alert_bodies.files(alert_corpus.read_rules().values()).items()):
        yield Artefact(GENERATED / "alerts" / name, text, "alerts/rules")
    yield Artefact(GENERATED / "workbooks.bicep", workbooks_module.text(root / "workbooks"), "workbooks")
    for page, update, source in _PAGES:
        if (root / page).exists():
            yield Artefact(page, update((root / page).read_text(encoding="utf-8")), source)


def stale(root: Path = ROOT) -> list[Artefact]:
    """List the generated files that are missing or differ from their source."""
    return [artefact for artefact in artefacts(root) if _read(root / artefact.path) != artefact.text]


def write(root: Path = ROOT) -> list[Path]:
    """Write what is stale; gives the paths that were written, below the root."""
    changed = stale(root)
    for artefact in changed:
        target = root / artefact.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(artefact.text, encoding="utf-8")
    return [artefact.path for artefact in changed]


def table_columns() -> list[dict[str, str]]:
    """Give the columns of the workspace's table."""
    return [
        {"name": column.name, "type": _TABLE_TYPES.get(column.type, column.type), "description": column.description}
        for column in events.COLUMNS
    ]


def functions() -> Iterator[dict[str, str]]:
    """Give the workspace functions as saved searches take them."""
    for entry in catalog.functions().values():
        yield {
            "name": entry.name,
            "displayName": entry.name,
            "parameters": entry.signature,
            "query": f"// {entry.summary}\n{entry.body}",
        }


def queries() -> Iterator[dict[str, str]]:
    """Give the queries as a query pack takes them, with their parameters at the defaults as `let` statements."""
    for entry in catalog.queries().values():
        title = entry.name.replace("-", " ")
        yield {
            "name": entry.name,
            "displayName": f"ACI DNS: {title}",
            "description": entry.summary[:1].upper() + entry.summary[1:],
            "body": catalog.query(entry.name),
        }


def role_ids() -> dict[str, str]:
    """Give the GUIDs of the built-in roles that are assigned, by their name in camel case."""
    return {camel_case(role.name): role.id for role in roles.load().built_in}


def custom_roles() -> list[dict[str, Any]]:
    """Give the custom roles as the Bicep file loops over them."""
    return [
        {"key": role.key, "name": role.name, "description": role.description, "actions": list(role.actions)}
        for role in roles.load().custom
    ]


def alert_rules() -> list[dict[str, Any]]:
    """Give the alert rules as the Bicep file loops over them: their bodies without what the deployment decides."""
    return [_rule(alert_bodies.body(rule)) for _, rule in sorted(alert_corpus.read_rules().items())]


def _rule(body: dict[str, Any]) -> dict[str, Any]:
    properties = {
        key: value for key, value in body["properties"].items() if key not in {"scopes", "actions", "enabled"}
    }
    actions = body["properties"]["actions"]
    return {
        "name": body["name"],
        "tags": body["tags"],
        "enabled": body["properties"]["enabled"],
        "actionGroup": actions["actionGroups"][0],
        "customProperties": actions["customProperties"],
        # As text: thresholds may be fractions, which Bicep does not have; its json() hands them on.
        "properties": json.dumps(properties, ensure_ascii=False),
    }


def camel_case(name: str) -> str:
    """Give `Private DNS Zone Contributor` as `privateDnsZoneContributor`."""
    first, *rest = name.split()
    lowered = first[0].lower() + first[1:]
    return lowered + "".join(word.capitalize() for word in rest)


def _json(name: str, value: object, source: str) -> Artefact:
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return Artefact(GENERATED / name, text, source)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
