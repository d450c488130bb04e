"""What the worker needs of the world, as protocols.

Each has an AWS adapter (in `spoke/` or `hub/`) and an in-memory one (in `worker/memory/`); both pass the contract tests
in `tests/contracts/`. The results bucket's protocol, `Objects`, stands in `hub.results_bucket`.
Every method may raise `Throttled` or `Unavailable` besides what it names.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from hub.coverage import Coverage
from hub.message import Depth, Message, Parking, Source
from hub.notification import Notification
from hub.scanned import Scanned
from hub.scans import Claim, Effect, Lease, ScanKey, ScanProfile, ScanRecord, ScanSummary
from hub.service_notes import ObjectiveDay, Pause, WorkerNote
from hub.sightings import Sighting
from hub.tries import Failure
from spoke.arn import FunctionArn
from spoke.clock import Clock
from spoke.credentials import SessionCredentials
from spoke.snapshot import FunctionSnapshot

__all__ = ["Clock", "Ledger", "Metrics", "Notifier", "Protection", "Queue", "Register", "Scanner", "Spoke"]


class Queue(Protocol):
    """One SQS queue and its dead-letter queue."""

    @property
    def source(self) -> Source:
        """Which of the two queues this is."""
        ...

    async def receive(self, limit: int, *, wait: float) -> Sequence[Message]:
        """Up to `limit` (1-10) messages; waits up to `wait` seconds (0-20) for the first. May come back empty early."""
        ...

    async def extend(self, messages: Sequence[Message], visibility: timedelta) -> Sequence[Message]:
        """Keep them invisible for `visibility` from now; returns those for which that failed (they are lost)."""
        ...

    async def give_back(self, message: Message, delay: timedelta) -> None:
        """Let it come again after `delay` (0-12 h). A message that is not ours any more is not an error."""
        ...

    async def delete(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Delete them; returns those for which that failed."""
        ...

    async def park(self, message: Message, parking: Parking) -> None:
        """Send it to the dead-letter queue with its attributes, then delete it here. In that order."""
        ...

    async def send(self, body: str, *, group: str) -> None:
        """Put a body of our own into the queue; `group` is the account, for SQS's fair queues."""
        ...

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Put (body, group) pairs into the queue, ten in a call; returns those that were not taken."""
        ...

    async def depth(self) -> Depth:
        """How much lies in it."""
        ...


class Ledger(Protocol):
    """Coverage, leases and summaries. Expiry is always checked on read."""

    async def look_up(self, keys: Collection[ScanKey]) -> Mapping[ScanKey, ScanRecord]:
        """What is known of these keys, in as few calls as possible; keys without an entry are left out."""
        ...

    async def claim(
        self, key: ScanKey, *, message_id: str, now: datetime, duration: timedelta, force: bool = False
    ) -> Claim:
        """Take the lease, unless somebody holds it or (without `force`) a fresh result is there."""
        ...

    async def renew(self, lease: Lease, *, now: datetime, duration: timedelta) -> Lease:
        """The lease, prolonged to `now + duration`.

        Raises:
            LeaseLost: It is not ours any more.
        """
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease up without a result. One that is not ours any more is left alone."""
        ...

    async def release_all(self, function: FunctionArn, *, message_id: str) -> None:
        """Give up every lease on any code of this function that was claimed for this message, by whichever worker."""
        ...

    async def commit(self, lease: Lease, summary: ScanSummary, coverage: Coverage, *, owed: Collection[Effect]) -> bool:
        """Store the summary, end the lease, note the effects owed, and set the coverage: all or nothing.

        A coverage older than the one stored (`as_of`) is left out; the summary is stored all the same.

        Returns:
            Whether the coverage was set.

        Raises:
            LeaseLost: It is not ours any more; nothing was stored.
        """
        ...

    async def mark_done(self, key: ScanKey, effects: Collection[Effect], *, scan_id: str) -> None:
        """These effects of that scan's result are not owed any more. Idempotent; a newer result is left alone."""
        ...

    async def note_failure(self, message_id: str, failure: Failure) -> Sequence[Failure]:
        """Write down that a try of this message failed; repeated for one attempt and reason it counts once.

        Returns:
            Every failure of this message so far, this one among them, oldest first.
        """
        ...

    async def announce(self, subject: str, *, now: datetime, quiet: timedelta) -> bool:
        """Whether it is for the caller to tell people of `subject`: nobody has asked within `quiet`.

        Each question prolongs the quiet, so that however many workers meet one fault, and however long it lasts, it is
        told once.
        """
        ...

    async def record(self, coverage: Coverage) -> bool:
        """Set a function's coverage, keeping its `last_good`, unless an entry with a newer `as_of` is there.

        Returns:
            Whether it was set.
        """
        ...

    async def coverage(self, function: FunctionArn) -> Coverage | None:
        """The state of one function."""
        ...

    def coverages(self) -> AsyncIterator[Coverage]:
        """The state of every function, in no order."""
        ...

    async def sight(self, sighting: Sighting) -> bool:
        """Note when its account and region was last heard of, unless an event as new is noted already.

        Returns:
            Whether it was noted.
        """
        ...

    def sightings(self) -> AsyncIterator[Sighting]:
        """When each account and region was last heard of, by account and region. May miss what was just noted."""
        ...


