"""What one seed decides before anything runs: who is there, what happens when, and what goes wrong."""

from dataclasses import dataclass, field
from random import Random

from spoke.arn import FunctionArn

REGIONS = ("eu-central-1", "us-east-1")
ACCOUNTS = ("210000000001", "210000000002", "210000000003")
LAYER = "arn:aws:lambda:{region}:{account}:layer:shared:{number}"
EXCLUDED_NAMES = "scratch-*"

RETRY_HOURS = 1
"""`SWEEP_RETRY_HOURS`."""

HARMFUL = (("", 0.21), ("crash", 0.25), ("kill", 0.27), ("fault", 0.29))
"""What the scanner makes of a function each time, each up to a share; the rest are sound."""

LOST = {"calm": 0.0, "silence": 1.0, "halves": 0.5}
"""Share of events that never arrive, where it is not the usual one."""

SWEPT = 0.3
"""Share of the other plans in which sweeps run."""

MANY = 70
"""Requests of a storm: enough to show whether GetFunction is asked without measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPlan:
    """One function of the organization; see `tests.simulation.truth.Function`.

    Attributes:
        ledger: What is known of it at the start: "", "fresh" or "old".
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
            "queue", "redeliver", "undelete", "pause" or "sweep".
        target: The worker's index or the account's; else 0.
        seconds: For how long; of a sweep, until it is killed (0: it is not).
        variant: Free for the kind: turns until a kill, signals of a stop, sweeps at once.
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


THEMES = (
    ("calm", 6),
    ("storm", 2),
    ("crowd", 8),
    ("network", 16),
    ("deaths", 14),
    ("stops", 10),
    ("stalls", 8),
    ("qualys", 10),
    ("accounts", 8),
    ("changes", 8),
    ("silence", 6),
    ("halves", 10),
    ("everything", 18),
)
"""Each with its weight. A theme decides which families of faults there are."""


@dataclass(slots=True)
class _Draft:
    """A plan in the making."""

    rng: Random
    theme: str
    functions: list[FunctionPlan] = field(default_factory=list)
    happenings: list[tuple[float, Happening]] = field(default_factory=list)
    span: float = 0.0
    sweeps: bool = False
    is_swept: bool = False
    workers: int = 1
    calm_from: float = 0.0

    def has(self, family: str, chance: float) -> bool:
        """Whether this family of faults is in this plan."""
        if self.theme == family:
            return True
        return self.theme == "everything" and self.rng.random() < chance

    def add(self, second: float, happening: Happening) -> None:
        self.happenings.append((round(second, 3), happening))

    def trouble(self, second: float, trouble: Trouble) -> None:
        self.add(second, trouble)
        self.calm_from = max(self.calm_from, second + trouble.seconds)


def plan(seed: int) -> Plan:
    """The plan of a seed; the same one each time."""
    rng = Random(f"plan {seed}")  # noqa: S311  # repeatable on purpose
    theme = rng.choices([name for name, _ in THEMES], [weight for _, weight in THEMES])[0]
    slots = rng.choice((1, 2, 2, 3, 4, 6)) if theme != "storm" else 6
    span, sweeps = rng.uniform(300, 2400), rng.random() < 0.4
    draft = _Draft(rng, theme, span=span, sweeps=sweeps, workers=rng.choice((1, 2, 2, 3, 4)))
    if theme == "storm":
        draft.workers = 1
    draft.calm_from = draft.span
    draft.is_swept = theme in {"silence", "halves"} or (theme != "storm" and rng.random() < SWEPT)
    draft.sweeps |= draft.is_swept
    _people(draft)
    for index in range(len(draft.functions)):
        _life(draft, index)
    _requests(draft)
    _oddities(draft)
    _weather(draft)
    _accidents(draft)
    _sweeps(draft)
    return Plan(
        seed=seed,
        theme=theme,
        skews=tuple(round(rng.uniform(-3, 3), 3) if rng.random() < 0.8 else 0.0 for _ in range(draft.workers)),
        slots=slots,
        cap=rng.randint(1, slots) if rng.random() < 0.4 else None,
        visibility=rng.choice((30, 60, 120, 120, 300, 900)),
        lease=rng.choice((30, 60, 180, 180, 600)),
        drain=rng.choice((0, 20, 110, 110, 600)),
        scan_timeout=rng.choice((300, 900, 900, 3600)),
        pace=4.0 if theme == "changes" else rng.choice((0.2, 1.0, 1.0, 4.0)),
        sweeps=draft.sweeps,
        is_swept=draft.is_swept,
        sweep_pace=rng.choice((0, 6, 6, 600)),
        excluded_account=rng.choice(ACCOUNTS) if theme != "storm" and rng.random() < 0.06 else "",
        functions=tuple(draft.functions),
        happenings=tuple(sorted(draft.happenings, key=lambda one: one[0])),
        rates=_rates(draft),
        calm_from=round(max(draft.calm_from, *(second for second, _ in draft.happenings)) + 1, 3),
    )


