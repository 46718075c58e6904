"""Identities: the managed one against a loopback endpoint, and the token that the worker is handed."""

import pytest

from cloud.arm import Arm
from cloud.credentials import FixedTokenCredential, managed_identity
from core.errors import ForbiddenError, UnavailableError


@pytest.fixture
def identity(monkeypatch):
    def point_to(url):
        monkeypatch.setenv("IDENTITY_ENDPOINT", url + "/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-secret")

    return point_to


def ca_of(scripted, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", scripted.ca)


@pytest.mark.parametrize("client_id", [None, "11111111-1111-1111-1111-111111111111"])
def test_the_managed_identity_gets_a_token_for_azure_resource_manager(scripted, identity, monkeypatch, client_id):
    ca_of(scripted, monkeypatch)
    identity(scripted.url)
    scripted.reply(200, {"access_token": "abc", "expires_on": "4102444800", "resource": "r", "token_type": "Bearer"})
    arm = Arm(managed_identity(client_id))
    assert (arm.token(), arm.token()) == ("abc", "abc")
    (seen,) = scripted.seen
    assert "resource=https://management.azure.com" in seen.path.replace("%3A", ":").replace("%2F", "/")
    assert ("client_id=" in seen.path) == (client_id is not None)
    assert seen.headers["X-IDENTITY-HEADER"] == "header-secret"


def test_an_identity_that_is_not_assigned_is_forbidden(scripted, identity, monkeypatch):
    ca_of(scripted, monkeypatch)
    identity(scripted.url)
    scripted.reply(400, {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found"})
    with pytest.raises(ForbiddenError, match="AZURE_CLIENT_ID"):
        Arm(managed_identity("11111111-1111-1111-1111-111111111111")).token()


@pytest.mark.parametrize("kind", ["nobody listens", "resets", "500"])
def test_an_identity_endpoint_that_is_down_is_unavailable(scripted, identity, monkeypatch, kind):
    ca_of(scripted, monkeypatch)
    monkeypatch.setattr("time.sleep", lambda _: None)  # azure-identity's own retries wait for a minute
    identity("http://127.0.0.1:1" if kind == "nobody listens" else scripted.url)
    if kind == "resets":
        scripted.reply(fault="reset")
    else:
        scripted.reply(500, {"statusCode": 500, "message": "oops"})
    with pytest.raises(UnavailableError):
        Arm(managed_identity(None)).token()


def test_a_fixed_token_is_given_for_any_scope_and_never_shown():
    credential = FixedTokenCredential("secret", 123)
    assert credential.get_token("a", "b", claims="c") == ("secret", 123)
    assert "secret" not in repr(credential)
