"""Which failed queries are asked again. A query changes nothing, so any may be; some would only fail again."""

from typing import Any, Final

from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

ATTEMPTS: Final = 4
_AGAIN: Final = frozenset({408, 429, 500, 502, 503})
"""Not 504: that one says that the query took longer than it was given, and would take it again."""


class QueryRetries(RetryPolicy[Any, Any]):
    """The SDK's policy, its waits and its respect for Retry-After, for a POST that only reads.

    The SDK's own repeats a POST that timed out (three minutes, up to three times) and gives up at once on 502, and on
    429 without Retry-After.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"retry_total": ATTEMPTS - 1, "retry_backoff_max": 30, **settings})

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Tell whether this answer is worth another question."""
        return bool(settings["total"]) and response.http_response.status_code in _AGAIN
