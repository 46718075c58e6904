"""Azure's role-based access control: who may do what, where. Pure; off until a world's `authorize` is set to it.

    roles = Roles()
    roles.assign(principal_of(client_id), RoleDefinition("Reader", actions=("*/read",)), "/subscriptions/…")
    azure.call(lambda: setattr(azure.world, "authorize", roles))

An assignment holds at its scope and everything below it. An action is allowed when one assignment's role names it and
does not except it; there is no deny. Data actions (sending telemetry, publishing events) are granted by `data_actions`
alone, as in Azure: `*` among the actions of a role does not reach data.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from local_azure import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DATA_ACTIONS: Final = frozenset({"microsoft.insights/telemetry/write", "microsoft.eventgrid/events/send/action"})
"""Those of the local Azure's own doors that are data actions in Azure; every other action is a control action."""


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role: patterns of actions, in which `*` stands for any text, slashes too. Case does not count."""

    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def grants(self, action: str) -> bool:
        """Tell whether the role allows the action, at whatever scope it is assigned."""
        is_data = action.lower() in DATA_ACTIONS
        granted, excepted = (self.data_actions, self.not_data_actions) if is_data else (self.actions, self.not_actions)
        return _any_matches(granted, action) and not _any_matches(excepted, action)


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role given to a principal (object id) at a scope: an ARM id, or `/` for everything."""

    principal: str
    role: RoleDefinition
    scope: str

    def reaches(self, scope: str) -> bool:
        """Tell whether the assignment holds at `scope`: it is the assignment's own, or below it."""
        own = self.scope.rstrip("/").lower()
        asked = scope.lower()
        return asked == own or asked.startswith(f"{own}/")


@dataclass(frozen=True, slots=True)
class Denial:
    """What was refused: to whom (object id), which action, at which scope."""

    principal: str
    action: str
    scope: str


@dataclass
class Roles:
    """The assignments of a tenant; callable as a world's `authorize`. `denials` keeps what it refused, in order.

    `aliases` gives the ARM id of what is addressed otherwise on its data plane: a data collection rule by its immutable
    id (`/dataCollectionRules/dcr-…`), a workspace by its GUID (`/workspaces/…`), a topic by its name (`/eventgrid/…`).
    """

    assignments: list[RoleAssignment] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    denials: list[Denial] = field(default_factory=list)

    def assign(self, principal: str, role: RoleDefinition, scope: str) -> RoleAssignment:
        """Give a role to a principal at a scope; gives the assignment, which `revoke` takes back."""
        made = RoleAssignment(principal, role, scope)
        self.assignments.append(made)
        return made

    def revoke(self, assignments: Iterable[RoleAssignment]) -> None:
        """Take assignments back."""
        gone = list(assignments)
        self.assignments = [kept for kept in self.assignments if kept not in gone]

    def __call__(self, claims: Mapping[str, Any], action: str, scope: str) -> bool:
        """Tell whether the bearer of these claims may perform `action` at `scope`; a refusal is kept."""
        principal = str(claims.get("oid", ""))
        at = self._arm_id(scope)
        allowed = any(
            given.principal == principal and given.reaches(at) and given.role.grants(action)
            for given in self.assignments
        )
        if not allowed:
            self.denials.append(Denial(principal, action, at))
        return allowed

    def _arm_id(self, scope: str) -> str:
        wanted = scope.lower()
        return next((arm_id for alias, arm_id in self.aliases.items() if alias.lower() == wanted), scope)


def principal_of(client_id: str = tokens.SYSTEM_CLIENT_ID) -> str:
    """Give the object id of a managed identity by its client id; without one, of the system-assigned identity."""
    return tokens.object_id(client_id)


def _any_matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).match(action) for pattern in patterns)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    # Only `*` is a wildcard in a role; fnmatch's other signs are taken as they stand.
    escaped = "*".join(part.replace("[", "[[]").replace("?", "[?]") for part in text.split("*"))
    return re.compile(fnmatch.translate(escaped), re.IGNORECASE)
