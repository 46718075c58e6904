"""How the `/_local` routes read what they are sent: a JSON object; what is wrong in it is answered with 400 and why."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class InvalidRequestError(ValueError):
    """A request that says something impossible: every reason, each with its place. The text is the answer."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))


async def answered(
    request: Request, act: Callable[[dict[str, Any]], dict[str, Any]], *refused: type[Exception]
) -> Response:
    """Read a JSON object, act on it, answer; `refused` are further errors whose text is a reason."""
    kinds: tuple[type[Exception], ...] = (InvalidRequestError, *refused)
    try:
        return JSONResponse(act(_object(await request.body())))
    except kinds as error:
        return JSONResponse({"error": {"code": "InvalidRequest", "message": str(error)}}, 400)
    except ValueError as error:
        return JSONResponse({"error": {"code": "InvalidJson", "message": f"The body is no JSON: {error}"}}, 400)


def must_be_known(body: dict[str, Any], known: Iterable[str]) -> None:
    """Refuse keys that nobody would read."""
    names = tuple(known)
    unknown = [key for key in body if key not in names]
    if unknown:
        raise InvalidRequestError(f"{', '.join(unknown)}: unknown; known are {', '.join(names)}.")


def _object(body: bytes) -> dict[str, Any]:
    value = json.loads(body)
    if not isinstance(value, dict):
        raise InvalidRequestError("The body: a JSON object is needed.")
    return value
