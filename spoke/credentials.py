"""Temporary credentials of a role session in a member account."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """What STS gives for one role session. The secret parts never show in `repr`.

    Attributes:
        access_key_id: Begins with `ASIA`.
        secret_access_key: The signing key.
        session_token: Goes with every call.
        expires_at: Aware, UTC. A chained session lasts one hour at the most.
    """

    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr
    expires_at: datetime
