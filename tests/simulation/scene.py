"""What every check may look at: the raw stores, the truth, and in what state each worker's machine is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spoke.arn import FunctionArn
from tests.simulation.line import Line
from tests.simulation.loop import Host, HostState
from tests.simulation.plan import Plan, Sending
from tests.simulation.trace import Trace
from tests.simulation.truth import EXCLUDED_TAG, START, Function, Organization

Item = Mapping[str, Any]

GRACE = 20.0
"""Seconds in which a worker that was told something must have acted on it: the scanner's own end takes up to ten."""


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold."""

    invariant: int
    text: str

    def __str__(self) -> str:
        return f"invariant {self.invariant}: {self.text}"


@dataclass(slots=True)
class Letter:
    """One message as its sender knows it.

    Attributes:
        id: SQS's.
        sending: What it was meant to say.
        function: The one it names.
        sent_at: Second.
        content: The fingerprint that an event's own body tells.
        ending: How it left the queue: "stored", "covered", "ignored", "excluded", "gone", "coalesced", "parked".
        into: With "coalesced": the message.
    """

    id: str
    sending: Sending
    function: Function
    sent_at: float
    content: str | None = None
    ending: str = ""
    into: str = ""


@dataclass(slots=True)
class Machine:
    """One worker's process, as the world sees it.

    Attributes:
        host: Where it runs.
        line: Its wire.
        started_at: Second.
        stopped_at: When it was told to stop, if it was.
        thawed_at: When it last went on after a stall.
        ended_at: When it was gone, however.
    """

    host: Host
    line: Line
    started_at: float
    stopped_at: float | None = None
    thawed_at: float = float("-inf")
    ended_at: float | None = None

    @property
    def is_alive(self) -> bool:
        return self.ended_at is None

    @property
    def is_frozen(self) -> bool:
        return self.host.state is HostState.FROZEN

    def untroubled_since(self, second: float) -> bool:
        """Whether it lives, runs, and nothing has gone wrong with it or its wire from then on."""
        return (
            self.is_alive
            and self.host.state is HostState.RUNNING
            and not self.line.is_cut
            and self.thawed_at < second
            and self.line.troubled_until < second
        )


@dataclass(slots=True)
class Run:
    """One run of the scanner binary.

    Attributes:
        worker: Whose process started it.
        function: The one it was told to scan.
        content: The fingerprint of the snapshot that it was given.
        session: The access key that it was given.
        started_at: Second.
        owner: Of the lease under which it was begun.
        message: For whose sake.
        ended_at: None while it runs.
        marker: The code that it really read.
    """

    worker: str
    function: FunctionArn
    content: str
    session: str
    started_at: float
    owner: str = ""
    message: str = ""
    ended_at: float | None = None
    marker: str | None = None

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


@dataclass(slots=True)
class Scene:
    """The world as the checks see it.

    Attributes:
        plan: Of the run.
        trace: Of the run.
        time: The true time.
        organization: The truth.
        items: The ledger's raw items.
        objects: The bucket: content by key.
        queued: The message if it is in a queue: its receipt handle and the moment from which it is visible.
        later: Calls something back after so many seconds, whatever the workers do.
        letters: Every message ever sent, by id.
        machines: The newest process of each worker's name.
        runs: Every run of the scanner, oldest first.
        violation: The first.
    """

    plan: Plan
    trace: Trace
    time: Callable[[], float]
    organization: Organization
    items: Mapping[Any, Item]
    objects: Callable[[str], bytes | None]
    queued: Callable[[str], tuple[str, float] | None]
    later: Callable[[float, Callable[[], None]], object]
    on_violation: Callable[[], None]
    letters: dict[str, Letter] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    running: list[Run] = field(default_factory=list)
    violation: Violation | None = None

    def violated(self, invariant: int, text: str) -> None:
        """An invariant does not hold. The first one is kept; the run ends."""
        if self.violation is None:
            self.violation = Violation(invariant, text)
            self.trace.note("oracle", "VIOLATION", str(self.violation))
            self.on_violation()

    def item(self, pk: str, sk: str) -> Item | None:
        return next((item for key, item in self.items.items() if (key.pk, key.sk) == (pk, sk)), None)

    def scan_items(self, function: FunctionArn) -> dict[str, Item]:
        """The items of a function's scan keys, by fingerprint."""
        pk = f"function#{function}"
        return {
            key.sk.split("#")[1]: item
            for key, item in self.items.items()
            if key.pk == pk and key.sk.startswith("scan#")
        }

    def state(self, function: FunctionArn) -> Item | None:
        return self.item(f"function#{function}", "state")

    def document(self, key: str) -> Item:
        """A JSON object in the bucket; empty if it is not there."""
        document: Item = json.loads(self.objects(key) or b"{}")
        return document

    def is_never_scanned(self, function: FunctionArn) -> bool:
        """By its name, as every plan sets it, or by its account."""
        return function.name.startswith("scratch-") or function.account == self.plan.excluded_account

    def is_excluded(self, function: Function) -> bool:
        """By its name, its account or its tag."""
        return self.is_never_scanned(function.arn) or EXCLUDED_TAG in function.tags

    def is_durable(self, item: Item) -> bool:
        """Whether it holds a result whose commit mark is in the bucket, too."""
        summary = item.get("summary")
        if summary is None or summary["status"] == "failed":
            return False
        return self.objects(summary["manifestKey"]) is not None


def second_of(milliseconds: float) -> float:
    """The second of virtual time of a moment in an item."""
    return milliseconds / 1000 - START.timestamp()
