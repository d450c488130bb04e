"""Everything that a journey needs, in one object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.results import Results
from hub.scans import ScanKey, ScanRecord
from hub.settings import Settings
from worker.batcher import Batcher
from worker.ports import Clock, Ledger, Metrics, Notifier, Scanner, Spoke
from worker.trip import Observer, Unobserved

LOOK_UP_KEYS = 50
"""Two items a key stay within BatchGetItem's hundred (DynamoDB API reference)."""

LOOK_UP_LINGER = 0.005
"""Seconds. The messages of one receive start in the same turn of the loop; more wait would only be felt."""


@dataclass(frozen=True, kw_only=True)
class World:
    """The ports, the settings and who watches."""

    settings: Settings
    clock: Clock
    spoke: Spoke
    ledger: Ledger
    results: Results
    scanner: Scanner
    notifier: Notifier
    metrics: Metrics
    observer: Observer = field(default_factory=Unobserved)
    lookups: Batcher[ScanKey, ScanRecord] = field(init=False)

    def __post_init__(self) -> None:
        async def look_up(keys: Sequence[ScanKey]) -> Mapping[ScanKey, ScanRecord]:
            return await self.ledger.look_up(keys)

        batcher = Batcher[ScanKey, ScanRecord](look_up, size=LOOK_UP_KEYS, linger=LOOK_UP_LINGER)
        object.__setattr__(self, "lookups", batcher)  # the object is frozen; this is its construction
