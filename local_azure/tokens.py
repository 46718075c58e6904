"""Unsigned but well-formed JSON web tokens: they carry who calls, and prove nothing."""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LIFETIME_SECONDS = 24 * 3600
SYSTEM_CLIENT_ID = "22222222-2222-2222-2222-222222222222"


def _part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def object_id(client_id: str) -> str:
    """Give the object id of a client: the principal that role assignments name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, client_id))


def issue(*, tenant: str, audience: str, client_id: str, subscription: str, issued_at: float | None = None) -> str:
    """Make a token for `audience`; the object id follows from the client id: a client is always the same principal."""
    now = int(time.time() if issued_at is None else issued_at)
    name = "system" if client_id == SYSTEM_CLIENT_ID else client_id
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": now,
        "nbf": now - 60,
        "exp": now + LIFETIME_SECONDS,
        "appid": client_id,
        "idtyp": "app",
        "oid": object_id(client_id),
        "sub": object_id(client_id),
        "tid": tenant,
        "ver": "1.0",
        "xms_mirid": f"/subscriptions/{subscription}/resourcegroups/local/providers/Microsoft.ManagedIdentity/"
        f"userAssignedIdentities/{name}",
    }
    header = {"typ": "JWT", "alg": "RS256", "kid": "local"}
    return f"{_part(header)}.{_part(claims)}.{base64.urlsafe_b64encode(b'local, unsigned').rstrip(b'=').decode()}"


@lru_cache(maxsize=256)
def claims_of(authorization: str) -> Mapping[str, Any]:
    """Give the claims of an Authorization header; a bearer that is no JWT stands for itself."""
    token = authorization.partition(" ")[2]
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {"appid": token, "oid": token}
    return claims if isinstance(claims, dict) else {"appid": token, "oid": token}
