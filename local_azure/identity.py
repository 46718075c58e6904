"""Managed identity endpoints (App Service and IMDS style) and the sign-in endpoints that azure-cli needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from local_azure import tokens
from local_azure.http_faults import play
from local_azure.middleware import Front

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_azure.world import World

API_VERSIONS = ("2017-09-01", "2019-08-01")


def header(world: World) -> str:
    """Give the secret that a caller of the App Service endpoint must send; the same for the same seed."""
    return f"local-{world.seed:08x}"


def routes(world: World) -> list[Route]:
    """Sign-in and discovery, served over HTTPS; IMDS too, because some clients take it from there."""
    identity = Identity(world)
    return [
        Route("/metadata/identity/oauth2/token", identity.imds),
        Route("/metadata/endpoints", identity.endpoints),
        Route("/common/discovery/instance", identity.discovery),
        Route("/{tenant}/.well-known/openid-configuration", identity.openid),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", identity.openid),
        Route("/{tenant}/oauth2/v2.0/token", identity.oauth2, methods=["POST"]),
        Route("/{tenant}/oauth2/token", identity.oauth2, methods=["POST"]),
        Route("/msi/token", identity.app_service),
    ]


def build_app(world: World) -> Front:
    """Give the application of the plain-http identity endpoint."""
    identity = Identity(world)
    paths = [
        Route("/msi/token", identity.app_service),
        Route("/metadata/identity/oauth2/token", identity.imds),
    ]
    return Front(world, Router(paths))


class Identity:
    """The endpoints of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def _fault(self, request: Request, operation: str, detail: dict[str, str]) -> Response | None:
        request.scope["operation"] = operation
        fault = self._world.faults.match(operation, detail)
        if fault is None:
            return None
        await play(fault, detail)
        if fault.status is None:
            return None
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        body = {"statusCode": fault.status, "message": fault.message, "error": fault.code}
        return JSONResponse(body, fault.status, headers)

    def _token(self, resource: str, client_id: str) -> dict[str, Any]:
        settings = self._world.settings
        token = tokens.issue(
            tenant=settings.tenant_id, audience=resource, client_id=client_id, subscription=settings.subscription_id
        )
        return {
            "access_token": token,
            "expires_on": str(int(time.time()) + tokens.LIFETIME_SECONDS),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }

    async def app_service(self, request: Request) -> Response:
        """GET $IDENTITY_ENDPOINT?api-version=2019-08-01&resource=…, with the X-IDENTITY-HEADER of the process."""
        query = request.query_params
        client_id = query.get("client_id") or query.get("clientid") or tokens.SYSTEM_CLIENT_ID
        failed = await self._fault(request, "token.GET", {"type": "app_service", "name": client_id})
        if failed:
            return failed
        sent = request.headers.get("x-identity-header") or request.headers.get("secret")
        if sent != header(self._world):
            return JSONResponse({"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong."}, 401)
        if query.get("api-version") not in API_VERSIONS:
            return _refused(f"The api-version '{query.get('api-version')}' is not supported.")
        if not query.get("resource"):
            return _refused("The parameter 'resource' is required.")
        return JSONResponse(self._token(query["resource"], client_id))

    async def imds(self, request: Request) -> Response:
        """GET /metadata/identity/oauth2/token, with Metadata: true and no proxy in between."""
        query = request.query_params
        client_id = query.get("client_id") or tokens.SYSTEM_CLIENT_ID
        failed = await self._fault(request, "token.GET", {"type": "imds", "name": client_id})
        if failed:
            return failed
        if request.headers.get("metadata", "").lower() != "true" or "x-forwarded-for" in request.headers:
            text = "Required metadata header not specified"
            return JSONResponse({"error": "bad_request_102", "error_description": text}, 400)
        if not query.get("resource"):
            return JSONResponse({"error": "invalid_request", "error_description": "The resource is missing"}, 400)
        lifetime = str(tokens.LIFETIME_SECONDS)
        return JSONResponse(
            {**self._token(query["resource"], client_id), "expires_in": lifetime, "ext_expires_in": lifetime}
        )

    async def oauth2(self, request: Request) -> Response:
        """Answer the token endpoint: client credentials, any secret or assertion."""
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        client_id = form.get("client_id", "")
        failed = await self._fault(request, "token.POST", {"type": "oauth2", "name": client_id})
        if failed:
            return failed
        if form.get("grant_type") != "client_credentials":
            return _sign_in_error(
                "unsupported_grant_type", 70003, f"The grant type '{form.get('grant_type')}' is not supported."
            )
        if not client_id or not (form.get("client_secret") or form.get("client_assertion")):
            return _sign_in_error("invalid_client", 7000216, "'client_id' and a secret or an assertion are required.")
        scope = form.get("scope") or form.get("resource") or ""
        resource = scope.split(" ")[0].removesuffix("/.default")
        lifetime = tokens.LIFETIME_SECONDS
        token = self._token(resource, client_id)["access_token"]
        body = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}
        return JSONResponse(body)

    async def openid(self, request: Request) -> Response:
        """OpenID configuration of any tenant."""
        base, tenant = _base(request), request.path_params["tenant"]
        if tenant in ("common", "organizations"):
            tenant = self._world.settings.tenant_id
        root = f"{base}/{tenant}"
        return JSONResponse(
            {
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                "issuer": f"{root}/v2.0",
                "jwks_uri": f"{root}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token", "token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": "NA",
                "cloud_instance_name": "localhost",
            }
        )

    async def discovery(self, request: Request) -> Response:
        """Instance discovery: the local host is its own and only authority."""
        host = request.headers.get("host", "localhost")
        tenant = self._world.settings.tenant_id
        endpoint = f"https://{host}/{tenant}/v2.0/.well-known/openid-configuration"
        metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        return JSONResponse({"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata})

    async def endpoints(self, request: Request) -> Response:
        """GET /metadata/endpoints: the description of this cloud, which `az cloud register` reads."""
        base = _base(request)
        authentication = {"loginEndpoint": base, "audiences": [base, "https://management.azure.com/"]}
        version = request.query_params.get("api-version", "")
        if version == "2015-01-01":
            old_names = ("galleryEndpoint", "graphEndpoint", "portalEndpoint")
            return JSONResponse({**dict.fromkeys(old_names, base), "authentication": authentication})
        suffixes = {
            "storage": "core.local",
            "keyVaultDns": "vault.local",
            "sqlServerHostname": "db.local",
            "acrLoginServer": "acr.local",
        }
        names = ("portal", "media", "graphAudience", "graph", "batch", "resourceManager", "vmImageAliasDoc")
        more = ("activeDirectoryDataLake", "sqlManagement", "microsoftGraphResourceId", "gallery")
        cloud = {
            "name": "LocalAzure",
            "authentication": {**authentication, "tenant": "common", "identityProvider": "AAD"},
            "suffixes": suffixes,
            **dict.fromkeys((*names, *more), base),
        }
        # One cloud from 2022-09-01 on (azure-cli, the Terraform provider), the list of all clouds before.
        return JSONResponse(cloud if version >= "2022-09-01" else [cloud])


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"


def _refused(message: str) -> Response:
    return JSONResponse({"statusCode": 400, "message": message}, 400)


def _sign_in_error(error: str, number: int, message: str) -> Response:
    text = f"AADSTS{number}: {message}"
    return JSONResponse({"error": error, "error_description": text, "error_codes": [number]}, 400)
