"""Azure's errors become ours here, and only here; the cause stays chained.

    with guard("record_set.get A/web in corp.internal"):
        client.record_sets.get(...)

Azure Resource Manager has two error envelopes, `{"code", "message"}` from a resource provider and
`{"error": {"code", "message"}}` from its gateway; both are read. A bearer token never gets into a message.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from core.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    ThrottledError,
    ToolkitError,
    UnavailableError,
)

MAX_MESSAGE_LENGTH: Final = 500
_MILLISECOND_HEADERS: Final = ("retry-after-ms", "x-ms-retry-after-ms")
_BY_STATUS: Final[Mapping[int, type[CloudError]]] = {
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    408: UnavailableError,
    409: ConflictError,
    412: PreconditionFailedError,
}
_IDENTITY_STATUS: Final = re.compile(r"Token request error: \(\w+\) (\d{3})\b", re.ASCII)
"""azure-identity gives the endpoint's status in its message only: `Token request error: (invalid_scope) 500, oops`."""
_FIRST_SERVER_ERROR: Final = 500
_FIRST_ERROR: Final = 400
_THROTTLED: Final = 429


@contextmanager
def guard(operation: str) -> Iterator[None]:
    """Run an SDK's call and read its answer; whatever that raises leaves as one of our errors, naming the operation.

    The SDKs' deserializers have no error of their own: an answer of another shape than expected (a proxy's page, say)
    surfaces as one of Python's. It must not pass for an answer, nor for a defect of the caller.
    """
    try:
        yield
    except AzureError as error:
        raise translate(operation, error) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        kind = type(error).__name__
        raise UnavailableError(operation, f"the answer could not be read: {kind}: {_short(str(error))}") from error


def translate(operation: str, error: BaseException) -> ToolkitError:
    """Turn one of Azure's errors into ours; ours come back as they are. The caller chains it: `raise … from error`."""
    if isinstance(error, ToolkitError):
        return error
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return UnavailableError(operation, f"no answer: {_short(str(error))}")
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return _without_token(operation, error)
    if isinstance(error, HttpResponseError):
        return _answered(operation, error)
    return CloudError(operation, f"{type(error).__name__}: {_short(str(error))}")


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read how long the answer advises to wait; None when it says nothing that can be read."""
    for name in _MILLISECOND_HEADERS:
        waited = _number(headers.get(name))
        if waited is not None:
            return waited / 1000
    text = headers.get("Retry-After")
    waited = _number(text)
    if waited is not None or not text:
        return waited
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _answered(operation: str, error: HttpResponseError) -> ToolkitError:
    status = int(error.status_code or 0)
    code, message = _body(error)
    if status == _THROTTLED:
        wait = retry_after_seconds(getattr(error.response, "headers", {}))
        return ThrottledError(operation, message, azure_code=code, retry_after_seconds=wait)
    if status < _FIRST_ERROR:
        return UnavailableError(operation, f"the answer could not be read: {message}", status=status, azure_code=code)
    kind = UnavailableError if status >= _FIRST_SERVER_ERROR else _BY_STATUS.get(status, CloudError)
    return kind(operation, message, status=status, azure_code=code)


def _body(error: HttpResponseError) -> tuple[str, str]:
    """Read code and message from either envelope; from neither, the reason phrase and the beginning of the text."""
    text = ""
    try:
        text = error.response.text() if error.response is not None else ""
        body = json.loads(text) if text else None
    except (ValueError, AttributeError):
        body = None
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict) and (inner.get("code") or inner.get("message")):
            return str(inner.get("code") or ""), _short(str(inner.get("message") or "no message"))
    return "", _short(text or error.reason or str(error.message))


def _without_token(operation: str, error: ClientAuthenticationError) -> ToolkitError:
    """Tell an identity that is not allowed from an identity endpoint that is down: only the second gets well."""
    said = _IDENTITY_STATUS.search(str(error))
    for cause in (error, *_causes(error)):
        status = getattr(cause, "status_code", None) or (int(said[1]) if said else 0)
        down = isinstance(cause, ServiceRequestError | ServiceResponseError) or status >= _FIRST_SERVER_ERROR
        if down or status == _THROTTLED:
            return UnavailableError(operation, f"no token, the identity endpoint is down: {_short(str(error))}")
    return ForbiddenError(operation, f"no token: {_short(str(error))}; check the managed identity and AZURE_CLIENT_ID")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if 0 <= value < float("inf") else None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_MESSAGE_LENGTH else line[:MAX_MESSAGE_LENGTH] + "…"
