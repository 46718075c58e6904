"""Plays a fault on an HTTP request: waits, calls back, resets, or says which error to answer with."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from local_azure.arm.call import ArmError
from local_azure.faults import AbortConnection, Fault, NeverAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping


async def play(fault: Fault, detail: Mapping[str, Any]) -> None:
    """Do what a fault does before a request is handled; an error answer is left to the caller (see `fault_error`).

    Raises AbortConnection or NeverAnswer, which local_azure.middleware turns into a reset or silence.
    """
    if fault.delay_seconds:
        await asyncio.sleep(fault.delay_seconds)
    if fault.callback:
        result = fault.callback(detail)
        if inspect.isawaitable(result):
            await result
    if fault.kind == "reset":
        raise AbortConnection
    if fault.kind == "timeout":
        raise NeverAnswer


def fault_error(fault: Fault, *, wrapped: bool = True) -> ArmError:
    """Give the error answer of a fault that has a status, in one of ARM's envelopes."""
    if fault.status is None:
        raise ValueError(f"a fault of kind {fault.kind} is no answer")
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    return ArmError(fault.status, fault.code or "Error", fault.message or "", wrapped=wrapped, headers=headers)
