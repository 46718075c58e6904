"""Managed identity and sign-in: what azure-identity and azure-cli ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, CredentialUnavailableError, ManagedIdentityCredential

from local_azure.faults import Fault, FaultRule
from local_azure.tokens import claims_of

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

RESOURCE = "https://management.azure.com"
USER = "33333333-3333-3333-3333-333333333333"


@pytest.fixture
def variables(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", azure.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", azure.identity_header)


def ask(azure: LocalAzure, *, header: str | None = None, **query: str) -> requests.Response:
    headers = {"X-IDENTITY-HEADER": azure.identity_header if header is None else header}
    asked = {
        "api-version": "2019-08-01",
        "resource": RESOURCE,
        **{k.replace("_version", "-version"): v for k, v in query.items()},
    }
    return requests.get(azure.identity_endpoint, params=asked, headers=headers, timeout=5)


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize("client_id", [None, USER])
def test_the_real_credential_gets_a_token_that_tells_who_it_is(azure: LocalAzure, client_id: str | None) -> None:
    with ManagedIdentityCredential(client_id=client_id) as credential:
        token = credential.get_token(f"{RESOURCE}/.default").token
    claims = claims_of(f"Bearer {token}")
    assert claims["aud"] == RESOURCE
    assert claims["appid"] == (client_id or "22222222-2222-2222-2222-222222222222")
    assert claims["tid"] == azure.world.settings.tenant_id
    assert "/userAssignedIdentities/" in claims["xms_mirid"]
    assert claims["oid"] != claims["appid"]
    assert token.count(".") == 2


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"header": "wrong"}, 401),
        ({"header": ""}, 401),
        ({"api_version": "2030-01-01"}, 400),
        ({"resource": ""}, 400),
        ({}, 200),
        ({"api_version": "2017-09-01"}, 200),
    ],
)
def test_the_app_service_endpoint_checks_what_it_is_asked(
    azure: LocalAzure, options: dict[str, Any], status: int
) -> None:
    answer = ask(azure, **options)
    assert answer.status_code == status
    body = answer.json()
    if status == 200:
        assert body["token_type"] == "Bearer"
        assert body["expires_on"].isdigit()
    else:
        assert (body["statusCode"], bool(body["message"])) == (status, True)


def test_imds_wants_the_metadata_header(azure: LocalAzure) -> None:
    url = azure.identity_endpoint.replace("/msi/token", "/metadata/identity/oauth2/token")
    asked = {"api-version": "2018-02-01", "resource": RESOURCE}
    assert requests.get(url, params=asked, timeout=5).json()["error"] == "bad_request_102"
    body = requests.get(url, params=asked, headers={"Metadata": "true"}, timeout=5).json()
    assert claims_of(f"Bearer {body['access_token']}")["aud"] == RESOURCE
    assert body["expires_in"] == "86400"


@pytest.mark.usefixtures("variables")
def test_a_token_endpoint_that_is_down_is_the_credentials_own_error(azure: LocalAzure) -> None:
    azure.call(lambda: azure.world.faults.add(FaultRule(Fault("error", 400), "token.GET")))
    with (
        ManagedIdentityCredential() as credential,
        pytest.raises((CredentialUnavailableError, ClientAuthenticationError)),
    ):
        credential.get_token(f"{RESOURCE}/.default")


@pytest.mark.usefixtures("variables")
def test_a_token_endpoint_that_resets_once_is_tried_again(azure: LocalAzure) -> None:
    azure.call(lambda: azure.world.faults.add(FaultRule(Fault("reset"), "token.GET", times=1)))
    with ManagedIdentityCredential() as credential:
        assert credential.get_token(f"{RESOURCE}/.default").token


def test_a_service_principal_signs_in_through_openid_discovery(azure: LocalAzure) -> None:
    with ClientSecretCredential(
        azure.world.settings.tenant_id,
        USER,
        "any secret",
        authority=azure.arm,
        disable_instance_discovery=True,
        connection_verify=str(azure.ca),
    ) as credential:
        token = credential.get_token(f"{RESOURCE}/.default").token
    assert claims_of(f"Bearer {token}")["appid"] == USER


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": USER}, "invalid_client"),
    ],
)
def test_a_bad_sign_in_is_refused_as_entra_does(arm: Any, form: dict[str, str], error: str) -> None:
    answer = arm.session.post(f"{arm.base}/common/oauth2/v2.0/token", data=form, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"].startswith("AADSTS")


def test_the_cloud_describes_itself(arm: Any) -> None:
    cloud = arm.session.get(f"{arm.base}/metadata/endpoints?api-version=2022-09-01", timeout=5).json()
    assert cloud["resourceManager"] == cloud["authentication"]["loginEndpoint"] == arm.base
    assert arm.session.get(f"{arm.base}/metadata/endpoints?api-version=2019-05-01", timeout=5).json() == [cloud]
    old = arm.session.get(f"{arm.base}/metadata/endpoints?api-version=2015-01-01", timeout=5).json()
    assert old["authentication"]["loginEndpoint"] == arm.base
