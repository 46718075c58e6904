"""Writes the tables of docs/security.md that say who may do what, from roles.yaml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.errors import ConfigurationError
from infra import roles

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN: Final = "<!-- roles: written by `drift infra build` from infra/roles.yaml -->"
END: Final = "<!-- end of roles -->"
_SCOPES: Final = {
    "aci_group": "each resource group of the zone map",
    "forward_zone": "each forward zone",
    "reverse_zone": "each reverse zone",
    "storage": "its own storage account",
    "dead_letters": "the container for dead letters",
    "data_collection_rule": "the data collection rule",
    "telemetry": "the Application Insights component",
    "repair_topic": "the repair topic",
    "virtual_network": "the probed network",
    "registry": "the container registry",
}


def updated(page: str) -> str:
    """Give the page with the part between the two marks written anew; raises ConfigurationError without the marks."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(page):
        raise ConfigurationError(f"docs/security.md: the marks {BEGIN!r} and {END!r} are missing")
    return pattern.sub(lambda _: "\n".join((BEGIN, "", *_lines(roles.load()), "", END)), page)


def _lines(document: roles.Roles) -> Iterator[str]:
    for identity in document.identities:
        yield f"**{identity.key}**: {identity.what}"
        yield ""
        yield "| role | on | needed by | why | without it |"
        yield "|---|---|---|---|---|"
        for grant in identity.grants:
            condition = f" (only if {grant.optional})" if grant.optional else ""
            where = _SCOPES[grant.scope]
            yield f"| {grant.role} | {where}{condition} | {grant.code} | {grant.why} | {grant.without} |"
        yield ""
    yield "Custom roles that take the place of a built-in one with `useCustomRoles=true`:"
    yield ""
    yield "| role | in place of | on | allows |"
    yield "|---|---|---|---|"
    for role in document.custom:
        actions = ", ".join(f"`{action}`" for action in role.actions)
        yield f"| {role.name} | {role.replaces} | {', '.join(_SCOPES[scope] for scope in role.scopes)} | {actions} |"
