"""One seed, from its plan to its verdict."""

import asyncio
import random
import secrets
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from unittest import mock

import structlog
from pydantic import SecretStr

from hub.coverage import Coverage, CoverageState
from hub.message import Source
from hub.results import Results
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import Claimed, ScanKey, ScanStatus
from hub.settings import Settings
from tests.simulation import bodies
from tests.simulation.fleet import Grounds, Worker
from tests.simulation.line import Weather
from tests.simulation.loop import Livelock, SimulationLoop
from tests.simulation.oracle import Oracle
from tests.simulation.plan import ACCOUNTS, EXCLUDED_NAMES, Change, FunctionPlan, Plan, Sending, Trouble, plan
from tests.simulation.scanner import PROFILE, Qualys
from tests.simulation.scene import Item, Letter, Scene, Violation
from tests.simulation.shared import Bell, RestlessQueue, WatchedItems
from tests.simulation.trace import Trace
from tests.simulation.truth import EXCLUDED_TAG, Function, Organization, Version, code_hash, moment
from worker.memory.artifacts import artifacts_of, sarif, scan_result
from worker.memory.clock import START, LoopClock
from worker.memory.ledger import MemoryLedger
from worker.memory.notifier import MemoryNotifier
from worker.memory.objects import MemoryObjects

BEFORE = 300.0
"""Seconds before the start at which the functions came to be that exist then."""

REST = 90.0
"""Seconds after which nothing is under way any more."""

LOOK = 15.0
"""Seconds between two looks at whether the queues are empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one seed.

    Attributes:
        seed: The seed.
        theme: Of its plan.
        violation: The first invariant that did not hold; None if all did.
        counts: How often each kind of thing happened.
        virtual: Seconds of virtual time.
        turns: Callbacks that were run.
        trace: Everything that happened.
    """

    seed: int
    theme: str
    violation: Violation | None
    counts: Counter[str]
    virtual: float
    turns: int
    trace: Trace = field(repr=False)


def run(seed: int) -> Outcome:
    """Run one seed. The same seed does the same each time, in each process."""
    return run_plan(plan(seed))


def run_plan(decided: Plan) -> Outcome:
    """Run a plan."""
    with _quiet(), _seeded(decided.seed):
        loop = SimulationLoop()  # type: ignore[abstract]  # it has what asyncio asks of a loop without sockets
        simulation = Simulation(decided, loop)
        try:
            loop.run(simulation.main())
        except Livelock as stuck:
            simulation.scene.violated(7, str(stuck))
        finally:
            simulation.close()
            loop.dismantle([host for worker in simulation.workers for host in worker.hosts])
    if simulation.strays:
        simulation.scene.violated(0, f"an error that nobody took: {simulation.strays[0]}")
    return Outcome(
        seed=decided.seed,
        theme=decided.theme,
        violation=simulation.scene.violation,
        counts=simulation.trace.counts,
        virtual=loop.time(),
        turns=loop.turns,
        trace=simulation.trace,
    )


