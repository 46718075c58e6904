"""An HTTPS transport for azure-core on the standard library alone: for a process that makes a few calls and ends.

azure-core's own goes through `requests`, whose import and per-call work is a quarter of the worker's CPU time, and buys
nothing there: pooling over hosts and threads, proxies from the environment (the worker's has none), redirects (the
pipeline follows none), compression (answers are small). A long-lived process keeps azure-core's.
"""

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator, MutableMapping
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import urlsplit

from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.utils import case_insensitive_dict

IDLE_SECONDS: Final = 5.0
"""A connection that rested longer is not used again: the other side may have closed it, and a write would be lost."""
_TIMEOUT_SECONDS: Final = 30.0
_CHARSET: Final = re.compile(r"charset=\"?([\w.:-]+)", re.ASCII | re.IGNORECASE)


class LeanTransport(HttpTransport[HttpRequest, HttpResponse]):
    """Sends one request after another, not from several threads, over a connection that is kept while it is the same.

    `ca_bundle` names a file of trusted CAs; without it those of certifi count, as with `requests`.
    """

    def __init__(self, ca_bundle: str | None = None) -> None:
        self._ca_bundle = ca_bundle
        self._tls: ssl.SSLContext | None = None
        self._connection: http.client.HTTPSConnection | None = None
        self._host = ""
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Do nothing: the first request connects."""

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Send and read the whole answer; raises azure-core's request and response errors, as its own transport does.

        Takes `connection_timeout` and `read_timeout` in seconds.
        """
        url = urlsplit(request.url)
        if url.scheme != "https":
            raise ServiceRequestError(f"only https is spoken here, not {url.scheme}")
        connection = self._connected(url.netloc, kwargs.get("connection_timeout") or _TIMEOUT_SECONDS)
        connection.sock.settimeout(kwargs.get("read_timeout") or _TIMEOUT_SECONDS)
        target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        try:
            connection.request(request.method, target, _content(request), _headers(request))
            answer = connection.getresponse()
            body = answer.read()
        except TimeoutError as error:
            self.close()
            raise ServiceResponseTimeoutError("no answer in time", error=error) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ServiceResponseError(f"{type(error).__name__}: {error}", error=error) from error
        self._used_at = time.monotonic()
        if answer.will_close:
            self.close()
        return LeanResponse(request, answer, body)

    def _connected(self, host: str, timeout: float) -> http.client.HTTPSConnection:
        if self._connection and self._host == host and time.monotonic() - self._used_at < IDLE_SECONDS:
            return self._connection
        self.close()
        connection = http.client.HTTPSConnection(host, timeout=timeout, context=self._context())
        try:
            connection.connect()
        except TimeoutError as error:
            raise ServiceRequestTimeoutError(f"no connection to {host} in time", error=error) from error
        except (OSError, http.client.HTTPException) as error:
            raise ServiceRequestError(f"no connection to {host}: {error}", error=error) from error
        self._connection, self._host = connection, host
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            bundle = self._ca_bundle
            if bundle is None:
                import certifi  # noqa: PLC0415 - not needed where a bundle is named

                bundle = certifi.where()
            self._tls = ssl.create_default_context(cafile=bundle)
        return self._tls


def _content(request: Any) -> Any:
    """Give the body; the SDKs generated earlier (container instances) still send azure-core's older kind of request."""
    content = request.content if isinstance(request, HttpRequest) else request.body
    return content.encode() if isinstance(content, str) else content  # http.client would take Latin-1


def _headers(request: Any) -> dict[str, str]:
    """Give the headers but the length: azure-core counts a text's characters, http.client what is sent."""
    return {name: value for name, value in request.headers.items() if name.lower() != "content-length"}


class LeanResponse(HttpResponse):
    """An answer that was read to its end."""

    def __init__(self, request: HttpRequest, answer: http.client.HTTPResponse, body: bytes) -> None:
        self._request = request
        self._status = answer.status
        self._reason = answer.reason
        self._headers = case_insensitive_dict(answer.getheaders())
        self._body = body
        self._encoding: str | None = None

    @property
    def request(self) -> HttpRequest:
        """Give the request that this answers."""
        return self._request

    @property
    def status_code(self) -> int:
        """Give the HTTP status."""
        return self._status

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Give the headers; names are compared without case."""
        return self._headers

    @property
    def reason(self) -> str:
        """Give the reason phrase."""
        return self._reason

    @property
    def content_type(self) -> str | None:
        """Give the content type with its parameters."""
        return self._headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        """Say that it was read to its end."""
        return True

    @property
    def is_stream_consumed(self) -> bool:
        """Say that it was read to its end."""
        return True

    @property
    def encoding(self) -> str | None:
        """Give the character set that was set or that the content type declares."""
        declared = _CHARSET.search(self.content_type or "")
        return self._encoding or (declared[1] if declared else None)

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        """Give where the request went."""
        return self._request.url

    @property
    def content(self) -> bytes:
        """Give the body."""
        return self._body

    def text(self, encoding: str | None = None) -> str:
        """Decode the body; what is no text in that encoding is replaced."""
        return self._body.decode(encoding or self.encoding or "utf-8-sig", "replace")

    def json(self) -> Any:
        """Parse the body; raises ValueError."""
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        """Raise HttpResponseError for an error status."""
        if self._status >= HTTPStatus.BAD_REQUEST:
            raise HttpResponseError(response=self)

    def read(self) -> bytes:
        """Give the body."""
        return self._body

    def iter_raw(self, **_: Any) -> Iterator[bytes]:
        """Give the body in one piece."""
        yield self._body

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        """Give the body in one piece."""
        yield self._body

    def close(self) -> None:
        """Do nothing: the answer was read to its end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<LeanResponse: {self._status} {self._reason}>"