def _people(draft: _Draft) -> None:
    rng = draft.rng
    accounts = ACCOUNTS[: rng.choice((1, 2, 3)) if draft.theme != "storm" else 1]
    # Of more than ten a sweep sends some later: much may happen between its look and its word.
    counts = {"crowd": rng.randint(8, 16), "accounts": rng.randint(6, 14), "storm": 6, "halves": rng.randint(6, 20)}
    count = counts.get(draft.theme, rng.randint(1, 8))
    # A crowd of one account shows whether it leaves room to the others.
    favourite = rng.choice(accounts)
    odd = draft.theme in {"everything", "crowd", "deaths"}
    for number in range(count):
        account = favourite if rng.random() < 0.6 else rng.choice(accounts)
        region = REGIONS[0] if rng.random() < 0.8 or draft.theme == "storm" else REGIONS[1]
        kind = rng.random() if odd else 1.0
        arn = FunctionArn("aws", region, account, f"{'scratch' if 0.05 < kind < 0.1 else 'orders'}-{number}")
        draft.functions.append(
            FunctionPlan(
                arn=arn,
                layers=tuple(
                    LAYER.format(region=region, account=account, number=one)
                    for one in range(rng.choice((0, 0, 0, 1, 2)))
                ),
                is_image=rng.random() < 0.2,
                excluded_by_tag=0.1 < kind < 0.15,
                unreadable=0.15 < kind < 0.18,
                never_ready=0.18 < kind < 0.21,
                scan=next((scan for scan, most in HARMFUL if kind < most), ""),
                ledger="fresh" if draft.theme == "storm" else rng.choice(("", "", "", "fresh", "old")),
                exists=draft.theme == "storm" or rng.random() < 0.75,
            )
        )


def _life(draft: _Draft, index: int) -> None:
    """What happens to one function, and the events that tell of it."""
    rng, function = draft.rng, draft.functions[index]
    if draft.theme == "storm":
        return
    exists, number, second = function.exists, 0, rng.uniform(0, draft.span / 2)
    label = f"{function.arn.name}-0"
    older: list[str] = [label, label]
    # A function that is deployed again and again, faster than it can be scanned.
    busy = draft.theme == "changes" and rng.random() < 0.4
    for _ in range(rng.randint(6, 12) if busy else rng.randint(1, 2)):
        if not exists:
            call, number = "create", number + 1
            label, exists = f"{function.arn.name}-{number}", True
        else:
            call = rng.choices(("update", "config", "delete"), (7, 2, 1.5))[0]
            if call == "update":
                number += 1
                # A roll-back brings content that was there before.
                is_back = rng.random() < (0.5 if busy else 0.15)
                label = rng.choice(older[-2:-1] if busy else older) if is_back else f"{function.arn.name}-{number}"
            elif call == "delete":
                exists = False
        older.append(label)
        pending = rng.uniform(1, 90) if rng.random() < 0.2 else 0.0
        draft.add(second, Change(function=index, call=call, label=label if exists else None, pending=pending))
        if not busy or not exists or rng.random() < 0.4:
            _told(draft, second, index, call)
        # Close together often enough that a scan is under way when the next one comes.
        gaps = (rng.uniform(0.5, 20), rng.uniform(20, 200), rng.uniform(0, draft.span))
        second += rng.uniform(10, 90) if busy else rng.choice(gaps)
    draft.calm_from = max(draft.calm_from, second)


def _told(draft: _Draft, second: float, index: int, call: str) -> None:
    rng = draft.rng
    if rng.random() < LOST.get(draft.theme, 0.06):
        return  # lost: delivery by CloudTrail is best effort
    for _ in range(1 + (rng.random() < 0.15) + (rng.random() < 0.05)):
        late = rng.uniform(60, 1500) if rng.random() < 0.12 else rng.uniform(0.3, 8)
        draft.add(second + late, Sending(kind="event", function=index, call=call, about=second))


