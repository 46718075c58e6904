"""Uploads rows to the event table (Azure Monitor's Logs Ingestion API). What is not accepted is handed back, always."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cloud.arm_pipeline import Patience, PatientRetry
from cloud.batches import TARGET_BYTES, Row, fit, split
from cloud.errors import guard
from core.errors import ConfigurationError, InputError, ToolkitError
from core.events import STREAM
from core.settings import LogsSettings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.monitor.ingestion import LogsIngestionClient

_LOGGER: Final = logging.getLogger(__name__)
_TOO_LARGE: Final = 413


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that the service did not take, as they were given to us, and why."""

    rows: tuple[Row, ...]
    error: ToolkitError


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of the rows: `accepted` of them were, the rest is here. Accepted is not stored: see the canary."""

    accepted: int
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pair:
    given: Row
    sent: dict[str, Any]


class LogsIngestion:
    """One stream of one data collection rule.

    `budget_seconds` bounds one `upload`, waits and retries included. Rows may arrive twice, when an answer was lost:
    EventId tells.
    """

    def __init__(
        self,
        credential: "TokenCredential",
        settings: LogsSettings,
        *,
        ca_bundle: str | None = None,
        budget_seconds: float = 20.0,
        patience: Patience | None = None,
    ) -> None:
        if not settings.ingestion_endpoint or not settings.dcr_immutable_id:
            raise ConfigurationError("LOGS_INGESTION_ENDPOINT and LOGS_DCR_IMMUTABLE_ID are needed to upload events")
        self._credential = credential
        self._endpoint = settings.ingestion_endpoint
        self._rule = settings.dcr_immutable_id
        self._ca_bundle = ca_bundle
        self._budget_seconds = budget_seconds
        self._patience = patience or Patience(attempts=3, longest_wait_seconds=10.0)

    def upload(self, rows: Sequence[Row]) -> Upload:
        """Send the rows in arrays of less than 1 MB. Raises nothing that Azure causes: refused rows come back."""
        pairs, refused = _fitted(rows)
        sent = iter(pairs)
        pending = [[next(sent) for _ in batch] for batch in split([pair.sent for pair in pairs])]
        ends = time.monotonic() + self._budget_seconds
        accepted = 0
        with self._client(lambda: ends - time.monotonic()) as client:
            while pending:
                batch = pending.pop(0)
                error = self._send(client, [pair.sent for pair in batch])
                if error is None:
                    accepted += len(batch)
                elif getattr(error, "status", 0) == _TOO_LARGE and len(batch) > 1:
                    middle = len(batch) // 2
                    pending[:0] = [batch[:middle], batch[middle:]]
                else:
                    refused.append(Refused(tuple(pair.given for pair in batch), error))
        return Upload(accepted, tuple(refused))

    def _send(self, client: "LogsIngestionClient", batch: list[Row]) -> ToolkitError | None:
        try:
            with guard(f"logs.upload of {len(batch)} rows to {self._rule}/{STREAM}"):
                client.upload(rule_id=self._rule, stream_name=STREAM, logs=[dict(row) for row in batch])
        except ToolkitError as error:
            return error
        return None

    def _client(self, seconds_left: Callable[[], float]) -> "LogsIngestionClient":
        from azure.monitor.ingestion import LogsIngestionClient  # noqa: PLC0415 - the worker never uploads

        tls: dict[str, Any] = {"connection_verify": self._ca_bundle} if self._ca_bundle else {}
        retry = PatientRetry(replace(self._patience, seconds_left=seconds_left))
        return LogsIngestionClient(self._endpoint, self._credential, retry_policy=retry, **tls)


def _fitted(rows: Sequence[Row]) -> tuple[list[_Pair], list[Refused]]:
    """Pair each row as it was given with the row as it will be sent; what cannot be sent is refused at once."""
    pairs: list[_Pair] = []
    refused: list[Refused] = []
    for row in rows:
        try:
            sent = fit(row, TARGET_BYTES)
        except (ValueError, TypeError) as error:
            refused.append(Refused((row,), InputError(f"a row cannot be sent as JSON: {error}")))
            continue
        cut = [name for name, value in row.items() if isinstance(value, str | dict | list) and sent[name] != value]
        if cut:
            _LOGGER.warning("event %s: truncated %s", row.get("EventId", "?"), ", ".join(cut))
        pairs.append(_Pair(row, sent))
    return pairs, refused
