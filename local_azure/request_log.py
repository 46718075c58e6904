"""Which requests were made: exact counts by operation, and the newest ones."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True)
class RequestRecord:
    """One answered request. `operation` is e.g. privateDns.recordSet.PUT; status 0 means no answer was given."""

    time: datetime
    method: str
    path: str
    operation: str
    status: int
    user_agent: str
    client_request_id: str
    principal: str


class RequestLog:
    """The newest requests, and exact counts by operation of all of them."""

    def __init__(self, keep: int = 100_000) -> None:
        self.records: deque[RequestRecord] = deque(maxlen=keep)
        self.counts: Counter[str] = Counter()
        self.total = 0

    def append(self, record: RequestRecord) -> None:
        """Count and keep one request."""
        self.records.append(record)
        self.counts[record.operation] += 1
        self.total += 1

    def since(self, total: int) -> list[RequestRecord]:
        """Give the records made after `total` had been reached (take `requests.total` before the act)."""
        newer = self.total - total
        return list(self.records)[-newer:] if newer > 0 else []

    def clear(self) -> None:
        """Take everything out."""
        self.records.clear()
        self.counts.clear()
        self.total = 0

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
