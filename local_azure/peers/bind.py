"""BIND 9: a view for each vantage, told apart by the address that asks; and a second one as a forwarder."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from local_azure.peers.gateway import Gateway
from local_azure.peers.nobody import SilentServer, closed_endpoint
from local_azure.peers.process import Endpoint, Launch, Server
from local_azure.peers.situations import Vantage
from local_azure.peers.stacked import Stacked
from local_azure.peers.zone_files import file_name, files_of

_HERE: Final = "127.0.0.1"
# By default BIND drops what more than ten clients ask for at once: a test that repeats itself would meet its own limit.
_OPTIONS: Final = """options {
  directory "."; pid-file none; session-keyfile none; lock-file none;
  listen-on port %(port)s { 127.0.0.1; }; listen-on-v6 { none; };
  clients-per-query 0; max-clients-per-query 0; udp-receive-buffer 4194304;
  dnssec-validation no; notify no; check-integrity no; qname-minimization off; stale-answer-enable no;
};
controls { };
"""
_NO_ROOT: Final = 'zone "." { type hint; file "/dev/null"; };'
_VIEWS: Final = tuple(vantage for vantage in Vantage if vantage not in (Vantage.NOBODY, Vantage.DEFAULTS))


def source_of(vantage: Vantage) -> str:
    """Give the address that clients of a vantage ask from."""
    return f"127.0.1.{1 + list(Vantage).index(vantage)}"


class Bind(Stacked):
    """`named`, authoritative and recursive in one, as a company's resolver often is."""

    program = "named"
    vantages = (*_VIEWS, Vantage.NOBODY)

    def __init__(self) -> None:
        super().__init__()
        self.server = Server(self._plan)

    def begin(self, stack: ExitStack) -> None:
        """Start the parts."""
        self._silent = stack.enter_context(SilentServer())
        self._closed = closed_endpoint()
        stack.enter_context(self.server)
        self._gateway = stack.enter_context(Gateway({view: self.endpoint_by_source(view) for view in _VIEWS}))

    def endpoint(self, vantage: Vantage) -> Endpoint:
        """Give where a client of this vantage asks, from wherever."""
        return self._closed if vantage is Vantage.NOBODY else self._gateway.endpoint(vantage)

    def endpoint_by_source(self, vantage: Vantage) -> Endpoint:
        """Give the one address that all ask, and the address that a client of this vantage asks from."""
        return Endpoint(_HERE, self.server.port, source_of(vantage))

    def _plan(self, _directory: Path, port: int) -> Launch:
        files: dict[str, str] = {}
        views = []
        for vantage in _VIEWS:
            zones = files_of(vantage, has_recursion=True)
            files |= {f"{vantage}.{file_name(zone)}": text for zone, text in zones.items()}
            views.append(_view(vantage, [*_zone_statements(vantage, zones), *self._behaviour(vantage, zones)]))
        return _launch(port, views, files)

    def _behaviour(self, vantage: Vantage, zones: Iterable[str]) -> list[str]:
        offline = [] if "." in zones else [_NO_ROOT]
        if vantage is Vantage.UNLINKED:
            return ["recursion yes; empty-zones-enable yes;", *offline]
        if vantage is Vantage.SILENT:
            upstream = f"{self._silent.endpoint.host} port {self._silent.endpoint.port}"
            # Its own zones would answer: a vantage that is never answered has none.
            return [f"recursion yes; empty-zones-enable no; forward only; forwarders {{ {upstream}; }};"]
        extra = {
            Vantage.REFUSED: ["allow-query { none; };"],
            Vantage.SMALL_DATAGRAMS: ["max-udp-size 512;"],
        }.get(vantage, [])
        recursion = "no" if vantage is Vantage.LAME else "yes"
        return [f"recursion {recursion}; empty-zones-enable no;", *offline, *extra]


def _zone_statements(vantage: Vantage, zones: Iterable[str]) -> list[str]:
    if vantage is Vantage.SILENT:
        return []
    return [f'zone "{zone}" {{ type primary; file "{vantage}.{file_name(zone)}"; }};' for zone in zones]


class BindForwarder(Stacked):
    """A second `named` in between, for each vantage asking the first from that vantage's address."""

    program = "named"
    vantages = (
        *(Vantage.LINKED, Vantage.UNLINKED, Vantage.UNLINKED_ROOT, Vantage.UNLINKED_AS112, Vantage.UNLINKED_OFFLINE),
        *(Vantage.FORWARD_UNLINKED, Vantage.SHADOWED, Vantage.PLATFORM, Vantage.BYPASSED, Vantage.SMALL_DATAGRAMS),
    )

    def __init__(self, upstream: Bind) -> None:
        self._upstream = upstream
        super().__init__()
        self.server = Server(self._plan)

    def begin(self, stack: ExitStack) -> None:
        """Start the parts."""
        stack.enter_context(self.server)
        routes = {view: Endpoint(_HERE, self.server.port, source_of(view)) for view in self.vantages}
        self._gateway = stack.enter_context(Gateway(routes))

    def endpoint(self, vantage: Vantage) -> Endpoint:
        """Give where a client of this vantage asks."""
        return self._gateway.endpoint(vantage)

    def _plan(self, _directory: Path, port: int) -> Launch:
        return _launch(port, [_view(view, self._forwarding(view)) for view in self.vantages], {})

    def _forwarding(self, vantage: Vantage) -> list[str]:
        upstream = self._upstream.endpoint_by_source(vantage)
        return [
            f"recursion yes; empty-zones-enable no; query-source address {upstream.source};",
            f"forward only; forwarders {{ {upstream.host} port {upstream.port}; }};",
        ]


def primary(zones: Mapping[str, str], threads: int = 1) -> Server:
    """Give a `named` that serves these master files, by zone, to everybody at 127.0.0.1 and its `port`.

    For measurements, where no vantage matters: `with primary({...}) as server`.
    """

    def plan(_directory: Path, port: int) -> Launch:
        statements = [f'zone "{zone}" {{ type primary; file "{file_name(zone)}"; }};' for zone in zones]
        configuration = "\n".join([_OPTIONS % {"port": port}, *statements, ""])
        files = {file_name(zone): text for zone, text in zones.items()}
        arguments = ("-g", "-c", "named.conf", "-n", str(threads))
        return Launch("named", arguments, {**files, "named.conf": configuration}, (Endpoint(_HERE, port),))

    return Server(plan)


def _view(vantage: Vantage, statements: Iterable[str]) -> str:
    return "\n".join([f'view "{vantage}" {{ match-clients {{ {source_of(vantage)}; }};', *statements, "};"])


def _launch(port: int, views: list[str], files: dict[str, str]) -> Launch:
    configuration = "\n".join([_OPTIONS % {"port": port}, *views, ""])
    ready = Endpoint(_HERE, port, source_of(Vantage.LINKED))
    return Launch("named", ("-g", "-c", "named.conf", "-n", "1"), {**files, "named.conf": configuration}, (ready,))
