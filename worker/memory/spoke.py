"""Member accounts in memory."""

import secrets
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from pydantic import SecretStr

from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.errors import Gone, NoAccess
from spoke.snapshot import FunctionSnapshot
from spoke.tags import changed
from worker.memory.hooks import OnCall, operation
from worker.ports import Clock

Call = Literal["describe", "scan_credentials", "tag"]

SESSION = timedelta(hours=1)


class MemorySpoke:
    """The port `Spoke` over functions that were put in.

    Attributes:
        tagged: Every write of tags, in order: the function and the tags that were written.
        sessions: Every scan session given out, in order: the snapshot it was for and its credentials.

    Args:
        clock: Tells when a session ends.
        role_name: For the text of errors.
        on_call: See `worker.memory.hooks`.
    """

    def __init__(self, clock: Clock, *, role_name: str = "scanhub-spoke", on_call: OnCall | None = None) -> None:
        self._clock = clock
        self._role_name = role_name
        self._on_call = on_call
        self._functions: dict[FunctionArn, FunctionSnapshot] = {}
        self._denied: set[str] = set()
        self._faults: defaultdict[Call, deque[Exception]] = defaultdict(deque)
        self.tagged: list[tuple[FunctionArn, Mapping[str, str]]] = []
        self.sessions: list[tuple[FunctionSnapshot, SessionCredentials]] = []

    def put(self, snapshot: FunctionSnapshot) -> None:
        """Create or replace a function, or one of its published versions."""
        self._functions[snapshot.arn.content] = snapshot

    def remove(self, function: FunctionArn) -> None:
        """Delete a function with its versions, or one version; one that is not there is no error."""
        doomed = function.content
        for arn in [arn for arn in self._functions if doomed in {arn, arn.unqualified}]:
            del self._functions[arn]

    def deny(self, account: str) -> None:
        """From now on the role of this account cannot be assumed."""
        self._denied.add(account)

    def allow(self, account: str) -> None:
        """Undo `deny`."""
        self._denied.discard(account)

    def fail(self, call: Call, error: Exception) -> None:
        """Let the next call of this method raise `error`; several are raised one by one."""
        self._faults[call].append(error)

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        """See `worker.ports.Spoke`."""
        async with operation("describe", self._on_call):
            self._enter("describe", function)
            snapshot = self._found(function)
        return snapshot  # noqa: RET504  # returned inside, mypy would think that the context may swallow it

    async def scan_credentials(self, snapshot: FunctionSnapshot) -> SessionCredentials:
        """See `worker.ports.Spoke`."""
        async with operation("scan_credentials", self._on_call):
            self._enter("scan_credentials", snapshot.arn)
            credentials = SessionCredentials(
                access_key_id=f"ASIA{secrets.token_hex(8).upper()}",
                secret_access_key=SecretStr(secrets.token_urlsafe(30)),
                session_token=SecretStr(secrets.token_urlsafe(120)),
                expires_at=self._clock.now() + SESSION,
            )
            self.sessions.append((snapshot, credentials))
        return credentials

    async def tag(self, function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None) -> bool:
        """See `worker.ports.Spoke`."""
        differing = changed(tags, present)
        if not differing or function.is_version:
            return False
        async with operation("tag", self._on_call):
            self._enter("tag", function)
            snapshot = self._found(function)
            self.put(replace(snapshot, tags={**(snapshot.tags or {}), **differing}))
            self.tagged.append((function.unqualified, differing))
        return True

    def _enter(self, call: Call, function: FunctionArn) -> None:
        if self._faults[call]:
            raise self._faults[call].popleft()
        if function.account in self._denied:
            raise NoAccess(f"assuming the role {self._role_name} in account {function.account}: AccessDenied")

    def _found(self, function: FunctionArn) -> FunctionSnapshot:
        try:
            return self._functions[function.content]
        except KeyError:
            raise Gone(f"describing {function.content}: ResourceNotFoundException") from None