class Simulation:
    """The world of one plan.

    Args:
        decided: The plan.
        loop: On which it all runs.
    """

    def __init__(self, decided: Plan, loop: SimulationLoop) -> None:
        self.plan = decided
        self.loop = loop
        self.trace = Trace(loop.time)
        self.strays: list[str] = []
        self._rng = Random(f"world {decided.seed}")  # noqa: S311  # repeatable on purpose
        self._world = copy_context()
        self._over = loop.create_future()
        self._weather = Weather()
        self._organization = Organization(self._rng)
        self._qualys = Qualys()
        self._objects = MemoryObjects()
        self._ledger = MemoryLedger()
        clock, bell = LoopClock(START), Bell()
        sources = [Source.CHANGES] + ([Source.SWEEP] if decided.sweeps else [])
        self._queues = {
            source: RestlessQueue(
                source=source, clock=clock, visibility=timedelta(seconds=decided.visibility), rng=self._rng, bell=bell
            )
            for source in sources
        }
        items = WatchedItems(self._item_written)
        self._ledger.items = items
        self.scene = Scene(
            plan=decided,
            trace=self.trace,
            time=loop.time,
            organization=self._organization,
            items=items,
            objects=self._object,
            queued=self._queued,
            later=lambda seconds, act: loop.call_later(seconds, act, context=self._world),
            on_violation=self._end,
        )
        self._oracle = Oracle(self.scene)
        grounds = Grounds(
            plan=decided,
            settings=_settings(decided),
            loop=loop,
            world=self._world,
            weather=self._weather,
            organization=self._organization,
            qualys=self._qualys,
            queues=self._queues,
            ledger=self._ledger,
            objects=self._objects,
            notifier=MemoryNotifier(),
            bell=bell,
            oracle=self._oracle,
        )
        self.workers = [
            Worker(f"w{number}", skew, grounds, Random(f"worker {decided.seed} {number}"))  # noqa: S311  # as above
            for number, skew in enumerate(decided.skews, 1)
        ]

    async def main(self) -> None:
        """Everything that happens, until all is quiet again and every worker has ended."""
        for function in self.plan.functions:
            await self._settle_in(function)
        for number, worker in enumerate(self.workers):
            self.loop.call_later(0.3 * number, worker.start, context=self._world)
        for second, happening in self.plan.happenings:
            self.loop.call_at(second, self._happen, happening, context=self._world)
        await self._passed(self.plan.calm_from)
        self._weather.calm = True
        self.trace.note("world", "is calm")
        bound = self.plan.calm_from + self._patience()
        while not self._over.done() and any(queue.messages for queue in self._queues.values()):
            if self.loop.time() > bound:
                left = [one.id for queue in self._queues.values() for one in queue.messages]
                self.scene.violated(7, f"{len(left)} messages are left long after the last fault: {left[:3]}")
            await self._passed(self.loop.time() + LOOK)
        await self._passed(self.loop.time() + REST)
        if not self._over.done():
            self._oracle.finished()
        await self._stop_all()
        self.strays = list(self.loop.strays)

    def close(self) -> None:
        """Nothing more is seen or done; what is left may end."""
        self._end()
        for worker in self.workers:
            worker.retire()
            if worker.machine is not None:
                worker.machine.line.is_over = True

    async def _stop_all(self) -> None:
        for worker in self.workers:
            worker.retire()
            worker.stop()
        deadline = self.loop.time() + self.plan.drain + 90
        while not self._over.done() and any(worker.machine is not None for worker in self.workers):
            if self.loop.time() > deadline:
                self.scene.violated(7, "a worker that has nothing to do does not stop")
            await self._passed(self.loop.time() + 1)

    def _patience(self) -> float:
        """Within so many seconds after the last fault everything must have ended."""
        scans = len(self.plan.happenings) * 60 * self.plan.pace / (len(self.workers) * self.plan.slots)
        return 4 * 3600 + 2 * self.plan.scan_timeout + scans

    async def _passed(self, second: float) -> None:
        """Wait until then, or until it is over."""
        if not self._over.done():
            await asyncio.wait([self._over], timeout=max(0.0, second - self.loop.time()))

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def _item_written(self, pk: str, sk: str, before: Item, after: Item) -> None:
        self._oracle.item_written(pk, sk, before, after)

    def _object(self, key: str) -> bytes | None:
        stored = self._objects.stored.get(key)
        return None if stored is None else stored.data

    def _queued(self, message_id: str) -> tuple[str, float] | None:
        for queue in self._queues.values():
            for one in queue.messages:
                if one.id == message_id:
                    return one.receipt_handle, (one.visible_at - START).total_seconds()
        return None

    async def _settle_in(self, function: FunctionPlan) -> None:
        """A function as it is at the start, and what is known of it."""
        label = f"{function.arn.name}-0"
        truth = Function(
            arn=function.arn,
            layers=function.layers,
            is_image=function.is_image,
            unreadable=function.unreadable,
            never_ready=function.never_ready,
            tags={EXCLUDED_TAG: "true"} if function.excluded_by_tag else {},
            scan=function.scan,
            history=[Version(-BEFORE, label if function.exists else None, moment(-BEFORE))],
        )
        self._organization.functions[function.arn] = truth
        if not function.ledger or not function.exists:
            return
        scanned_at = moment(0) - timedelta(days=40 if function.ledger == "old" else 1)
        snapshot = self._organization.describe(function.arn, 0.0)
        key = ScanKey(function.arn, snapshot.fingerprint, PROFILE.id)
        claim = await self._ledger.claim(key, message_id="before", now=scanned_at, duration=timedelta(minutes=3))
        if not isinstance(claim, Claimed):
            raise RuntimeError("nobody else is there")  # noqa: TRY004  # no argument has a wrong type
        summary = await Results(self._objects, now=lambda: scanned_at).store(
            snapshot=snapshot,
            profile=PROFILE,
            scan_id=f"{scanned_at:%Y%m%dT%H%M%S}000Z-00000000",
            scanned=Scanned(
                status=ScanStatus.SUCCESS,
                exit_code=0,
                started_at=scanned_at,
                finished_at=scanned_at,
                artifacts=_artifacts(label),
            ),
            ttl=timedelta(days=30),
        )
        coverage = Coverage(
            function=function.arn,
            state=CoverageState.COVERED,
            at=scanned_at,
            as_of=snapshot.last_modified,
            fingerprint=snapshot.fingerprint,
        )
        await self._ledger.commit(claim.lease, summary, coverage, owed=())

    def _happen(self, happening: Sending | Change | Trouble) -> None:
        if self._over.done():
            return
        if isinstance(happening, Sending):
            self.loop.create_task(self._send(happening))
        elif isinstance(happening, Change):
            self._change(happening)
        else:
            self.trace.note("world", "trouble", happening.kind, happening.target, round(happening.seconds, 3))
            self.trace.count(f"trouble: {happening.kind}")
            self._befall(happening)

    async def _send(self, sending: Sending) -> None:
        function = self._organization.functions[self.plan.functions[sending.function].arn]
        queue = self._queues[Source(sending.queue)]
        content, body = _body(sending, function)
        await queue.send(body, group=function.arn.account)
        message_id = queue.messages[-1].id
        self.scene.letters[message_id] = Letter(message_id, sending, function, self.loop.time(), content)
        self.trace.note("world", "sends", sending.kind, sending.call, function.arn.name, message_id)
        self.trace.count(f"sent: {sending.kind} {sending.call}".rstrip())

    def _change(self, change: Change) -> None:
        now = self.loop.time()
        function = self._organization.functions[self.plan.functions[change.function].arn]
        self.trace.note("world", change.call, function.arn.name, change.label)
        if change.call == "create":
            function.tags = {key: value for key, value in function.tags.items() if key == EXCLUDED_TAG}
        function.history.append(Version(now, change.label, moment(now), now + change.pending))

    def _befall(self, trouble: Trouble) -> None:
        kind = trouble.kind
        worker = self.workers[trouble.target % len(self.workers)]
        if kind == "kill":
            # Not only between calls: in the middle of whatever it does.
            self.loop.after_turns(trouble.variant, lambda: worker.kill("from outside"))
        elif kind == "stop":
            worker.stop(signals=2 if trouble.variant == 0 else 1)
        elif kind == "stall":
            worker.stall(trouble.seconds)
        elif kind == "cut":
            worker.cut(trouble.seconds)
        elif kind in {"redeliver", "undelete"}:
            self._whim(kind)
        else:
            undo = self._bad_weather(trouble)
            self.loop.call_later(trouble.seconds, undo, context=self._world)

    def _bad_weather(self, trouble: Trouble) -> Callable[[], object]:
        account = ACCOUNTS[trouble.target % len(ACCOUNTS)]
        organization, qualys, outages = self._organization, self._qualys, self._oracle.outages

        def qualys_back() -> None:
            qualys.away = False
            outages.ceased()

        def renewed() -> None:
            qualys.secret = qualys.token
            outages.ceased()

        if trouble.kind == "deny":
            organization.denied.add(account)
            return lambda: organization.denied.discard(account)
        if trouble.kind == "throttle":
            organization.throttled[account] = 0.8
            return lambda: organization.throttled.pop(account, None)
        if trouble.kind == "qualys":
            qualys.away = True
            outages.began()
            return qualys_back
        if trouble.kind == "token":
            qualys.token += 1
            outages.began()
            return renewed
        self._weather.away.add(trouble.kind)
        return lambda: self._weather.away.discard(trouble.kind)

    def _whim(self, kind: str) -> None:
        """SQS delivers at least once."""
        queue = self._rng.choice(list(self._queues.values()))
        if kind == "redeliver" and queue.messages:
            message_id = self._rng.choice(sorted(one.id for one in queue.messages))
            self._oracle.whim(message_id)
            queue.deliver_again(message_id)
        elif kind == "undelete" and queue.deleted:
            message_id = self._rng.choice(queue.deleted)
            self._oracle.whim(message_id)
            self.scene.letters[message_id].ending = ""
            queue.deliver_deleted(message_id)