class Register(Protocol):
    """What the service writes down of itself, beside the ledger of functions; of sweeps see `hub.sweep.ports`."""

    async def know_account(self, account: str, *, now: datetime) -> None:
        """From now on the account is among `accounts()`; one that is known already stays as it is."""
        ...

    async def check_in(self, note: WorkerNote) -> None:
        """This worker is there, and how it is."""
        ...

    async def check_out(self, worker_id: str) -> None:
        """This worker has ended. One that is not known is no error."""
        ...

    def workers(self) -> AsyncIterator[WorkerNote]:
        """The workers that have checked in within the last day, and not out; `seen_at` tells which of them live."""
        ...

    async def pause(self, pause: Pause) -> None:
        """The service takes no work until `resume`. A pause before it is replaced."""
        ...

    async def resume(self) -> bool:
        """The service takes work again; returns whether it was paused."""
        ...

    async def paused(self) -> Pause | None:
        """Whether, by whom and why the service was paused; read consistently."""
        ...

    async def count_changes(self, day: ObjectiveDay) -> None:
        """Add these counts to those of the day; the target and the slowest become the larger of both."""
        ...

    def objective(self) -> AsyncIterator[ObjectiveDay]:
        """The days that are kept (400), the newest first; those without a change are left out."""
        ...


class Spoke(Protocol):
    """The member accounts, each through its own role."""

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        """GetFunction.

        Raises:
            Gone: There is no such function.
            NoAccess: The role cannot be assumed or may not read it.
        """
        ...

    async def scan_credentials(self, snapshot: FunctionSnapshot) -> SessionCredentials:
        """A session of its own for one scan, narrowed to this one function.

        Raises:
            NoAccess: The role cannot be assumed.
        """
        ...

    async def tag(self, function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None) -> bool:
        """Write the tags that differ from those `present` (None: unknown, write all).

        Returns:
            Whether a call was made.

        Raises:
            Gone: There is no such function.
            NoAccess: The role may not tag it.
        """
        ...


class Scanner(Protocol):
    """The scanner binary."""

    @property
    def profile(self) -> ScanProfile:
        """Engine, version, mode and scan types in force."""
        ...

    def scan(self, snapshot: FunctionSnapshot, credentials: SessionCredentials) -> AbstractAsyncContextManager[Scanned]:
        """Scan one function. The files live until the context is left; cancelling kills the whole process group.

        Raises:
            Retry, Unreadable, NoAccess, Gone, QualysFault, HostFault, Misconfigured: By exit code; see `spoke.errors`.
        """
        ...


class Notifier(Protocol):
    """The topic that people subscribe to."""

    async def notify(self, notification: Notification) -> None:
        """Publish one message."""
        ...


class Metrics(Protocol):
    """Figures that leave as CloudWatch embedded metrics: no call, no wait."""

    def emit(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], **properties: str) -> None:
        """Write one set of figures. Names and units are in `hub.metric_table`."""
        ...


class Protection(Protocol):
    """Whether the platform may end this process to scale in or to deploy."""

    async def protect(self, span: timedelta) -> None:
        """Not for the next `span` (whole minutes, at least one); asked again, it counts from then."""
        ...

    async def release(self) -> None:
        """It may."""
        ...
