"""What the shipped functions and queries must answer, computed in pandas from the raw rows by their headers' prose.

Nothing here reads or runs the KQL. `FUNCTIONS` and `QUERIES` have an expectation for each name in kql/.
"""

from bench.expected.registry import FUNCTIONS, QUERIES, Query
from bench.expected.snapshot import Snapshot

__all__ = ["FUNCTIONS", "QUERIES", "Query", "Snapshot"]
