"""Unbound as a forwarder: for each vantage one that asks BIND from that vantage's address."""

from pathlib import Path
from typing import Final

from local_azure.peers.bind import Bind
from local_azure.peers.each import OneForEach
from local_azure.peers.process import Endpoint, Launch
from local_azure.peers.situations import REVERSE6, WHOLE, Vantage

_OPEN: Final = (WHOLE, REVERSE6)
"""What Unbound answers by itself unless it is told not to (RFC 6303)."""


class Unbound(OneForEach):
    """`unbound`, told to forward private reverse names, except for `Vantage.DEFAULTS`, which asks as `LINKED` does."""

    program = "unbound"
    vantages = (
        *(Vantage.LINKED, Vantage.UNLINKED, Vantage.UNLINKED_ROOT, Vantage.UNLINKED_AS112, Vantage.UNLINKED_OFFLINE),
        *(Vantage.FORWARD_UNLINKED, Vantage.SHADOWED, Vantage.PLATFORM, Vantage.BYPASSED, Vantage.SMALL_DATAGRAMS),
        Vantage.DEFAULTS,
    )

    def __init__(self, upstream: Bind) -> None:
        super().__init__()
        self._upstream = upstream

    def launch(self, vantage: Vantage, directory: Path, port: int) -> Launch:
        """Say how it is started."""
        asks_as = Vantage.LINKED if vantage is Vantage.DEFAULTS else vantage
        upstream = self._upstream.endpoint_by_source(asks_as)
        opened = () if vantage is Vantage.DEFAULTS else _OPEN
        lines = [
            f'server:\n  interface: 127.0.0.1@{port}\n  port: {port}\n  username: ""\n  chroot: ""\n  pidfile: ""',
            f'  directory: "{directory}"\n  use-syslog: no\n  num-threads: 1\n  do-ip6: no',
            '  module-config: "iterator"\n  access-control: 127.0.0.0/8 allow',
            f"  do-not-query-localhost: no\n  outgoing-interface: {upstream.source}",
            # A view that gives no answer takes its time to say so; the client's own patience is what counts here.
            "  qname-minimisation: no\n  max-udp-size: 1232\n  outgoing-range: 64\n  outbound-msg-retry: 1",
            *(f'  local-zone: "{zone}." nodefault' for zone in opened),
            "remote-control:\n  control-enable: no",
            f'forward-zone:\n  name: "."\n  forward-addr: {upstream.host}@{upstream.port}',
            "",
        ]
        ready = Endpoint("127.0.0.1", port)
        return Launch(
            "unbound", ("-d", "-c", f"{directory}/unbound.conf"), {"unbound.conf": "\n".join(lines)}, (ready,)
        )
