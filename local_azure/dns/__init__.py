"""A resolver for each virtual network: `answer` decides, `server` listens."""

from local_azure.dns.server import start, stop, sync

__all__ = ["start", "stop", "sync"]
