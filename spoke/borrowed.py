"""One client for many role sessions: each call brings its own credentials, and none is made without."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiobotocore.credentials import AioCredentials

from spoke.credentials import SessionCredentials

if TYPE_CHECKING:
    from aiobotocore.client import AioBaseClient
    from botocore.client import ClientMeta
    from botocore.model import OperationModel

NOBODY = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nobody"}
"""What a shared client is made with: never the process's own credentials, and nothing that AWS would accept."""

_CARRIED = "scanhub.credentials"
"""Beside the parameters of a call, until `adopt` takes it out; no parameter of AWS has a dot in its name."""


def adopt(client: "AioBaseClient") -> None:
    """Have every call of the client, presigned ones too, signed with the credentials that it brings.

    Raises:
        RuntimeError: From then on, each call that brings none.
    """
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"provide-client-params.{service}", _sign_as_carried)


class BorrowedClient:
    """A shared client as one role session has it: its operations, each signed as that session.

    The session hangs on this object and goes into the context of the single request, from where every try of it is
    signed. No task, thread or context variable decides whose call it is. Of a client there are only the operations and
    `meta`: paginators and waiters would call the shared one.

    Args:
        client: One that was given to `adopt`.
        credentials: The session's.
    """

    def __init__(self, client: "AioBaseClient", credentials: SessionCredentials) -> None:
        self._client = client
        self._ended = False
        self._credentials = AioCredentials(
            credentials.access_key_id,
            credentials.secret_access_key.get_secret_value(),
            credentials.session_token.get_secret_value(),
        )

    @property
    def meta(self) -> "ClientMeta":
        """The shared client's: its region, its events, its models."""
        return self._client.meta

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name not in self._client.meta.method_to_api_mapping:
            raise AttributeError(f"a borrowed client has operations only, not {name}")
        operation = getattr(self._client, name)

        async def call(**request: object) -> object:
            if self._ended:
                raise RuntimeError(f"{name}: the client was given back")
            return await operation(**request, **{_CARRIED: self._credentials})

        return call

    def end(self) -> None:
        """It was given back: no further call is made. One under way goes on."""
        self._ended = True


def _sign_as_carried(params: dict[str, Any], model: "OperationModel", context: dict[str, Any], **_: object) -> None:
    credentials = params.pop(_CARRIED, None)
    if not isinstance(credentials, AioCredentials):
        # Not a ScanhubError: no retry mends it.
        raise RuntimeError(f"{model.name} without a role session")  # noqa: TRY004  # a call's omission, not a wrong type
    # The signer prefers these to the client's own, at each try (botocore.signers.RequestSigner.sign).
    context.setdefault("signing", {})["request_credentials"] = credentials
