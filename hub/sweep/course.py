"""What a sweep works with: the world around it, and what one course over the accounts shares."""

from dataclasses import dataclass, field

from hub.results_bucket import Objects
from hub.settings import Settings
from hub.sweep.decision import Rules
from hub.sweep.lookups import Lookups
from hub.sweep.pace import Pace
from hub.sweep.ports import Estate, SweepLedger, SweepQueue, SweepRegister
from hub.sweep.report import Plan
from hub.sweep.silence import Silence
from hub.sweep.slots import Slots
from hub.sweeps import SweepScope
from spoke.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepWorld:
    """The ports of a sweep.

    Attributes:
        estate: The member accounts.
        ledger: What is known of functions.
        register: Runs, claims, notes of accounts.
        queue: Where requests go.
        objects: The results bucket, for the summary.
        settings: Of the hub.
        clock: Tells the time.
    """

    estate: Estate
    ledger: SweepLedger
    register: SweepRegister
    queue: SweepQueue
    objects: Objects
    settings: Settings
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What all accounts of one sweep share.

    Attributes:
        world: See `SweepWorld`.
        scope: What is gone over.
        rules: By what is decided.
        lookups: Shared calls to the ledger.
        slots: Places at once.
        pace: How fast requests are sent.
        plan: With a dry run: where to note what would be queued. Then nothing is written or sent.
        untagged: Accounts of which it was logged that nobody may ask for tags.
        silence: Who answers, and for how long the others are waited for.
    """

    world: SweepWorld
    scope: SweepScope
    rules: Rules
    lookups: Lookups
    slots: Slots
    pace: Pace
    plan: Plan | None = None
    untagged: set[str] = field(default_factory=set)
    silence: Silence = field(default_factory=Silence)

    @classmethod
    def of(
        cls, world: SweepWorld, scope: SweepScope, *, plan: Plan | None = None, is_backlog: bool = False
    ) -> "Course":
        """At the start of a sweep. For `is_backlog` see `Rules`."""
        settings = world.settings
        return cls(
            world=world,
            scope=scope,
            rules=Rules(settings=settings, profile_id=scope.profile_id, exclude=scope.exclude, is_backlog=is_backlog),
            lookups=Lookups(world.ledger.standings),
            slots=Slots(settings.sweep_places),
            pace=Pace(settings.sweep_per_minute),
            plan=plan,
        )
