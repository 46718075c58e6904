"""What a container shows of its life: running, ended, or about to be started again; and the events of its start."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# In the recordings an image that the shared hosts keep is started without being pulled; groups with hosts of their
# own (a subnet, a zone) pull every image.
CACHED_IMAGES = ("alpine", "alpine:latest")
# Base images whose own command is a shell: without a terminal and a command of the group it ends at once, with 0.
SHELL_IMAGES = ("alpine", "busybox", "centos", "debian", "ubuntu")
BACK_OFF = "CrashLoopBackOff: Back-off restarting failed"


def ends_at_once(container: dict[str, Any]) -> bool:
    """Tell whether nothing in a container would keep it running."""
    properties = container["properties"]
    image = str(properties.get("image", "")).rpartition("/")[2].partition("@")[0].partition(":")[0]
    return not properties.get("command") and image.lower() in SHELL_IMAGES


def restarts(properties: dict[str, Any]) -> bool:
    """Tell whether a group's containers are started again when they have ended well; Always is the default."""
    return properties.get("restartPolicy") not in ("Never", "OnFailure")


def state_when_up(properties: dict[str, Any]) -> str:
    """Give a group's state after its start: Succeeded when every container has ended and none is started again."""
    ended = all(map(ends_at_once, properties["containers"]))
    return "Succeeded" if ended and not restarts(properties) else "Running"


@dataclass(frozen=True)
class Start:
    """The start of a group: when; are its images pulled; is what ends started again; how often it was restarted."""

    at: datetime
    pulls: bool
    restarts: bool
    count: int


def container_view(container: dict[str, Any], start: Start) -> dict[str, Any]:
    """Give a container's instanceView.

    | ends at once | started again | currentState | previousState |
    |--------------|---------------|--------------|---------------|
    | no           |               | Running      | absent        |
    | yes          | no            | Terminated   | absent        |
    | yes          | yes           | Waiting      | Terminated    |
    """
    count = start.count
    if not ends_at_once(container):
        states = {"currentState": {"state": "Running", "startTime": _time(start.at, 3), "detailStatus": ""}}
    elif not start.restarts:
        states = {"currentState": terminated(start.at)}
    else:
        states = {"currentState": {"state": "Waiting", "detailStatus": BACK_OFF}, "previousState": terminated(start.at)}
        count += 1
    return {"restartCount": count, **states, **_events(container, start)}


def init_view(container: dict[str, Any], start: Start) -> dict[str, Any]:
    """Give the instanceView of an init container, which has ended before the others start."""
    return {"restartCount": 0, "currentState": terminated(start.at), **_events(container, start)}


def terminated(at: datetime) -> dict[str, Any]:
    """Give the state of what has ended well."""
    return {
        "state": "Terminated",
        "startTime": _time(at, 3),
        "exitCode": 0,
        "finishTime": _time(at, 3),
        "detailStatus": "Completed",
    }


def _events(container: dict[str, Any], start: Start) -> dict[str, Any]:
    events = image_events(container["properties"].get("image", ""), start.pulls, start.at)
    return {"events": events} if events else {}


def image_events(image: str, pulls: bool, at: datetime) -> list[dict[str, Any]]:
    """Give the events of a container's start; none when the image was there."""
    if image in CACHED_IMAGES and not pulls:
        return []
    digest = hashlib.sha256(image.encode()).hexdigest()
    pinned = f"{image.split(':', maxsplit=1)[0]}@sha256:{digest}"
    texts = (
        ("Pulling", f'pulling image "{pinned}"', 2),
        ("Pulled", f'Successfully pulled image "{pinned}"', 1),
        ("Started", "Started container", 0),
    )
    events = []
    for name, message, before in texts:
        stamp = _time(at - timedelta(seconds=before), 0)
        events.append(
            {
                "count": 1,
                "firstTimestamp": stamp,
                "lastTimestamp": stamp,
                "name": name,
                "message": message,
                "type": "Normal",
            }
        )
    return events


def _time(at: datetime, digits: int) -> str:
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at.microsecond // 1000:03d}Z" if digits else f"{text}Z"
