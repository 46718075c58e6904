"""`/_local/eventgrid`: what a test or a demo may set and see, and what Azure does not have."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local_azure.control_body import InvalidRequestError, answered, must_be_known
from local_azure.eventgrid.delivery import Options
from local_azure.eventgrid.faults import DeliveryFaultError, parse_faults
from local_azure.eventgrid.post import is_local
from local_azure.eventgrid.subscriptions_api import VALIDATE_PATH

if TYPE_CHECKING:
    from local_azure.eventgrid.broker import EventGrid

_SETTABLE: Final = (
    *("faults", "timeScale", "responseTimeoutSeconds", "lowercaseResourceGroups"),
    *("functionHosts", "deadLetterDirectory"),
)
_PUBLISHABLE: Final = ("events", "raw", "subscriptions", "filtered")


def local_routes(grid: "EventGrid") -> list[Route]:
    """Give the routes."""

    async def options(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(shown_options(grid.options, grid.deliveries.open))
        return await answered(request, lambda body: _change(grid, body), DeliveryFaultError)

    async def publish(request: Request) -> Response:
        return await answered(request, lambda body: {"deliveries": _publish(grid, body)}, DeliveryFaultError)

    async def deliveries(request: Request) -> Response:
        wanted = {key: value.lower() for key, value in request.query_params.items()}
        found = [item.shown() for item in grid.deliveries.log]
        kept = [item for item in found if all(str(item.get(key)).lower() == value for key, value in wanted.items())]
        return JSONResponse({"open": grid.deliveries.open, "value": kept})

    async def dead_letters(_request: Request) -> Response:
        return JSONResponse({"value": grid.deliveries.dead_letters})

    async def validate(request: Request) -> Response:
        subscription = grid.pending_validations.pop(request.query_params.get("id", ""), None)
        if subscription is None:
            return PlainTextResponse("This validation URL has expired or was used.\n", 404)
        subscription.state = "Succeeded"
        return PlainTextResponse("Webhook successfully validated as a subscription endpoint.\n")

    return [
        Route("/_local/eventgrid", options, methods=["GET", "POST"]),
        Route("/_local/eventgrid/publish", publish, methods=["POST"]),
        Route("/_local/eventgrid/deliveries", deliveries, methods=["GET"]),
        Route("/_local/eventgrid/dead-letters", dead_letters, methods=["GET"]),
        Route(VALIDATE_PATH, validate, methods=["GET"]),
    ]


def shown_options(options: Options, open_deliveries: int) -> dict[str, Any]:
    """Give the options as JSON; the hosts' keys are not shown."""
    return {
        "open": open_deliveries,
        "faults": [rule.shown() for rule in options.faults],
        "timeScale": options.time_scale,
        "responseTimeoutSeconds": options.response_timeout,
        "lowercaseResourceGroups": options.lowercase_resource_groups,
        "functionHosts": {name: host["url"] for name, host in options.function_hosts.items()},
        "deadLetterDirectory": str(options.dead_letter_directory) if options.dead_letter_directory else None,
    }


def _change(grid: "EventGrid", body: dict[str, Any]) -> dict[str, Any]:
    """Set what is given, after all of it was found good."""
    must_be_known(body, _SETTABLE)
    options = grid.options
    faults = parse_faults(body["faults"]) if "faults" in body else options.faults
    scale = _number(body, "timeScale", options.time_scale, 1000)
    timeout = _number(body, "responseTimeoutSeconds", options.response_timeout, 3600)
    lowercase = _number(body, "lowercaseResourceGroups", options.lowercase_resource_groups, 1)
    hosts = {**options.function_hosts, **_hosts(body.get("functionHosts", {}))}
    directory = body.get("deadLetterDirectory")
    if directory is not None and not isinstance(directory, str):
        raise InvalidRequestError("deadLetterDirectory: a path is needed.")
    options.faults, options.function_hosts = faults, hosts
    options.time_scale, options.response_timeout, options.lowercase_resource_groups = scale, timeout, lowercase
    if directory:
        options.dead_letter_directory = Path(directory)
    return shown_options(options, grid.deliveries.open)


def _publish(grid: "EventGrid", body: dict[str, Any]) -> int:
    """Publish events as they are given: any JSON, or under `raw` any text; give the number of deliveries."""
    must_be_known(body, _PUBLISHABLE)
    events, glob = body.get("events", []), body.get("subscriptions", "*")
    if not isinstance(events, list) or not isinstance(glob, str) or not isinstance(body.get("raw", ""), str):
        raise InvalidRequestError("events: a list; subscriptions: a name or glob; raw: a text is needed.")
    if body.get("filtered"):
        if not all(isinstance(event, dict) for event in events):
            raise InvalidRequestError("events: filtered events must be objects.")
        return sum(grid.publish(event) for event in events)
    count = sum(grid.publish_raw(event, glob) for event in events)
    if "raw" in body:
        count += grid.publish_raw(None, glob, body["raw"].encode())
    return count


def _hosts(value: Any) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        raise InvalidRequestError('functionHosts: an object {"APP or *": {"url": …, "code": …}} is needed.')
    found = {}
    for name, host in value.items():
        url = host.get("url") if isinstance(host, dict) else None
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not is_local(url):
            raise InvalidRequestError(f"functionHosts.{name}.url: an http URL on this machine is needed.")
        found[name.lower()] = {"url": url, "code": str(host.get("code", ""))}
    return found


def _number(body: dict[str, Any], key: str, default: float, high: float) -> float:
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise InvalidRequestError(f"{key}: a number from 0 to {high:g} is needed.")
    return float(value)
