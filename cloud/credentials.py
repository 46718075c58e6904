"""Who we are. No secret is configured anywhere: a managed identity in Azure, a developer's sign-in on a desk.

The worker gets a token from its parent and needs only FixedTokenCredential; azure-identity, the dearest import there is
(0.25 s), is loaded by the functions that need it.
"""

from typing import Any

from azure.core.credentials import AccessToken, TokenCredential

__all__ = ["FixedTokenCredential", "TokenCredential", "developer", "managed_identity"]


class FixedTokenCredential:
    """A token that somebody else got: `expires_on` is in seconds since the epoch. It cannot be renewed."""

    def __init__(self, token: str, expires_on: int) -> None:
        self._token = AccessToken(token, expires_on)

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:  # noqa: ARG002 - the SDKs' protocol
        """Give the token, whatever it is asked for: its audience was chosen when it was issued."""
        return self._token

    def __repr__(self) -> str:
        return "FixedTokenCredential(…)"


def managed_identity(client_id: str | None) -> TokenCredential:
    """Give the managed identity of the app that runs us: the user-assigned one with this client id, or the system's."""
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - see above

    return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()


def developer() -> TokenCredential:
    """Give whatever identity a person's machine offers: environment, az login, and so on."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - see above

    return DefaultAzureCredential()
