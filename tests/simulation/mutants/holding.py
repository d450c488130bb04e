"""What goes wrong with what is held: leases, heartbeats, messages at a stop, room for them."""

from tests.simulation.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "claims without a condition",
        "worker/memory/ledger.py",
        "claim = items.record_from(standing, key).refusal(now, force=force)",
        "claim = None",
    ),
    Mutant(
        "takes a lease over without a margin for clocks",
        "hub/scans.py",
        "CLOCK_SKEW = timedelta(seconds=10)",
        "CLOCK_SKEW = timedelta(seconds=0)",
    ),
    Mutant(
        "never beats",
        "worker/heartbeat.py",
        "            await self.beat()",
        "            pass",
    ),
    Mutant(
        "does not extend what waits for its account",
        "worker/carrier.py",
        "        self._heartbeats[message.source].hold(message, lose)",
        "        if not self._world.places.waiting:\n            self._heartbeats[message.source].hold(message, lose)",
    ),
    Mutant(
        "scans on for a message that it has lost",
        "worker/carrier.py",
        "                trip.lost = True\n                task.cancel()",
        "                trip.lost = True",
    ),
    Mutant(
        "deletes what it holds when it stops",
        "worker/carrier.py",
        '                return Ending(kind=EndingKind.GIVEN_BACK, reason="stop")',
        '                return Ending(kind=EndingKind.COVERED, reason="stop")',
    ),
    Mutant(
        "leaves invisible what it holds when it stops",
        "worker/carrier.py",
        '                return Ending(kind=EndingKind.GIVEN_BACK, reason="stop")',
        '                return Ending(kind=EndingKind.LOST, reason="stop")',
    ),
    Mutant(
        "ends its long poll before it stops",
        "worker/interruption.py",
        "        if self._waiting is not None:\n            self._waiting.cancel()",
        "        pass",
    ),
    Mutant(
        "does not renew its lease",
        "worker/leases.py",
        "            renewal = group.create_task(_renew(lease, ledger, clock, duration))",
        "            renewal = group.create_task(asyncio.sleep(10**6))",
    ),
    Mutant(
        "does not heed a lease that it has lost",
        "worker/leases.py",
        "            except TimeoutError as error:\n                raise LeaseLost(",
        "            except (TimeoutError, LeaseLost, Retry) as error:\n                return\n"
        "                raise LeaseLost(",
    ),
    Mutant(
        "holds a lease to its very end and beyond",
        "worker/leases.py",
        "    return (lease.expires_at - clock.now() - duration / LAST_SIXTH).total_seconds()",
        "    return (lease.expires_at - clock.now() + duration).total_seconds()",
    ),
    Mutant(
        "scans without task protection",
        "worker/protection.py",
        "        if isinstance(self._protection, Unprotected):",
        "        if self._protection is not None:",
    ),
    Mutant(
        "receives without regard to its slots",
        "worker/room.py",
        "        return self._slots - (len(self._running) - waiting)",
        "        return 10",
    ),
)