def _requests(draft: _Draft) -> None:
    rng = draft.rng
    if draft.theme == "silence":
        return
    count = len(draft.functions)
    for _ in range(MANY if draft.theme == "storm" else rng.choice((0, 1, 1, 2, 4))):
        second = rng.uniform(10, 14) if draft.theme == "storm" else rng.uniform(0, draft.span)
        force = draft.theme != "storm" and rng.random() < 0.4
        draft.add(second, Sending(kind="request", function=rng.randrange(count), about=second, force=force))
    if draft.sweeps:
        second = rng.uniform(0, draft.span)
        for index in range(count):
            if rng.random() < 0.7:
                draft.add(second, Sending(kind="request", function=index, about=second, queue="sweep"))


def _oddities(draft: _Draft) -> None:
    rng = draft.rng
    for kind in ("malformed", "mismatch", "failed call", "tagging"):
        if rng.random() < 0.15:
            second = rng.uniform(0, draft.span)
            index = rng.randrange(len(draft.functions))
            draft.add(second, Sending(kind=kind, function=index, about=second, variant=rng.randrange(5)))


def _weather(draft: _Draft) -> None:
    """What concerns many at once, for a while."""
    rng = draft.rng
    if draft.has("qualys", 0.15):
        kind = rng.choice(("qualys", "token"))
        draft.trouble(rng.uniform(0, 600), Trouble(kind=kind, seconds=rng.uniform(300, 4200)))
    if draft.has("accounts", 0.2):
        for _ in range(rng.randint(1, 2)):
            kind = rng.choice(("deny", "throttle"))
            target = ACCOUNTS.index(rng.choice(draft.functions).arn.account)
            draft.trouble(rng.uniform(0, draft.span), Trouble(kind=kind, target=target, seconds=rng.uniform(60, 3000)))
    if draft.has("network", 0.2):
        for kind in ("ledger", "objects", "notifier", "queue"):
            if rng.random() < 0.25:
                draft.trouble(rng.uniform(0, draft.span), Trouble(kind=kind, seconds=rng.uniform(5, 500)))


def _accidents(draft: _Draft) -> None:
    """What befalls one worker, or one message."""
    rng = draft.rng

    def some(kind: str, most: int, longest: float, *, shortest: float = 0.0, variants: int = 1) -> None:
        for _ in range(rng.randint(1, most)):
            draft.trouble(
                rng.uniform(0, draft.span),
                Trouble(
                    kind=kind,
                    target=rng.randrange(draft.workers),
                    seconds=rng.uniform(shortest, longest),
                    variant=rng.randrange(variants),
                ),
            )

    if draft.has("deaths", 0.3):
        some("kill", 4, 0.0, variants=60)
    if draft.has("stops", 0.3):
        some("stop", 4, 0.0, variants=4)
    if draft.has("stalls", 0.25):
        some("stall", 3, 1500.0, shortest=1.0)
    if draft.has("network", 0.2):
        some("cut", 2, 900.0, shortest=1.0)
    if draft.theme != "calm" and rng.random() < 0.3:
        some("redeliver", 4, 0.0)
    if draft.theme != "calm" and rng.random() < 0.2:
        some("undelete", 3, 0.0)


def _sweeps(draft: _Draft) -> None:
    """Sweeps now and then, and somebody who pauses the service."""
    rng = draft.rng
    for _ in range(rng.choice((0, 1, 1, 2, 3)) if draft.is_swept else 0):
        is_killed = draft.theme != "calm" and rng.random() < 0.35
        draft.trouble(
            rng.uniform(0, draft.span),
            Trouble(
                kind="sweep",
                seconds=rng.choice((rng.uniform(0.01, 1.0), rng.uniform(0.5, 20))) if is_killed else 0.0,
                variant=rng.choice((1, 1, 2)),
            ),
        )
    if draft.theme not in {"calm", "storm"} and rng.random() < 0.15:
        draft.trouble(rng.uniform(0, draft.span), Trouble(kind="pause", seconds=rng.uniform(5, 1500)))


def _rates(draft: _Draft) -> Rates:
    rng = draft.rng
    if draft.theme in {"calm", "storm", "crowd"}:
        return Rates()
    network = draft.has("network", 0.35)

    def share(most: float) -> float:
        return rng.choice((0.0, most / 5, most)) if network else 0.0

    return Rates(
        slow=share(0.1),
        throttled=share(0.05),
        request_lost=share(0.05),
        answer_lost=share(0.08),
        partial_batch=share(0.1),
        early_empty=share(0.1),
        killed=0.004 if draft.has("deaths", 0.2) else 0.0,
        redelivered=0.02 if draft.has("network", 0.2) else 0.0,
        scan_fails=rng.choice((0.0, 0.1, 0.3)) if draft.theme != "qualys" else 0.0,
        late_end=rng.choice((0.0, 0.3)),
    )
