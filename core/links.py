"""Virtual network links as values: which VNets a private zone answers in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VirtualNetworkLink:
    """One link of a private zone.

    `state` is InProgress or Completed: a new link answers from a minute to a few minutes after it was made.
    `resolution_policy` is Default or NxDomainRedirect.
    """

    name: str
    vnet_id: str
    registration_enabled: bool = False
    state: str = "Completed"
    resolution_policy: str = "Default"

    @property
    def is_complete(self) -> bool:
        """Tell whether the zone answers in the VNet already."""
        return self.state.lower() == "completed"