def _body(sending: Sending, function: Function) -> tuple[str | None, str]:
    """The fingerprint that the body tells, if it does, and the body."""
    arn, about = function.arn, moment(sending.about)
    if sending.kind == "request":
        return None, bodies.request(arn, reason="sweep" if sending.queue == "sweep" else "manual", force=sending.force)
    if sending.kind == "malformed":
        return None, bodies.MALFORMED[sending.variant % len(bodies.MALFORMED)]
    if sending.kind == "failed call":
        return None, bodies.failed_call(arn, at=about)
    if sending.kind == "tagging":
        return None, bodies.tagging(arn, at=about, own=sending.variant % 2 == 0)
    label = function.label_at(sending.about)
    if sending.kind == "mismatch":
        other = ACCOUNTS[(ACCOUNTS.index(arn.account) + 1) % len(ACCOUNTS)]
        return None, bodies.event(arn, "update", at=about, code=code_hash("foreign"), account=other)
    if label is None or sending.call == "delete":
        return None, bodies.event(arn, "delete", at=about, code=None)
    body = bodies.event(arn, sending.call, at=about, code=code_hash(label), layers=function.layers)
    return function.content(label), body


def _artifacts(label: str) -> tuple[Artifact, ...]:
    component = f'{{"type": "library", "name": "{label}", "version": "1.0.0", "purl": "pkg:pypi/{label}@1.0.0"}}'
    inventory = f'{{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [{component}]}}'
    return artifacts_of(
        {
            ArtifactName.SCAN_RESULT: scan_result((), (), tag=None),
            ArtifactName.SARIF: sarif(()),
            ArtifactName.CYCLONEDX: inventory.encode(),
        }
    )


