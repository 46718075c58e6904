"""Places where no answer comes from: a socket that never answers, and one that is not there."""

import socket
from types import TracebackType
from typing import Self

from local_azure.peers.process import Endpoint, free_port


class SilentServer:
    """Takes every datagram and says nothing. Nothing reads it, so what does not fit its buffer is lost as well."""

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.endpoint = Endpoint(host, port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()


def closed_endpoint() -> Endpoint:
    """Give an address and port where nothing listens."""
    return Endpoint("127.0.0.1", free_port())
