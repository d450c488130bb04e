"""What goes wrong with failures: the circuit, accounts that refuse, tries and their history."""

from tests.simulation.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "parks messages while Qualys is away",
        "worker/circuit.py",
        "        return isinstance(error, QualysFault) or not self.is_closed",
        "        return False",
    ),
    Mutant(
        "never opens the circuit",
        "worker/circuit.py",
        "        if turn == self.turn and self._is_reason_to_open(error, message_id):",
        "        if turn < 0:",
    ),
    Mutant(
        "never closes the circuit",
        "worker/circuit.py",
        "        if self.state is CircuitState.PROBING:\n            self._openings = 0\n"
        "            self._become(CircuitState.CLOSED)",
        "        if self.state is CircuitState.PROBING:\n            self._open('for ever')",
    ),
    Mutant(
        "reads no new secret before a probe",
        "worker/outage.py",
        "            await renew_credentials()\n",
        "            pass\n",
    ),
    Mutant(
        "does not pause an account that refuses",
        "worker/accounts.py",
        "        pause = backoff.of_account(count)",
        "        pause = backoff.of_account(count) * 0",
    ),
    Mutant(
        "has no cap of scans an account",
        "worker/world.py",
        "per_account=self.settings.scans_per_account",
        "per_account=slots",
    ),
    Mutant(
        "asks GetFunction without measure",
        "worker/accounts.py",
        "        await _turn(self._reads, function, READS_A_SECOND)\n",
        "",
    ),
    Mutant(
        "counts no failures",
        "worker/tries.py",
        "    return sum(one.reason == reason for one in trip.history) >= limit",
        "    return limit < 0",
    ),
    Mutant(
        "counts failures of every kind as one",
        "worker/tries.py",
        "    return sum(one.reason == reason for one in trip.history) >= limit",
        "    return len(trip.history) >= limit",
    ),
    Mutant(
        "parks without a history",
        "worker/settlement.py",
        "            history=trip.history,",
        "            history=(),",
    ),
    Mutant(
        "counts what it gives back uncounted",
        "worker/failures.py",
        "    if isinstance(error, AccountPaused):\n        return",
        "    if isinstance(error, AccountPaused) and trip.message.receive_count < 3:\n        return",
    ),
    Mutant(
        "tells of each opening of the circuit",
        "worker/outage.py",
        "            if await self._is_ours_to_tell(since):",
        "            if since:",
    ),
)
