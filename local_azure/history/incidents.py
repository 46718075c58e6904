"""The incidents of a history, each at its part of the time: what breaks, for how long, and how it is put in order.

All of them fit into the shortest history. Each is long enough to be seen: by a probe, or by an audit, where that is who
finds it; so in a history that is probed rarely they are longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_azure.history import (
    incidents_at_the_end,
    incidents_of_azure,
    incidents_of_groups,
    incidents_of_networks,
    incidents_of_rows,
)

if TYPE_CHECKING:
    from local_azure.history.play import Play


def plan(play: Play) -> None:
    """Put the incidents on the clock."""
    incidents_of_azure.plan(play)
    incidents_of_groups.plan(play)
    incidents_of_networks.plan(play)
    incidents_of_rows.plan(play)
    incidents_at_the_end.plan(play)
