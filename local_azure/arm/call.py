"""One ARM request and its answer, as values; and the two shapes that Azure's errors have."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_azure.arm.paths import ArmPath
    from local_azure.faults import Fault
    from local_azure.world import World


@dataclass(frozen=True)
class Call:
    """One ARM request. `headers` has lower-case names, `base` is scheme and host, `body` the parsed JSON or None."""

    world: World
    method: str
    path: ArmPath
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    base: str
    url: str
    claims: Mapping[str, Any]
    correlation_id: str
    client_request_id: str
    # A fault of kind fail_operation: the long-running operation that this request starts must end as failed.
    operation_fault: Fault | None = None

    @property
    def api_version(self) -> str:
        """Give the api-version as it was sent, empty when it was not."""
        return self.query.get("api-version", "")

    def json_object(self) -> dict[str, Any]:
        """Give the body, which must be a JSON object. Raises ArmError 400."""
        if not isinstance(self.body, dict):
            raise invalid_content("The request content was invalid and could not be deserialized: an object is needed.")
        return self.body

    def section(self, name: str) -> dict[str, Any]:
        """Give an object inside the body; empty when absent. Raises ArmError 400 for another type."""
        value = self.json_object().get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise invalid_content(f"The request content was invalid: '{name}' must be an object.")
        return value


@dataclass
class Reply:
    r"""An answer. `escaped` writes slashes as `\/`, as the private DNS provider does."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    escaped: bool = False
    # False where a write ends later (its operation emits the event) or changed nothing.
    emits: bool = True

    def encoded(self) -> bytes:
        """Give the body as it goes over the wire."""
        if self.body is None:
            return b""
        text = json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)
        return (text.replace("/", "\\/") if self.escaped else text).encode()


class ArmError(Exception):
    """An error answer. `wrapped` is ARM's own envelope {"error": {…}}, else the flat one of the DNS provider."""

    def __init__(
        self, status: int, code: str, message: str, *, wrapped: bool = True, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.wrapped = wrapped
        self.headers = headers or {}

    def content(self) -> dict[str, str]:
        """Give code and message, without an envelope."""
        return {"code": self.code, "message": self.message}

    def reply(self) -> Reply:
        """Give the answer in its envelope."""
        body: Any = {"error": self.content()} if self.wrapped else self.content()
        return Reply(self.status, body, dict(self.headers), emits=False)


def gateway_error(status: int, code: str, message: str) -> ArmError:
    """Make an error of ARM's front door, which no resource provider has seen."""
    return ArmError(status, code, message, headers={"x-ms-failure-cause": "gateway"})


def dns_error(status: int, code: str, message: str) -> ArmError:
    """Make an error of the private DNS provider: the flat envelope."""
    return ArmError(status, code, message, wrapped=False)


def invalid_content(message: str) -> ArmError:
    """Make ARM's 400 for a body that cannot be understood."""
    return gateway_error(400, "InvalidRequestContent", message)


def resource_not_found(path: ArmPath, depth: int | None = None) -> ArmError:
    """Make the front door's 404 for the resource of a path, or for its ancestor of `depth` names."""
    names = path.names if depth is None else path.names[:depth]
    types = path.types[: len(names)]
    label = "/".join([path.provider, *(part for pair in zip(types, names, strict=True) for part in pair)])
    return gateway_error(
        404,
        "ResourceNotFound",
        f"The Resource '{label}' under resource group '{path.resource_group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


_VERBS = {"GET": "read", "DELETE": "delete"}


def parent_not_found(call: Call) -> ArmError:
    """Make the front door's 404 for what it does not track itself, below a resource that does not exist."""
    path, verb = call.path, _VERBS.get(call.method, "write")
    return gateway_error(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type '{'/'.join(path.types)}', because the parent resource "
        f"'{path.id_of(1)}' could not be found.",
    )
