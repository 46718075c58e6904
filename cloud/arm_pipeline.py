"""What happens to every request to Azure Resource Manager: counted, bounded in time, repeated when that may help."""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import ContentDecodePolicy, HTTPPolicy

from cloud.errors import retry_after_seconds
from core.errors import DeadlineError

_LOGGER: Final = logging.getLogger(__name__)
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_READS: Final = frozenset({"GET", "HEAD"})
_NO_ADVICE_GROWTH: Final = 2.0

Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]


@dataclass(frozen=True, slots=True)
class Patience:
    """How hard one call is tried. `seconds_left` bounds it from outside; without it only these numbers do.

    Waits grow by two from `first_wait_seconds` with jitter; Azure's own advice (Retry-After) goes first. Advice longer
    than `longest_wait_seconds`, or than the time left, is not waited for: the error carries it instead.
    """

    attempts: int = 4
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    seconds_left: Callable[[], float] | None = None
    sleep: Callable[[float], None] = time.sleep


class CallCounter(HTTPPolicy[Any, Any]):
    """Counts the requests that are really sent, retries included."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self.reads = 0
        self.writes = 0
        self.pages = 0

    def send(self, request: Request) -> Response:
        """Count, and pass on."""
        with self._lock:
            if request.http_request.method in _READS:
                self.reads += 1
            else:
                self.writes += 1
        return self.next.send(request)

    def count_page(self) -> None:
        """Count a page of a list."""
        with self._lock:
            self.pages += 1


class PatientRetry(HTTPPolicy[Any, Any]):
    """Repeats what may succeed, and never sleeps past the deadline.

    azure-core's own policy sleeps however long Retry-After says. Repeating a write is safe here: each carries an etag
    or `If-None-Match: *`, so when only the answer to the first try was lost, the repetition is told 412.
    """

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self._patience = patience

    def send(self, request: Request) -> Response:
        """Send until it is answered, no longer worth repeating, or out of time (DeadlineError before the first try)."""
        for attempt in range(1, self._patience.attempts + 1):
            self._bound_timeouts(request)
            try:
                response = self.next.send(request)
            except (ServiceRequestError, ServiceResponseError) as error:
                if not self._wait(request, attempt, None, type(error).__name__):
                    raise
            else:
                status = response.http_response.status_code
                if status not in _RETRIED:
                    return response
                advice = retry_after_seconds(response.http_response.headers)
                if not self._wait(request, attempt, advice, str(status)):
                    return response
        raise AssertionError("the last attempt returns or raises")

    def _bound_timeouts(self, request: Request) -> None:
        patience, options = self._patience, request.context.options
        left = patience.seconds_left() if patience.seconds_left else float("inf")
        if left <= 0:
            raise DeadlineError(
                f"no time left for {_shown(request)}; it will be tried again when the event comes again"
            )
        options["connection_timeout"] = min(patience.connect_seconds, left)
        options["read_timeout"] = min(patience.read_seconds, left)

    def _wait(self, request: Request, attempt: int, advice: float | None, why: str) -> bool:
        """Sleep before the next attempt; False when there is to be none."""
        patience = self._patience
        if attempt >= patience.attempts:
            return False
        grown = patience.first_wait_seconds * _NO_ADVICE_GROWTH ** (attempt - 1)
        wait = grown * random.uniform(0.5, 1.0) if advice is None else advice  # noqa: S311 - jitter, not a secret
        left = patience.seconds_left() if patience.seconds_left else float("inf")
        fits = wait <= patience.longest_wait_seconds and wait < left
        _LOGGER.warning(
            "%s: %s, attempt %d of %d; %s %.1f s",
            _shown(request), why, attempt, patience.attempts, "waiting" if fits else "there is no time to wait", wait,
        )  # fmt: skip
        if fits:
            patience.sleep(wait)
        return fits


def must_be_page(response: Response) -> None:
    """Refuse a page of a list that has no `value` (a raw_response_hook): the SDKs read that as an empty list."""
    body = response.context.get(ContentDecodePolicy.CONTEXT_NAME)
    if response.http_response.status_code == HTTPStatus.OK and not isinstance(_value(body), list):
        raise ValueError("a page of a list has no 'value'")


def _value(body: Any) -> Any:
    return body.get("value") if isinstance(body, dict) else None


def _shown(request: Request) -> str:
    """Say what was asked: method and path, without host and query."""
    return f"{request.http_request.method} {urlsplit(request.http_request.url).path}"
