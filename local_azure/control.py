"""`/_local/…`: what a test or a demo may do to the local Azure and Azure itself has no API for."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_azure.arm import container_lifecycle
from local_azure.arm.call import ArmError
from local_azure.faults import FaultError, FaultRule, parse_rule
from local_azure.persistence import dump

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_azure.world import ContainerGroup, World

# What a running local Azure cannot change any more.
_FIXED_SETTINGS = ("data_dir", "tenant_id", "subscription_id")
SHOWN_REQUESTS = 1000


def routes(world: World) -> list[Route]:
    """Give the control endpoints of one world; no authentication, loopback only."""
    control = Control(world)
    return [
        Route("/_local/reset", control.reset, methods=["POST"]),
        Route("/_local/faults", control.faults, methods=["GET", "POST", "DELETE"]),
        Route("/_local/groups/{group:path}/move", control.move, methods=["POST"]),
        Route("/_local/groups/{group:path}/show", control.show, methods=["POST"]),
        Route("/_local/requests", control.requests, methods=["GET", "DELETE"]),
        Route("/_local/settings", control.settings, methods=["GET", "PATCH"]),
        Route("/_local/state", control.state),
    ]


def _refuse(*reasons: str, status: int = 400) -> Response:
    return JSONResponse({"error": {"code": "InvalidControlRequest", "message": "; ".join(reasons)}}, status)


async def _body(request: Request) -> Any:
    raw = await request.body()
    return json.loads(raw) if raw else None


def rule_to_json(rule: FaultRule) -> dict[str, Any]:
    """Give a rule as parse_rule takes it, with its counters."""
    fault = {
        field.name: getattr(rule.fault, field.name)
        for field in dataclasses.fields(rule.fault)
        if field.name != "callback" and getattr(rule.fault, field.name) is not None
    }
    return {
        **fault,
        "operation": rule.operation,
        "where": dict(rule.where),
        "skip": rule.skip,
        "times": rule.times,
        "probability": rule.probability,
        "seen": rule.seen,
        "fired": rule.fired,
    }


class Control:
    """The endpoints of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def reset(self, _request: Request) -> Response:
        """Empty everything, faults included."""
        self._world.reset()
        return Response(status_code=204)

    async def faults(self, request: Request) -> Response:
        """GET the rules with their counters, POST a rule or a list of them, DELETE all."""
        plan = self._world.faults
        if request.method == "DELETE":
            plan.clear()
            return Response(status_code=204)
        if request.method == "POST":
            try:
                sent = await _body(request)
            except ValueError as error:
                return _refuse(f"the body is not JSON: {error}")
            many = sent if isinstance(sent, list) else [sent]
            try:
                rules = _parse_all(many)
            except FaultError as error:
                return _refuse(*error.reasons)
            for rule in rules:
                plan.add(rule)
        return JSONResponse({"value": [rule_to_json(rule) for rule in plan.rules]})

    def _group(self, request: Request) -> ContainerGroup | None:
        group_id = "/" + unquote(request.path_params["group"]).strip("/")
        return self._world.groups.get(group_id.lower())

    async def move(self, request: Request) -> Response:
        """Move a group as the platform does: it has a new address, and Event Grid hears nothing of it."""
        group = self._group(request)
        if group is None:
            return _refuse(f"there is no container group '{request.path_params['group']}'", status=404)
        before = group.ip
        try:
            container_lifecycle.move(self._world, group)
        except ArmError as error:
            return _refuse(error.message, status=409)
        return JSONResponse({"id": group.id, "old_ip": before, "new_ip": group.ip})

    async def show(self, request: Request) -> Response:
        """Make GET and list show another address: {"ip": "null" | "absent" | "0.0.0.0" | … | null for the real one}."""
        group = self._group(request)
        if group is None:
            return _refuse(f"there is no container group '{request.path_params['group']}'", status=404)
        try:
            sent = await _body(request)
        except ValueError as error:
            return _refuse(f"the body is not JSON: {error}")
        if not isinstance(sent, dict) or "ip" not in sent or not isinstance(sent["ip"], str | None):
            return _refuse('the body must be {"ip": "null" | "absent" | an address | null}')
        group.shown_ip = sent["ip"]
        self._world.changed()
        return JSONResponse({"id": group.id, "shown_ip": group.shown_ip})

    async def requests(self, request: Request) -> Response:
        """Give the newest requests, and counts by operation; ?operation=… and ?since=TOTAL narrow both."""
        log = self._world.requests
        if request.method == "DELETE":
            log.clear()
            return Response(status_code=204)
        since = request.query_params.get("since", "0")
        if not since.isdigit():
            return _refuse(f"since: {since!r} is not a number of requests")
        wanted = request.query_params.get("operation")
        found = [row for row in log.since(int(since)) if wanted in (None, row.operation)]
        counts = Counter(row.operation for row in found) if wanted or int(since) else log.counts
        rows = [{**dataclasses.asdict(row), "time": row.time.isoformat()} for row in found[-SHOWN_REQUESTS:]]
        return JSONResponse({"total": log.total, "counts": dict(counts), "requests": rows})

    async def settings(self, request: Request) -> Response:
        """GET the settings, PATCH those that can change while it runs."""
        if request.method == "PATCH":
            try:
                sent = await _body(request)
            except ValueError as error:
                return _refuse(f"the body is not JSON: {error}")
            reasons = self._check_settings(sent)
            if reasons:
                return _refuse(*reasons)
            for name, value in sent.items():
                setattr(self._world.settings, name, value)
        values = dataclasses.asdict(self._world.settings)
        return JSONResponse({**values, "data_dir": None if values["data_dir"] is None else str(values["data_dir"])})

    def _check_settings(self, sent: Any) -> list[str]:
        if not isinstance(sent, dict):
            return ["the body must be an object of settings"]
        reasons = []
        current = dataclasses.asdict(self._world.settings)
        for name, value in sent.items():
            if name not in current or name in _FIXED_SETTINGS:
                known = ", ".join(key for key in current if key not in _FIXED_SETTINGS)
                reasons.append(f"{name}: cannot be set; these can: {known}")
            elif name == "stopped_address" and value not in ("kept", "ip_absent", "ip_address_absent"):
                reasons.append(f"{name}: {value!r} is not one of kept, ip_absent, ip_address_absent")
            elif isinstance(current[name], bool) != isinstance(value, bool):
                reasons.append(f"{name}: {value!r} has the wrong type")
            elif isinstance(current[name], int | float):
                if not isinstance(value, int | float) or value < 0:
                    reasons.append(f"{name}: {value!r} is not a number of at least 0")
            elif not isinstance(value, type(current[name])):
                reasons.append(f"{name}: {value!r} has the wrong type")
        return reasons

    async def state(self, _request: Request) -> Response:
        """Everything the local Azure knows, as it stands in the state file."""
        return JSONResponse(dump(self._world))


def _parse_all(many: list[Any]) -> list[FaultRule]:
    rules, reasons = [], []
    for index, value in enumerate(many):
        try:
            rules.append(parse_rule(value, f"rules[{index}]"))
        except FaultError as error:
            reasons += error.reasons
    if reasons:
        raise FaultError(reasons)
    return rules
