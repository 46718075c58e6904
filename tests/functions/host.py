"""Runs a function in this Python as the host does: the library decodes what triggered it, and a context comes along."""

import json
import threading
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter

import function_app

EVENTS = {"reconcile": function_app.reconcile, "track": function_app.track}
TIMERS = {"probe": function_app.probe, "audit": function_app.audit, "canary": function_app.canary}


class Context(func.Context):
    """What the worker gives besides the event."""

    def __init__(self, name: str, retry_count: int | None = None) -> None:
        self._name = name
        self._retry = None if retry_count is None else SimpleNamespace(retry_count=retry_count, max_retry_count=5)

    @property
    def invocation_id(self) -> str:
        return "invocation-1"

    @property
    def function_name(self) -> str:
        return self._name

    @property
    def function_directory(self) -> str:
        return "."

    @property
    def retry_context(self) -> Any:
        return self._retry

    @property
    def trace_context(self) -> Any:
        return None

    @property
    def thread_local_storage(self) -> Any:
        return threading.local


def decoded(event: dict[str, Any]) -> Any:
    """Give an Event Grid event as a function gets it."""
    return EventGridEventInConverter.decode(Datum(json.dumps(event), "json"), trigger_metadata={})


def by_event(name: str, event: dict[str, Any], retry_count: int | None = None) -> None:
    """Run `reconcile` or `track` on one event."""
    EVENTS[name](event=decoded(event), context=Context(name, retry_count))


def by_timer(name: str, payload: dict[str, Any]) -> None:
    """Run `probe`, `audit` or `canary`, because its timer is due."""
    due = TimerRequestConverter.decode(Datum(json.dumps(payload), "json"), trigger_metadata={})
    arguments = {"timer": due, "context": Context(name)}
    TIMERS[name](**arguments)
