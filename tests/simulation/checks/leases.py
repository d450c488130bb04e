"""Invariant 2: no two scans of one content under live leases, and no scan without one."""

from dataclasses import dataclass

from hub.scans import Lease
from spoke.arn import FunctionArn
from tests.simulation.scene import GRACE, Item, Run, Scene, second_of

CLOCKS = 3.0
"""Seconds by which a worker's clock may be wrong."""


@dataclass(slots=True)
class Claim:
    """One lease in its time.

    Attributes:
        content: The fingerprint.
        owner: Its token.
        message: For whose sake.
        since: Second.
        ends_at: As last renewed.
        given_up_at: When it was released, committed or taken over.
    """

    content: str
    owner: str
    message: str
    since: float
    ends_at: float
    given_up_at: float | None = None

    def was_live_since(self, second: float) -> bool:
        """Whether anybody who looked from then on may have seen it as live."""
        return (self.given_up_at is None or self.given_up_at >= second) and self.ends_at + 20 >= second


class Leases:
    """Keeps the history of leases from the raw items."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._claims: dict[str, Claim] = {}
        self._by_function: dict[str, list[Claim]] = {}
        self._claimed_by: dict[tuple[str, FunctionArn, str], Claim] = {}

    def of(self, function: FunctionArn) -> list[Claim]:
        """Every lease on a content of this function, oldest first."""
        return self._by_function.get(f"function#{function}", [])

    def written(self, pk: str, sk: str, before: Item, after: Item) -> None:
        """An item of a scan key was written."""
        now, old, new = self._scene.time(), before.get("leaseOwner"), after.get("leaseOwner")
        if old is not None and old != new:
            claim = self._claims[old]
            if new is not None and claim.ends_at > now:
                self._scene.violated(2, f"{new} takes the lease {old} on {pk}, which is live until {claim.ends_at:.3f}")
            claim.given_up_at = now
        if new is None:
            return
        if new != old:
            claim = Claim(sk.split("#")[1], new, after["leaseMessageId"], now, 0.0)
            self._claims[new] = claim
            self._by_function.setdefault(pk, []).append(claim)
        self._claims[new].ends_at = second_of(after["leaseExpiresAt"])

    def claimed(self, worker: str, lease: Lease) -> None:
        """A worker's claim took effect."""
        self._claimed_by[worker, lease.key.function, lease.key.fingerprint] = self._claims[lease.owner]

    def scan_started(self, run: Run) -> None:
        scene = self._scene
        claim = self._claimed_by.get((run.worker, run.function, run.content))
        if claim is None or (claim.given_up_at is not None and self._is_well(run.worker)):
            scene.violated(2, f"{run.worker} scans {run.function} without a lease")
            return
        run.owner, run.message = claim.owner, claim.message
        for other in scene.running:
            is_same = other is not run and (other.function, other.content) == (run.function, run.content)
            # One whose worker is frozen cannot know that its lease has ended; that is why it stores nothing.
            if is_same and self._is_well(other.worker):
                scene.violated(2, f"{run.worker} and {other.worker} scan one content of {run.function} at once")
        self._look_again(run)

    def _is_well(self, worker: str) -> bool:
        """Whether it has been able to act for a while."""
        machine, now = self._scene.machines[worker], self._scene.time()
        return machine.is_alive and not machine.is_frozen and machine.thawed_at < now - GRACE

    def _look_again(self, run: Run) -> None:
        """Look when the scan must have ended, if its lease was not renewed."""
        scene = self._scene
        claim = self._claims[run.owner]
        due = min(claim.ends_at, claim.given_up_at if claim.given_up_at is not None else claim.ends_at) + CLOCKS + 10

        def look() -> None:
            if run.is_over or scene.violation is not None:
                return
            if min(claim.ends_at, claim.given_up_at or claim.ends_at) + CLOCKS + 10 > scene.time():
                self._look_again(run)
            elif not self._is_well(run.worker):
                scene.later(GRACE, look)
            elif claim.given_up_at is None or claim.given_up_at + self._renewal() < scene.time():
                scene.violated(2, f"{run.worker} scans {run.function} on, though its lease {claim.owner} has ended")
            else:
                scene.later(GRACE, look)

        scene.later(max(due - scene.time(), 0.001), look)

    def _renewal(self) -> float:
        """A worker learns of a lost lease at its next renewal, and a call may take long."""
        return self._scene.plan.lease / 3 + 60
