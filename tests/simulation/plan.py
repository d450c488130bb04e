"""What one seed decides before anything runs: who is there, what happens when, and what goes wrong."""

from dataclasses import dataclass

from spoke.arn import FunctionArn

REGIONS = ("eu-central-1", "us-east-1")

ACCOUNTS = ("210000000001", "210000000002", "210000000003")

EXCLUDED_NAMES = "scratch-*"

RETRY_HOURS = 1
"""`SWEEP_RETRY_HOURS`."""

AGED_AT = 400.0
"""The second at which results that are "ageing" are not good any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPlan:
    """One function of the organization; see `tests.simulation.truth.Function`.

    Attributes:
        ledger: What is known of it at the start: "", "fresh", "ageing" (until `AGED_AT`), "old", or "failed": the last
            try came to nothing.
        exists: Whether it is there at the start.
    """

    arn: FunctionArn
    layers: tuple[str, ...] = ()
    is_image: bool = False
    unreadable: bool = False
    never_ready: bool = False
    excluded_by_tag: bool = False
    scan: str = ""
    ledger: str = ""
    exists: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One message that enters a queue.

    Attributes:
        kind: "event", "request", "malformed", "mismatch", "failed call" or "tagging".
        function: Its index.
        call: Of an event.
        about: The second of which it speaks.
        queue: "changes" or "sweep".
        force: Of a request.
        variant: Which body, where there are several.
    """

    kind: str
    function: int
    call: str = ""
    about: float = 0.0
    queue: str = "changes"
    force: bool = False
    variant: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happens to a function itself.

    Attributes:
        function: Its index.
        call: "create", "update", "config" or "delete".
        label: The code that it has from then on; None when it is deleted.
        pending: Seconds for which it is not ready.
    """

    function: int
    call: str
    label: str | None
    pending: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something goes wrong.

    Attributes:
        kind: "kill", "stop", "stall", "cut", "deny", "throttle", "qualys", "token", "ledger", "objects", "notifier",
            "queue", "redeliver", "undelete", "pause", "unlist" or "sweep".
        target: The worker's index or the account's; else 0.
        seconds: For how long; of a sweep, until it is killed (0: it is not).
        variant: Free for the kind: turns until a kill, signals of a stop, sweeps at once, the region's index.
    """

    kind: str
    target: int = 0
    seconds: float = 0.0
    variant: int = 0


Happening = Sending | Change | Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Shares of calls, or of scans, that go wrong in one way each."""

    slow: float = 0.0
    throttled: float = 0.0
    request_lost: float = 0.0
    answer_lost: float = 0.0
    killed: float = 0.0
    partial_batch: float = 0.0
    early_empty: float = 0.0
    redelivered: float = 0.0
    scan_fails: float = 0.0
    late_end: float = 0.0
    held_up: float = 0.0

    @property
    def any(self) -> bool:
        """Whether anything goes wrong by chance."""
        return any(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is decided beforehand.

    Attributes:
        seed: Of this and of what chance decides on the way.
        theme: For the reader.
        skews: Of each worker's clock, in seconds; as many as there are workers.
        slots: `MAX_CONCURRENT_SCANS`.
        cap: `MAX_SCANS_PER_ACCOUNT`, or None.
        visibility: `VISIBILITY_TIMEOUT`.
        lease: `LEASE_DURATION`.
        drain: `DRAIN_TIMEOUT`.
        scan_timeout: `SCAN_TIMEOUT`.
        pace: Scales how long scans take.
        sweeps: Whether there is a sweep queue.
        is_swept: Whether sweeps run, and one at the end of all: then everything must be known.
        sweep_pace: `SWEEP_PER_MINUTE`.
        excluded_account: The one in `EXCLUDE_ACCOUNTS`, if there is one; else empty.
        functions: Of the organization.
        happenings: By second of virtual time, in order.
        rates: Of what goes wrong by chance.
        calm_from: From then on nothing goes wrong any more.
    """

    seed: int
    theme: str
    skews: tuple[float, ...]
    slots: int
    cap: int | None
    visibility: int
    lease: int
    drain: int
    scan_timeout: int
    pace: float
    sweeps: bool
    is_swept: bool
    sweep_pace: int
    excluded_account: str
    functions: tuple[FunctionPlan, ...]
    happenings: tuple[tuple[float, Happening], ...]
    rates: Rates
    calm_from: float

    @property
    def cap_in_force(self) -> int:
        """As the documents have it: three quarters of the slots, rounded up, if not set."""
        return self.cap if self.cap is not None else self.slots - self.slots // 4
