"""The canary: a row that exists to be found. It takes the way of all rows, so its lateness is theirs. Pure."""

from collections.abc import Mapping
from datetime import datetime

from core.events import Component, Event, EventType


def canary(
    component: Component, now: datetime, invocation_id: str, place: Mapping[str, str], *, past_due: bool
) -> Event:
    """Give the row of one run. `place` says where it ran (app, region); what is empty in it is left out."""
    known = {name: value for name, value in place.items() if value}
    values = {"CorrelationId": invocation_id, "Attempt": 1, "Details": {**known, "past_due": past_due}}
    return Event(component, EventType.CANARY, now, invocation_id, values)
