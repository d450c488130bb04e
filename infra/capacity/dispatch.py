"""Who gets a slot that is free, and what becomes of a message that has one."""

import math
import random
from dataclasses import dataclass, field

import simpy

from infra.capacity import overhead
from infra.capacity.fleet import Fleet
from infra.capacity.line import Line, Parcel
from infra.capacity.record import Record
from infra.capacity.scenario import Scenario
from infra.capacity.timer import after
from infra.capacity.workload import DAY


@dataclass(kw_only=True)
class Dispatch:
    """Gives slots to what waits, changes first, until each message is done.

    Attributes:
        scenario: What a message needs.
        env: In whose time.
        chance: Draws what is new and how long a scan takes.
        fleet: The slots.
        changes: The one queue.
        sweep: The other.
        record: Told of what has begun and what is done.
        swept: Happens when all that the sweeps queue is done.
    """

    scenario: Scenario
    env: simpy.Environment
    chance: random.Random
    fleet: Fleet
    changes: Line
    sweep: Line
    record: Record
    swept: simpy.Event = field(init=False)
    _begun: dict[int, tuple[float, float]] = field(default_factory=dict, init=False)
    _in_hand: dict[int, Parcel] = field(default_factory=dict, init=False)
    _due_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.swept = self.env.event()
        self._due_left = self.scenario.due * len(self.scenario.sweeps)

    def dispatch(self) -> None:
        """Whoever waits gets what is free."""
        fleet = self.fleet
        while self.changes.waiting:
            if self.sweep.waiting and fleet.owes_the_sweep and fleet.free:
                self._start_swept(1)
            elif not self._start_change():
                break
        while self.sweep.waiting and (room := fleet.sweep_room):
            grain = self._grain(fleet.sweep_slots)
            # Not in ever smaller pieces: half of the usual has to be free.
            if room < min((grain + 1) // 2, self.sweep.waiting):
                break
            self._start_swept(min(room, grain))

    def give_up(self) -> None:
        """The run is over: changes that have no result count with their age."""
        for parcel in (*self._in_hand.values(), *self.changes.drain()):
            self.record.latencies.add(self.env.now - parcel.at, parcel.count)

    def _start_change(self) -> bool:
        fleet, grain = self.fleet, self._grain(self.fleet.slots)
        if not fleet.free or fleet.free < min((grain + 1) // 2, self.changes.waiting):
            return False
        parcel = self.changes.take(min(fleet.free, grain))
        fleet.give_to_change(parcel.count, sweep_waits=self.sweep.waiting > 0)
        begun, of = self._begun.get(parcel.key, (-1.0, -1.0))
        # The rest of a parcel that was begun before is of other functions.
        joins = begun >= parcel.at and of != parcel.at
        if joins or self.chance.random() >= self.scenario.new_code:
            self.record.covered_changes += parcel.count
            seconds = overhead.WALL_SECONDS_COVERED
        else:
            # A scan reads the newest code: whatever came before it began is done by it.
            self._begun[parcel.key] = self.env.now, parcel.at
            self.record.scanned_changes += parcel.count
            self.record.minute.started += parcel.count
            seconds = self.scenario.durations(self.chance)
        self._in_hand[id(parcel)] = parcel
        after(self.env, seconds, lambda: self._change_done(parcel))
        return True

    def _change_done(self, parcel: Parcel) -> None:
        del self._in_hand[id(parcel)]
        self.fleet.changes -= parcel.count
        self.record.latencies.add(self.env.now - parcel.at, parcel.count)
        self.dispatch()

    def _start_swept(self, limit: int) -> None:
        parcel = self.sweep.take(limit)
        self.record.longest_swept = max(self.record.longest_swept, self.env.now - parcel.at)
        self.fleet.give_to_sweep(parcel.count)
        # As many as are to be expected, rounded by chance; for a single one that is whether it is.
        fresh = int(parcel.count * self._changed_share() + self.chance.random())
        self.record.fresh_swept += fresh
        self.record.scanned_swept += parcel.count - fresh
        self.record.minute.started += parcel.count - fresh
        # Those that are fresh give their slots back at once; a slot is the sweep's again when a worker looks at it.
        if fresh:
            after(self.env, overhead.WALL_SECONDS_COVERED, lambda: self._swept_done(fresh))
        if parcel.count > fresh:
            after(self.env, self.scenario.durations(self.chance), lambda: self._swept_done(parcel.count - fresh))

    def _changed_share(self) -> float:
        """The share of all functions that changes have had scanned since the beginning."""
        return -math.expm1(-self.record.scanned_changes / self.scenario.functions)

    def _swept_done(self, count: int) -> None:
        self.fleet.swept -= count
        self._due_left -= count
        hour = int(self.env.now // 3600)
        self.record.swept_by_hour[hour] = self.record.swept_by_hour.get(hour, 0) + count
        if not self._due_left:
            self.record.ended_at = self.env.now
            if not self.swept.triggered:
                self.swept.succeed()
        if self.sweep.waiting:
            self.fleet.unseen += count
            pause = self.chance.uniform(0.0, overhead.NOTICED_SECONDS)
            after(self.env, pause, lambda: self._noticed(count))
        self.dispatch()

    def _noticed(self, count: int) -> None:
        self.fleet.unseen -= count
        self.dispatch()

    def _grain(self, slots: int) -> int:
        """Messages that begin together, so that a day of all these slots has no more than about `grain` of them."""
        return max(1, round(slots * DAY / self.scenario.mean_seconds / self.scenario.grain))
