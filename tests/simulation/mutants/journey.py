"""What the journey of a message does wrong: results, effects, coverage."""

from tests.simulation.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "deletes the message without a commit",
        "worker/journey.py",
        "        _move(trip, Stage.COMMIT, world)\n        is_set = await world.ledger.commit(",
        "        trip.summary = summary\n        return summary\n        is_set = await world.ledger.commit(",
    ),
    Mutant(
        "does not mark effects as done",
        "worker/effects.py",
        "        await world.ledger.mark_done(key, left, scan_id=summary.scan_id)",
        "        await world.ledger.coverage(key.function)",
    ),
    Mutant(
        "marks effects without performing them",
        "worker/effects.py",
        "        await _tag(key, summary, trip, world)",
        "        pass",
    ),
    Mutant(
        "forgets the effects of a result that it finds",
        "worker/journey.py",
        "    if not record.owed or record.committed_by != trip.message.id:",
        "    if record is not None:",
    ),
    Mutant(
        "lets an older snapshot replace a newer one",
        "hub/coverage.py",
        "            return stored.as_of < self.as_of",
        "            return True",
    ),
    Mutant(
        "lets the clock that is ahead have the last word",
        "hub/coverage.py",
        "            return stored.at < self.at - CLOCK_SKEW",
        "            return stored.at <= self.at",
    ),
    Mutant(
        "coalesces a message into itself",
        "worker/journey.py",
        "    if held.message_id == message.id:",
        "    if not held.message_id:",
    ),
    Mutant(
        "stores the result under what the event said, not what was scanned",
        "worker/journey.py",
        "    key = ScanKey(change.function, snapshot.fingerprint, world.scanner.profile.id)",
        "    key = ScanKey(change.function, change.fingerprint or snapshot.fingerprint, world.scanner.profile.id)",
    ),
    Mutant(
        "does not look whether the code was changed in mid-scan",
        "worker/scanning.py",
        "    if (now.fingerprint, now.last_modified) == (snapshot.fingerprint, snapshot.last_modified):",
        "    if now.fingerprint:",
    ),
    Mutant(
        "takes the same code after a scan for the same code during it",
        "worker/scanning.py",
        "    if (now.fingerprint, now.last_modified) == (snapshot.fingerprint, snapshot.last_modified):",
        "    if now.fingerprint == snapshot.fingerprint:",
    ),
    Mutant(
        "writes the manifest before the files",
        "hub/results.py",
        "        await files.put_lines(FINDINGS, findings)\n",
        "        files._note(FINDINGS, 0, '', '')\n",
    ),
    Mutant(
        "does not notice workers that die over a function",
        "worker/journey.py",
        "    if await tries.note(error, trip, world):\n        raise error",
        "    if error is None:\n        raise error",
    ),
)
