"""The world of one plan before anything happens in it: the stores, the truth, and the oracle that sees them."""

from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from pydantic import SecretStr

from hub.message import Source
from hub.settings import Settings
from tests.simulation.line import Weather
from tests.simulation.loop import SimulationLoop
from tests.simulation.oracle import Oracle
from tests.simulation.plan import EXCLUDED_NAMES, RETRY_HOURS, Plan
from tests.simulation.scanner import Qualys
from tests.simulation.scene import Item, Scene
from tests.simulation.shared import Bell, RestlessQueue, WatchedItems
from tests.simulation.trace import Trace
from tests.simulation.truth import Organization
from worker.memory.clock import START, LoopClock
from worker.memory.ledger import MemoryLedger
from worker.memory.notifier import MemoryNotifier
from worker.memory.objects import MemoryObjects
from worker.memory.register import MemoryRegister


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What all workers share, and the settings of each.

    Attributes:
        world: The context of everything that happens outside the workers.
        rng: Decides what the world does by chance.
    """

    plan: Plan
    settings: Settings
    loop: SimulationLoop
    world: Context
    rng: Random
    weather: Weather
    organization: Organization
    qualys: Qualys
    queues: dict[Source, RestlessQueue]
    ledger: MemoryLedger
    register: MemoryRegister
    objects: MemoryObjects
    notifier: MemoryNotifier
    bell: Bell
    oracle: Oracle

    @property
    def scene(self) -> Scene:
        """What the oracle sees."""
        return self.oracle.scene

    @property
    def swept(self) -> RestlessQueue:
        """Where sweeps send what they find."""
        return self.queues[Source.SWEEP]

    @property
    def trace(self) -> Trace:
        """Everything that happened."""
        return self.oracle.trace


def laid_out(decided: Plan, loop: SimulationLoop, *, on_violation: Callable[[], None]) -> Grounds:
    """The grounds of a plan.

    Args:
        decided: The plan.
        loop: On which it all runs.
        on_violation: Called when an invariant does not hold.
    """
    world = copy_context()
    rng = Random(f"world {decided.seed}")  # noqa: S311  # repeatable on purpose
    organization, objects, ledger = Organization(rng), MemoryObjects(), MemoryLedger()
    clock, bell = LoopClock(START), Bell()
    sources = [Source.CHANGES] + ([Source.SWEEP] if decided.sweeps else [])
    visibility = timedelta(seconds=decided.visibility)
    queues = {
        source: RestlessQueue(source=source, clock=clock, visibility=visibility, rng=rng, bell=bell)
        for source in sources
    }

    def item_written(pk: str, sk: str, before: Item, after: Item) -> None:
        oracle.item_written(pk, sk, before, after)

    def content(key: str) -> bytes | None:
        stored = objects.stored.get(key)
        return None if stored is None else stored.data

    def queued(message_id: str) -> tuple[str, float] | None:
        for queue in queues.values():
            for one in queue.messages:
                if one.id == message_id:
                    return one.receipt_handle, (one.visible_at - START).total_seconds()
        return None

    register = MemoryRegister(clock)
    ledger.items = register.items = items = WatchedItems(item_written)
    scene = Scene(
        plan=decided,
        trace=Trace(loop.time),
        time=loop.time,
        organization=organization,
        items=items,
        objects=content,
        queued=queued,
        later=lambda seconds, act: loop.call_later(seconds, act, context=world),
        on_violation=on_violation,
    )
    oracle = Oracle(scene)
    return Grounds(
        plan=decided,
        settings=_settings(decided),
        loop=loop,
        world=world,
        rng=rng,
        weather=Weather(),
        organization=organization,
        qualys=Qualys(),
        queues=queues,
        ledger=ledger,
        register=register,
        objects=objects,
        notifier=MemoryNotifier(),
        bell=bell,
        oracle=oracle,
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
        exclude_accounts=(decided.excluded_account,) if decided.excluded_account else (),
        sweep_per_minute=decided.sweep_pace,
        sweep_retry_hours=RETRY_HOURS,
        work_dir=Path("/nowhere"),
    )
