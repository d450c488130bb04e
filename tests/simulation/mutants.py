"""`python -m tests.simulation.mutants`: deliberate faults, one at a time; the simulator must catch each of them.

A simulator that cannot fail shows nothing. Each mutant replaces a piece of the product's text, in a copy; the piece
must be there exactly once, or the mutant has gone stale, which is an error too.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.simulation.hunt import EXIT_CAUGHT

ROOT = Path(__file__).parents[2]
COPIED = ("spoke", "hub", "worker", "tests/simulation")
SEEDS = 300
HUNT = ("-m", "tests.simulation.hunt")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One deliberate fault.

    Attributes:
        name: What it does.
        path: In which file.
        find: The text to be replaced.
        put: What replaces it.
    """

    name: str
    path: str
    find: str
    put: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: Which.
        seed: At which it was caught; None if it was not.
        invariant: That it broke.
        text: More of it; of a stale mutant, why.
    """

    mutant: Mutant
    seed: int | None = None
    invariant: int | None = None
    text: str = ""


MUTANTS = (
    Mutant(
        "deletes the message without a commit",
        "worker/journey.py",
        "        _move(trip, Stage.COMMIT, world)\n        is_set = await world.ledger.commit(",
        "        trip.summary = summary\n        return summary\n        is_set = await world.ledger.commit(",
    ),
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
        "coalesces a message into itself",
        "worker/journey.py",
        "    if held.message_id == message.id:",
        "    if not held.message_id:",
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
        "        files.append(await self._put_bytes(prefix, FINDINGS, findings, _JSON_LINES))\n",
        "        files.append(StoredFile(name='', key=prefix + FINDINGS, size=0, sha256='', content_type=''))\n",
    ),
    Mutant(
        "does not notice workers that die over a function",
        "worker/journey.py",
        "    if await tries.note(error, trip, world):\n        raise error",
        "    if error is None:\n        raise error",
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
        "tells of each opening of the circuit",
        "worker/outage.py",
        "            if await self._is_ours_to_tell(since):",
        "            if since:",
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
    Mutant(
        "notes as queued what it sends afterwards",
        "hub/sweep/place.py",
        "    refused = set(await with_hub(partial(course.world.queue.send_all, list(requests))))\n",
        "    early = course.world.clock.now()\n"
        "    for one in batch:\n"
        "        note = wording.queued(one.listed, one.standing, _why(one), early)\n"
        "        await course.world.ledger.replace(note, seen=one.standing)\n"
        "    refused = set(await with_hub(partial(course.world.queue.send_all, list(requests))))\n",
    ),
    Mutant(
        "takes the first page for the whole list",
        "hub/sweep/listing.py",
        "while (page := await _next(pages, place, answered + PATIENCE)) is not None:",
        "while not listing.entries and (page := await _next(pages, place, answered + PATIENCE)) is not None:",
    ),
    Mutant(
        "does not look for what is gone",
        "hub/sweep/account.py",
        "    await settle_gone(account, {place.region: place for place in found}, slots, course, tally)\n",
        "",
    ),
    Mutant(
        "sweeps an account that another process sweeps",
        "worker/memory/register.py",
        "claim = sweeps.refusal(self.items[key], run, now=now)",
        "claim = None",
    ),
    Mutant(
        "writes over what was written since it looked",
        "worker/memory/ledger.py",
        "is_as_seen = standings.is_as_seen(standing, seen)",
        "is_as_seen = True",
    ),
    Mutant(
        "queues what is fresh",
        "hub/sweep/decision.py",
        "        return QUEUED[Why.STALE]\n    return FRESH",
        "        return QUEUED[Why.STALE]\n    return QUEUED[Why.STALE]",
    ),
    Mutant(
        "queues again what waits",
        "hub/sweep/decision.py",
        "        return WAITING if now - heard < rules.patience else QUEUED[Why.LOST]",
        "        return QUEUED[Why.LOST] if now >= heard else WAITING",
    ),
    Mutant(
        "never tries again what has failed",
        "hub/sweep/decision.py",
        "    return WAITING if now - standing.at < rules.patience else QUEUED[Why.FAILED]",
        "    return WAITING if now >= standing.at else QUEUED[Why.FAILED]",
    ),
    Mutant(
        "does not see that the code has changed",
        "hub/sweep/decision.py",
        "    if _is_changed(listed, standing):",
        "    if _is_changed(listed, standing) and now < standing.at:",
    ),
    Mutant(
        "queues what is excluded by its name",
        "hub/sweep/decision.py",
        "    if reason is not None:",
        "    if reason is not None and tagged:",
    ),
)


def apply(mutant: Mutant, root: Path) -> str:
    """Change the text below `root`; returns why that cannot be done, or an empty text."""
    path = root / mutant.path
    text = path.read_text() if path.exists() else ""
    count = text.count(mutant.find)
    if count != 1 or mutant.find == mutant.put:
        return f"stale: its text is there {count} times"
    path.write_text(text.replace(mutant.find, mutant.put))
    return ""


def copy_to(root: Path) -> None:
    """What a hunt needs of the project."""
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests" / "__init__.py").touch()


def hunt(root: Path, seeds: int, *, skip: frozenset[int] = frozenset(), every: bool = False) -> list[dict[str, object]]:
    """What the seeds show in this copy: the first violation, or every one."""
    command = [sys.executable, *HUNT, "--seeds", str(seeds), *(["--all"] if every else [])]
    if skip:
        command += ["--skip", *map(str, sorted(skip))]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if ended.returncode not in {0, EXIT_CAUGHT}:
        # A mutant that cannot even be imported or run shows nothing of the invariants.
        return [{"seed": -1, "invariant": -1, "text": ended.stderr.strip().rpartition("\n")[2]}]
    return [json.loads(line) for line in ended.stdout.splitlines()]


def judge(mutant: Mutant, seeds: int, skip: frozenset[int]) -> Verdict:
    """Hunt one mutant."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        root = Path(folder).resolve()
        copy_to(root)
        fault = apply(mutant, root)
        if fault:
            return Verdict(mutant, text=fault)
        found = hunt(root, seeds, skip=skip)
    if not found:
        return Verdict(mutant, text="survived")
    first = found[0]
    seed, invariant = int(str(first["seed"])), int(str(first["invariant"]))
    if seed < 0:
        return Verdict(mutant, text=f"broken: {first['text']}")
    return Verdict(mutant, seed, invariant, str(first["text"]))


def main() -> int:
    """The command line: 1 if a mutant survives, is stale, or if the product itself is caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="those with this in their name")
    options = parser.parse_args()
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="original-") as folder:
        root = Path(folder).resolve()
        copy_to(root)
        caught = hunt(root, options.seeds, every=True)
    for one in caught:
        console.print(f"without any mutant, seed {one['seed']}: invariant {one['invariant']}: {one['text']}")
    skip = frozenset(int(str(one["seed"])) for one in caught)
    chosen = [mutant for mutant in MUTANTS if options.only is None or options.only in mutant.name]
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda mutant: judge(mutant, options.seeds, skip), chosen))
    table = Table("mutant", "invariant", "seed", "how it showed")
    for verdict in verdicts:
        shown = [str(one) if one is not None else "-" for one in (verdict.invariant, verdict.seed)]
        table.add_row(verdict.mutant.name, *shown, verdict.text[:90])
    console.print(table)
    left = [verdict for verdict in verdicts if verdict.seed is None]
    console.print(f"{len(verdicts) - len(left)} of {len(verdicts)} mutants caught within {options.seeds} seeds")
    return 1 if left or caught else 0


if __name__ == "__main__":
    sys.exit(main())
