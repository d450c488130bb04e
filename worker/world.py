"""Everything that a journey needs, in one object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.results import Results
from hub.scans import ScanKey, ScanRecord
from hub.settings import Settings
from worker.accounts import Accounts
from worker.batcher import Batcher
from worker.circuit import Circuit
from worker.health import Condition, Unwatched
from worker.lookout import Lookout
from worker.newcomers import Newcomers
from worker.places import Places
from worker.ports import Clock, Ledger, Metrics, Notifier, Protection, Register, Scanner, Spoke
from worker.protection import Guardian, Unprotected
from worker.trip import Observer, Unobserved

LOOK_UP_KEYS = 50
"""Two items a key stay within BatchGetItem's hundred (DynamoDB API reference)."""

LOOK_UP_LINGER = 0.005
"""Seconds. The messages of one receive start in the same turn of the loop; more wait would only be felt."""


@dataclass(frozen=True, kw_only=True)
class World:
    """The ports, the settings and who watches; and what one worker's journeys share.

    Attributes:
        version: Of scanhub, as the register is told.
        accounts: The spokes, each at its pace: what a journey calls instead of `spoke`.
        circuit: Whether Qualys takes our scans.
        guardian: Keeps this task from being ended while it scans.
        places: Fairness between accounts.
        lookups: Look-ups of many journeys in one call.
        lookout: Notes when each account and region was last heard of.
        newcomers: Makes each account known from which something has come.
    """

    settings: Settings
    clock: Clock
    spoke: Spoke
    ledger: Ledger
    results: Results
    scanner: Scanner
    notifier: Notifier
    metrics: Metrics
    register: Register
    version: str
    observer: Observer = field(default_factory=Unobserved)
    protection: Protection = field(default_factory=Unprotected)
    health: Condition = field(default_factory=Unwatched)
    accounts: Accounts = field(init=False)
    circuit: Circuit = field(init=False)
    guardian: Guardian = field(init=False)
    places: Places = field(init=False)
    lookups: Batcher[ScanKey, ScanRecord] = field(init=False)
    lookout: Lookout = field(init=False)
    newcomers: Newcomers = field(init=False)

    def __post_init__(self) -> None:
        slots = self.settings.max_concurrent_scans

        async def look_up(keys: Sequence[ScanKey]) -> Mapping[ScanKey, ScanRecord]:
            return await self.ledger.look_up(keys)

        batcher = Batcher[ScanKey, ScanRecord](look_up, size=LOOK_UP_KEYS, linger=LOOK_UP_LINGER)
        places = Places(per_account=self.settings.scans_per_account, waiting_room=slots)
        for name, value in (
            ("accounts", Accounts(self.spoke, self.clock)),
            ("circuit", Circuit(self.clock)),
            ("guardian", Guardian(self.protection)),
            ("places", places),
            ("lookups", batcher),
            ("lookout", Lookout(self.ledger)),
            ("newcomers", Newcomers(self.register, self.clock)),
        ):
            object.__setattr__(self, name, value)  # the object is frozen; this is its construction
