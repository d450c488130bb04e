"""What the service notes and heeds wrongly: sightings, newcomers, pauses, the objective."""

from tests.simulation.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "sets back when an account was last heard of",
        "worker/memory/ledger.py",
        '"eventAt" not in standing or standing["eventAt"] < milliseconds(sighting.event_at)',
        "True",
    ),
    Mutant(
        "takes the time of an event's arrival for its own",
        "worker/lookout.py",
        "event_at = min(change.at, message.sent_at)",
        "event_at = message.sent_at",
    ),
    Mutant(
        "notes no account that it heard of",
        "worker/lookout.py",
        "            await self._ledger.sight(sighting)",
        "            pass",
    ),
    Mutant(
        "makes no account known",
        "worker/newcomers.py",
        "                await self._register.know_account(account, now=self._clock.now())",
        "                pass",
    ),
    Mutant(
        "does not heed a pause",
        "worker/attendance.py",
        "            pause = await self._world.register.paused()",
        "            pause = None",
    ),
    Mutant(
        "polls on while it is paused",
        "worker/service.py",
        "            self._interruption.now()\n            self._carrier.give_back_waiting(paused=True)",
        "            self._carrier.give_back_waiting(paused=True)",
    ),
    Mutant(
        "does not go on after a pause",
        "worker/attendance.py",
        "            self._resumed.set()\n            log",
        "            log",
    ),
    Mutant(
        "deletes what waits when it is paused",
        "worker/carrier.py",
        'Ending(kind=EndingKind.GIVEN_BACK, reason="paused"',
        'Ending(kind=EndingKind.COVERED, reason="paused"',
    ),
    Mutant(
        "counts no changes",
        "worker/objective.py",
        "                    await self._register.count_changes(day)",
        "                    pass",
    ),
    Mutant(
        "counts changes before they are settled",
        "worker/carrier.py",
        "            is_done = await settlement.settle(trip, ending)\n",
        "            self._objective.count(trip, ending)\n"
        "            is_done = await settlement.settle(trip, ending)\n",
    ),
)
