"""Azure's errors, each as it arrives over the wire, become ours."""

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceResponseTimeoutError

from cloud.arm import Arm
from cloud.arm_pipeline import Patience
from cloud.credentials import FixedTokenCredential
from cloud.errors import retry_after_seconds, translate
from cloud.private_dns import PrivateDns
from core.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    ThrottledError,
    UnavailableError,
)
from core.records import ZoneRef

ZONE = ZoneRef("00000000-0000-0000-0000-000000000001", "rg-dns", "corp.internal")
QUICK = Patience(attempts=1)


def doors(scripted, patience=QUICK):
    return PrivateDns(Arm(FixedTokenCredential("secret-token", 4102444800), endpoint=scripted.url,
                          ca_bundle=scripted.ca, patience=patience))  # fmt: skip


@pytest.mark.parametrize("wrapped", [True, False], ids=["gateway envelope", "provider envelope"])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BadRequest", CloudError),
        (401, "InvalidAuthenticationToken", ForbiddenError),
        (403, "AuthorizationFailed", ForbiddenError),
        (404, "InvalidResourceType", NotFoundError),
        (408, "RequestTimeout", UnavailableError),
        (409, "AnotherOperationInProgress", ConflictError),
        (412, "PreconditionFailed", PreconditionFailedError),
        (429, "Throttled", ThrottledError),
        (500, "InternalServerError", UnavailableError),
        (503, "ServiceUnavailable", UnavailableError),
    ],
)
def test_a_status_becomes_its_error_with_code_and_message_of_either_envelope(scripted, status, code, kind, wrapped):
    body = {"code": code, "message": "what went wrong"}
    scripted.reply(status, {"error": body} if wrapped else body)
    with pytest.raises(CloudError) as caught:
        doors(scripted).get(ZONE, "A", "web")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.azure_code, error.operation) == (status, code, "record_set.get A/web in corp.internal")
    assert str(error) == f"record_set.get A/web in corp.internal: {status} {code}: what went wrong"
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>\n  gateway says no</html>", "<html> gateway says no</html>"),
        (b"", "Bad Gateway"),
        (b'["a list"]', '["a list"]'),
        (b'{"error": "text"}', '{"error": "text"}'),
        (b"{", "{"),
    ],
)
def test_an_odd_error_body_is_shown_instead_of_a_message(scripted, body, message):
    scripted.reply(502, body, Content_Type="text/html")
    with pytest.raises(UnavailableError) as caught:
        doors(scripted).get(ZONE, "A", "web")
    assert str(caught.value) == f"record_set.get A/web in corp.internal: 502: {message}"


def test_a_long_message_is_cut(scripted):
    scripted.reply(500, {"code": "X", "message": "m" * 10_000})
    with pytest.raises(UnavailableError) as caught:
        doors(scripted).get(ZONE, "A", "web")
    assert len(str(caught.value)) < 700


def test_an_answer_that_is_not_json_is_unavailable_and_never_an_empty_result(scripted):
    scripted.reply(200, b"<html>sign in</html>")
    with pytest.raises(UnavailableError, match="could not be read"):
        doors(scripted).get(ZONE, "A", "web")


def test_a_reset_connection_is_unavailable(scripted):
    scripted.reply(fault="reset")
    with pytest.raises(UnavailableError, match="no answer"):
        doors(scripted).get(ZONE, "A", "web")


def test_nobody_listening_is_unavailable(scripted):
    arm = Arm(
        FixedTokenCredential("t", 4102444800), endpoint="https://127.0.0.1:1", ca_bundle=scripted.ca, patience=QUICK
    )
    with pytest.raises(UnavailableError, match="no answer"):
        PrivateDns(arm).get(ZONE, "A", "web")


def test_a_server_that_no_known_authority_vouches_for_is_refused(scripted):
    arm = Arm(FixedTokenCredential("t", 4102444800), endpoint=scripted.url, patience=QUICK)
    with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        PrivateDns(arm).get(ZONE, "A", "web")
    assert scripted.seen == []


def test_no_error_shows_the_token(scripted):
    scripted.reply(401, {"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}})
    with pytest.raises(ForbiddenError) as caught:
        doors(scripted).get(ZONE, "A", "web")
    assert scripted.seen[0].headers["Authorization"] == "Bearer secret-token"
    assert "secret-token" not in repr(caught.value)
    assert "secret-token" not in repr(FixedTokenCredential("secret-token", 1))


def test_an_identity_without_a_token_is_forbidden():
    error = translate("token", ClientAuthenticationError("no identity is assigned"))
    assert type(error) is ForbiddenError
    assert "AZURE_CLIENT_ID" in str(error)


def test_an_identity_endpoint_that_is_down_is_unavailable():
    error = ClientAuthenticationError("no managed identity endpoint found")
    error.__cause__ = ServiceResponseTimeoutError("timed out")
    assert type(translate("token", error)) is UnavailableError


def test_our_own_errors_pass_unchanged():
    error = ThrottledError("x", "y")
    assert translate("z", error) is error


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "10"}, 10.0),
        ({"Retry-After": "0"}, 0.0),
        ({"retry-after-ms": "250", "Retry-After": "10"}, 0.25),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
def test_advice_to_wait_is_read_from_every_header_that_azure_uses(headers, seconds):
    assert retry_after_seconds(headers) == seconds
