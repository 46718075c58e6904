"""The functions host over HTTP: Event Grid's webhook as its extension answers it, and functions run by hand."""

from __future__ import annotations

import asyncio
import hmac
import inspect
import json
import logging
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local_azure.functions_worker import HostedFunction, InvocationContext, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

log = logging.getLogger("Host")


class FunctionsHost:
    """Invokes functions and answers for them over HTTP."""

    def __init__(self, functions: Mapping[str, HostedFunction], code: str) -> None:
        self._functions = functions
        self._code = code
        # As many threads as the Python worker has by default.
        self._threads = ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4), thread_name_prefix="function")
        self._background: set[asyncio.Task[str | None]] = set()
        self._executing = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def app(self) -> Starlette:
        """Give the ASGI application."""
        return Starlette(
            routes=[
                Route("/runtime/webhooks/EventGrid", self._on_event_grid, methods=["POST", "OPTIONS"]),
                Route("/admin/functions/{name}", self._on_admin, methods=["POST"]),
                Route("/admin/host/status", self._on_status, methods=["GET"]),
            ]
        )

    async def invoke(self, function: HostedFunction, payload: Any, reason: str) -> str | None:
        """Run a function once, in a thread unless it is async; give its exception's text, None when it succeeded."""
        invocation_id, started = str(uuid.uuid4()), time.monotonic()
        at = datetime.now(UTC).isoformat()
        log.info("Executing 'Functions.%s' (Reason='%s fired at %s', Id=%s)", function.name, reason, at, invocation_id)
        self._executing += 1
        self.idle.clear()
        failure, trace = None, None
        try:
            await self._run(function, payload, invocation_id)
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its outcome
            failure, trace = f"{type(error).__name__}: {error}", error
        finally:
            self._executing -= 1
            if self._executing == 0:
                self.idle.set()
        outcome, duration = "Failed" if failure else "Succeeded", round((time.monotonic() - started) * 1000)
        level = logging.ERROR if failure else logging.INFO
        text = "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)"
        log.log(level, text, function.name, outcome, invocation_id, duration, exc_info=trace)
        return failure

    async def _run(self, function: HostedFunction, payload: Any, invocation_id: str) -> None:
        arguments = {function.argument: decode(function, payload)}
        context = InvocationContext(function, invocation_id)
        if function.wants_context:
            arguments["context"] = context
        if inspect.iscoroutinefunction(function.call):
            await function.call(**arguments)
            return

        def call() -> None:
            context.thread_local_storage.invocation_id = invocation_id
            function.call(**arguments)

        await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def _on_event_grid(self, request: Request) -> Response:
        """Answer Event Grid as its extension does.

        Every event of the payload is its own invocation; when one fails the whole payload is refused, and sent again.
        """
        if not self._allowed(request):
            return Response(status_code=401)
        name = request.query_params.get("functionName", "")
        function = self._functions.get(name.lower())
        if function is None or function.trigger != "eventGridTrigger":
            return PlainTextResponse(f"cannot find function: '{name}'", 404)
        if request.method == "OPTIONS":
            origin = request.headers.get("webhook-request-origin", "")
            return Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})
        return await self._on_payload(function, request.headers.get("aeg-event-type", "").lower(), await request.body())

    async def _on_payload(self, function: HostedFunction, kind: str, raw: bytes) -> Response:
        """Answer what the header aeg-event-type says that the body is."""
        if kind not in ("subscriptionvalidation", "notification"):
            return Response(status_code=202 if kind == "unsubscribe" else 400)
        try:
            body = json.loads(raw)
            if kind == "subscriptionvalidation":
                return JSONResponse({"validationResponse": body[0]["data"]["validationCode"]})
        except (ValueError, LookupError, TypeError) as error:
            return PlainTextResponse(f"{type(error).__name__}: {error}", 500)
        events = body if isinstance(body, list) else [body]
        outcomes = await asyncio.gather(*(self.invoke(function, event, "EventGrid trigger") for event in events))
        failure = next((outcome for outcome in outcomes if outcome is not None), None)
        if failure is None:
            return Response(status_code=202)
        text = f"Exception while executing function: Functions.{function.name}"
        return PlainTextResponse(f"{text}\nResult: Failure\nException: {failure}", 500)

    async def _on_admin(self, request: Request) -> Response:
        """Run a function by hand: a timer with a schedule's usual payload, any other with the body's `input`."""
        if not self._allowed(request):
            return Response(status_code=401)
        function = self._functions.get(request.path_params["name"].lower())
        if function is None:
            return Response(status_code=404)
        try:
            payload = _admin_payload(function, await request.body())
        except ValueError as error:
            return PlainTextResponse(f"The body: {error}; an object with `input`, a JSON text, is needed", 400)
        work = self.invoke(function, payload, "This function was programmatically called via the host APIs.")
        if request.query_params.get("wait"):
            failure = await work
            return Response(status_code=202) if failure is None else PlainTextResponse(failure, 500)
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return Response(status_code=202)

    async def _on_status(self, _request: Request) -> Response:
        functions = {function.name: function.trigger for function in self._functions.values()}
        return JSONResponse({"state": "Running", "functions": functions, "executing": self._executing})

    def _allowed(self, request: Request) -> bool:
        given = request.query_params.get("code") or request.headers.get("x-functions-key", "")
        return hmac.compare_digest(given.encode(), self._code.encode())


def _admin_payload(function: HostedFunction, body: bytes) -> Any:
    """Give the trigger's payload. Raises ValueError for a body that is no JSON object."""
    if function.trigger == "timerTrigger":
        now = datetime.now(UTC).isoformat()
        times = {"Last": now, "Next": now, "LastUpdated": now}
        return {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": times, "IsPastDue": False}
    value = json.loads(body or b"{}")
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - the caller turns it into a 400, like bad JSON
    given = value.get("input", {})
    return json.loads(given) if isinstance(given, str) else given
