"""Indexes a folder's function_app.py and gives its functions what Microsoft's Python worker would give them.

Payloads become arguments through azure.functions' own converters, so a function gets what the real binding gives it: an
EventGridEvent, or a CloudEvent for an object with `specversion`, whatever its annotation says.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import secrets
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import azure.functions as func
from azure.functions import meta
from azure.functions._abc import RetryContext, TraceContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class AppError(Exception):
    """The folder holds no function app that can be run; the text says why."""


@dataclass(frozen=True)
class HostedFunction:
    """One function: its trigger's type (eventGridTrigger, timerTrigger), the argument that takes it, and the code."""

    name: str
    trigger: str
    argument: str
    call: Callable[..., Any]
    directory: str

    @property
    def wants_context(self) -> bool:
        """Whether the function has an argument `context`, which the host fills by name."""
        return self.argument != "context" and "context" in inspect.signature(self.call).parameters


class Retry(RetryContext):
    """No retry policy: never a retry."""

    retry_count = 0
    max_retry_count = 0
    exception = None  # type: ignore[assignment]  # the worker gives None too where nothing was raised before


class Trace(TraceContext):
    """A trace of its own for each invocation, in W3C form."""

    trace_state = ""

    def __init__(self) -> None:
        self._parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"

    @property
    def trace_parent(self) -> str:
        """Give the W3C traceparent."""
        return self._parent

    @property
    def attributes(self) -> dict[str, str]:
        """Give no attributes."""
        return {}


class InvocationContext(func.Context):
    """What a function may ask about its invocation."""

    def __init__(self, function: HostedFunction, invocation_id: str) -> None:
        self._function = function
        self._invocation_id = invocation_id
        self._local = threading.local()
        self._trace = Trace()

    @property
    def invocation_id(self) -> str:
        """Give the GUID of this run."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        """Give a place whose invocation_id threads of the function may set, as the worker's."""
        return self._local

    @property
    def function_name(self) -> str:
        """Give the function's name."""
        return self._function.name

    @property
    def function_directory(self) -> str:
        """Give the app's folder."""
        return self._function.directory

    @property
    def trace_context(self) -> Trace:
        """Give the trace of this run."""
        return self._trace

    @property
    def retry_context(self) -> Retry:
        """Give the retries: there is no policy."""
        return Retry()


def load(directory: Path) -> dict[str, HostedFunction]:
    """Import DIR/function_app.py and index its functions by lower-case name. Raises AppError."""
    path = directory / "function_app.py"
    if not path.is_file():
        raise AppError(f"{path} does not exist: --app must name the folder that holds function_app.py")
    sys.path.insert(0, str(directory))
    spec = importlib.util.spec_from_file_location("function_app", path)
    if spec is None or spec.loader is None:
        raise AppError(f"{path} can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["function_app"] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise AppError(f"{path} can't be imported: {type(error).__name__}: {error}") from error
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise AppError(f"{path} has {len(apps)} function apps at its top level; the host needs exactly one")
    return {function.name.lower(): function for function in map(_index(directory), apps[0].get_functions())}


def _index(directory: Path) -> Callable[[Any], HostedFunction]:
    def index(function: Any) -> HostedFunction:
        trigger = function.get_trigger()
        kind, argument = (trigger.get_binding_name(), trigger.name) if trigger else ("", "")
        return HostedFunction(
            function.get_function_name(), kind, argument, function.get_user_function(), str(directory)
        )

    return index


def decode(function: HostedFunction, payload: Any) -> Any:
    """Turn a trigger's payload into what the function's argument gets, by azure.functions' own converter."""
    converter: Any = meta.get_binding_registry().get(function.trigger)  # type: ignore[no-untyped-call]  # the library's own gap
    if converter is None:
        raise NotImplementedError(f"trigger {function.trigger!r} has no converter in azure.functions")
    return converter.decode(meta.Datum(json.dumps(payload), "json"), trigger_metadata=None)
