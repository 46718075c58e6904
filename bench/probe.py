"""The probe against a local BIND: thousands of names and addresses, and beside it the same questions one by one.

    python -m bench.probe [--pairs 10000] [--runs 3] [--sequential 250] [--delay 20] [--json]

One pair is one name and one address: an A and a PTR question. Each run of the probe is a process of its own (its time
is `probe()`'s, from targets to report; its memory is the process's peak). In sequence means dnspython's stub resolver,
which asks the same server one question after another; it is given fewer pairs (--sequential) and compared by time for a
pair.

- **near**: the server answers at once.
- **far**: each answer comes so many milliseconds late (--delay; bench/slow_dns.py is in between, for both).

Without `named` the local Azure's resolver, a Python server, stands in for BIND, and the output says so.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import dns.resolver
import dns.reversename

from bench.figures import Figures, goal, table
from local_azure.peers.process import Endpoint, Launch, Server, find_program

ROOT: Final = Path(__file__).resolve().parent.parent
FORWARD, REVERSE = "bench.corp.internal", "10.in-addr.arpa"
HERE: Final = "127.0.0.1"
SECONDS: Final = 10.0
TIMES_SEQUENCE: Final = 20
_SOA: Final = (
    "$TTL 60\n@ SOA azureprivatedns.net. azureprivatedns-host.microsoft.com. 1 3600 300 2419200 10\n@ NS ns.invalid.\n"
)
_CONFIGURATION: Final = """options {
  directory "."; pid-file none; session-keyfile none; lock-file none; listen-on port %d { 127.0.0.1; };
  listen-on-v6 { none; }; recursion no; dnssec-validation no; notify no; udp-receive-buffer 4194304;
};
controls { };
zone "bench.corp.internal" { type primary; file "forward.zone"; };
zone "10.in-addr.arpa" { type primary; file "reverse.zone"; };
"""


def pairs(count: int) -> Iterator[tuple[str, str]]:
    """Give names and addresses."""
    for number in range(count):
        yield f"g{number}.{FORWARD}", f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def bind(count: int) -> Server:
    """Give BIND with both zones, not started yet."""
    forward = "".join(f"{name}. A {ip}\n" for name, ip in pairs(count))
    reverse = "".join(f"{dns.reversename.from_address(ip)} PTR {name}.\n" for name, ip in pairs(count))

    def plan(_directory: Path, port: int) -> Launch:
        files = {"named.conf": _CONFIGURATION % port, "forward.zone": _SOA + forward, "reverse.zone": _SOA + reverse}
        return Launch("named", ("-g", "-c", "named.conf"), files, (Endpoint(HERE, port),))

    return Server(plan)


@contextmanager
def server(count: int) -> Iterator[tuple[str, int, str]]:
    """Give the host and port of a server that knows the pairs, and what it is."""
    if find_program("named"):
        with bind(count) as running:
            yield HERE, running.port, "BIND"
        return
    from local_azure.fleet import Fleet  # noqa: PLC0415 - only where there is no BIND
    from local_azure.server import LocalAzure  # noqa: PLC0415 - same

    with LocalAzure.start(provisioning_seconds=0.0) as azure:
        fleet = Fleet(azure)
        vnet = fleet.vnet("vnet", "10.0.0.0/8")
        for zone in (FORWARD, REVERSE):
            fleet.zone(zone, vnet)
        for name, ip in pairs(count):
            fleet.put_record(FORWARD, "A", name.partition(".")[0], ip)
            fleet.put_record(REVERSE, "PTR", ".".join(reversed(ip.split(".")[1:])), name)
        host, _, port = fleet.control("GET", "dns")["resolvers"][vnet.lower()].rpartition(":")
        yield host, int(port), "the local Azure's resolver (named is not installed)"


@contextmanager
def late(host: str, port: int, milliseconds: float) -> Iterator[int]:
    """Give the port of a forwarder to that server, whose answers come late."""
    command = [sys.executable, "-m", "bench.slow_dns", host, str(port), str(milliseconds)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe
        assert process.stdin is not None  # noqa: S101 - same
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)


def probe_once(count: int, host: str, port: int) -> dict[str, float]:
    """Run the probe in a process of its own; every target must be ok, and nothing may have been asked twice."""
    command = [sys.executable, "-m", "bench.probe", "--child", str(count), f"{host}#{port}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the probe's process ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    if found["verdicts"] != ({"ok": count} if count else {}):
        raise RuntimeError(f"not every target was ok: {found}")
    return {name: float(value) for name, value in found.items() if name != "verdicts"}


def child(count: int, resolver: str) -> int:
    """Probe in this process and print what it took."""
    from cli.probe import doors  # noqa: PLC0415 - the measuring process must not load what it measures
    from core.probe_settings import Emit, ProbeSettings, TargetSource  # noqa: PLC0415 - same
    from core.settings import LogsSettings, Settings  # noqa: PLC0415 - same
    from core.zone_map import ZoneMap  # noqa: PLC0415 - same
    from probe.run import ProbeOptions, probe  # noqa: PLC0415 - same

    text = "".join(f"{name} {ip} forward_zone={FORWARD} reverse_zone={REVERSE}\n" for name, ip in pairs(count))
    asked = ProbeSettings(source=TargetSource.GIVEN, targets_text=text, resolvers=(resolver,), cross_check=False,
                          emit=Emit.ALL)  # fmt: skip
    with doors(Settings(ZoneMap(), LogsSettings(), probe=asked), record=False) as context_for:
        began, cpu = time.perf_counter(), time.process_time()
        report = probe(context_for(), ProbeOptions(asked))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak, "retries": report.summary.retries,
                      "verdicts": dict(report.summary.verdicts)}))  # fmt: skip
    return 0


def in_sequence(count: int, host: str, port: int) -> float:
    """Ask with dnspython's stub resolver, one question after another; gives the seconds."""
    stub = dns.resolver.Resolver(configure=False)
    stub.nameservers, stub.port, stub.cache = [host], port, None
    began = time.perf_counter()
    for name, ip in pairs(count):
        if [str(found) for found in stub.resolve(f"{name}.", "A")] != [ip]:
            raise RuntimeError(f"{name} is not {ip}")
        if [str(found) for found in stub.resolve_address(ip)] != [f"{name}."]:
            raise RuntimeError(f"{ip} is not {name}")
    return time.perf_counter() - began


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure near and far, in turns with the sequence; gives figures by name, milliseconds."""
    found: dict[str, Any] = {"taken": datetime.now(UTC).date().isoformat(), "pairs": asked.pairs, "delay": asked.delay,
                             "sequential": asked.sequential}  # fmt: skip
    with ExitStack() as stack:
        host, port, found["server"] = stack.enter_context(server(asked.pairs))
        far = stack.enter_context(late(host, port, asked.delay))
        for place, where in (("near", (host, port)), ("far", (HERE, far))):
            runs, sequence = [], []
            for _ in range(asked.runs):
                runs.append(probe_once(asked.pairs, *where))
                sequence.append(in_sequence(asked.sequential, *where))
            found[place] = {
                "probe": Figures.of(1000 * run["seconds"] for run in runs),
                "cpu": Figures.of(1000 * run["cpu_seconds"] for run in runs),
                "sequence": Figures.of(1000 * seconds for seconds in sequence),
                "peak_mib": max(run["peak_mib"] for run in runs),
                "retries": max(run["retries"] for run in runs),
            }
        found["idle_mib"] = probe_once(0, host, port)["peak_mib"]
    return found


def ratio(found: Mapping[str, Any], place: str) -> float:
    """Say how many times as long a pair takes in sequence."""
    one_by_one = found[place]["sequence"].median / found["sequential"]
    return float(one_by_one / (found[place]["probe"].median / found["pairs"]))


def show(found: Mapping[str, Any]) -> str:
    """Lay the figures out for a reader."""
    count, few, delay = found["pairs"], found["sequential"], found["delay"]
    rows = []
    for place, words in (("near", "at once"), ("far", f"after {delay:g} ms")):
        here = found[place]
        memory = f"{here['peak_mib']:.0f} MiB at most, {here['peak_mib'] - found['idle_mib']:.0f} of it for the pairs"
        rows += [
            (
                f"answers {words}: {count:,} pairs",
                here["probe"],
                f"in sequence: {ratio(found, place):.1f} times as long",
            ),
            ("  its CPU time", here["cpu"], f"{memory}; {here['retries']:.0f} messages repeated"),
            (f"  in sequence, {few:,} pairs", here["sequence"], ""),
        ]
    seconds = found["near"]["probe"].median / 1000
    goals = [
        goal(seconds <= SECONDS * count / 10_000, f"10,000 pairs ≤ {SECONDS:g} s")
        + f" ({seconds:.1f} s for {count:,})",
        goal(ratio(found, "far") >= TIMES_SEQUENCE, f"in sequence, far, ≥ {TIMES_SEQUENCE} times as long")
        + f" ({ratio(found, 'far'):.1f})",
    ]
    return "\n".join([f"{found['server']}, {found['taken']}", table(rows), *goals])


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 0 whether or not the goals are met: a benchmark says what is."""
    parser = argparse.ArgumentParser(prog="python -m bench.probe", description="Measure the probe.")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sequential", type=int, default=250, help="pairs that are asked in sequence")
    parser.add_argument("--delay", type=float, default=20.0, help="milliseconds that each answer comes late")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout instead")
    parser.add_argument("--child", nargs=2, metavar=("PAIRS", "RESOLVER"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.child:
        return child(int(asked.child[0]), asked.child[1])
    if min(asked.pairs, asked.runs, asked.sequential) < 1 or asked.sequential > asked.pairs:
        parser.error("--pairs, --runs and --sequential must be 1 or more, and --sequential at most --pairs")
    found = measure(asked)
    if asked.json:
        text = json.dumps(found, indent=2, default=lambda figures: figures.to_json())
        print(text)
    else:
        print(show(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