def _settings(decided: Plan) -> Settings:
    return Settings(
        changes_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes",
        changes_dlq_url="https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes-dlq",
        ledger_table="scanhub-ledger",
        results_bucket="scanhub-results",
        qualys_secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf",
        external_id=SecretStr("an-external-id"),
        max_concurrent_scans=decided.slots,
        max_scans_per_account=decided.cap,
        visibility_timeout=decided.visibility,
        lease_duration=decided.lease,
        drain_timeout=decided.drain,
        scan_timeout=decided.scan_timeout,
        exclude_functions=(EXCLUDED_NAMES,),
        work_dir=Path("/nowhere"),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No line of log: it would cost more than everything else."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("critical"), cache_logger_on_first_use=False
    )
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Whatever the product draws by chance comes from the seed."""
    drawn = Random(f"product {seed}")  # noqa: S311  # repeatable on purpose
    before = random.getstate()
    random.seed(f"jitter {seed}")

    def token_hex(nbytes: int | None = None) -> str:
        return drawn.randbytes(nbytes or 32).hex()

    def uuid4() -> uuid.UUID:
        return uuid.UUID(bytes=drawn.randbytes(16), version=4)

    try:
        with (
            mock.patch.object(secrets, "token_hex", token_hex),
            mock.patch.object(secrets, "token_urlsafe", token_hex),
            mock.patch.object(secrets, "token_bytes", lambda nbytes=None: drawn.randbytes(nbytes or 32)),
            mock.patch.object(uuid, "uuid4", uuid4),
        ):
            yield
    finally:
        random.setstate(before)
