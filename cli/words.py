"""How things are written for a person. Pure."""

import re
from typing import Final

_GROUP_ID: Final = re.compile(
    r"/subscriptions/[^/ ]+/resourceGroups/([^/ ]+)"
    r"/providers/Microsoft\.ContainerInstance/containerGroups/([A-Za-z0-9-]+)",
    re.ASCII | re.IGNORECASE,
)


def shorter(text: str) -> str:
    """Write `resource group/name` where a container group's whole id stands: ids hide what a line is about."""
    return _GROUP_ID.sub(r"\1/\2", text)


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: `1 target`, `3 targets`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
