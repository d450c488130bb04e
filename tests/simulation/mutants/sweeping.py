"""What a sweep does wrong."""

from tests.simulation.mutants.mutant import Mutant

MUTANTS = (
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
        "while (page := await _next(pages, place, wait)) is not None:",
        "while not listing.entries and (page := await _next(pages, place, wait)) is not None:",
    ),
    Mutant(
        "does not look for what is gone",
        "hub/sweep/unlisted.py",
        "    await settle_missing(beyond.missing, places, course, tally)\n",
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
        "    return FRESH if why is None else QUEUED[why]",
        "    return QUEUED[why or Why.STALE]",
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
        "lets results of an account that refuses count for ever",
        "hub/sweep/account.py",
        "    await settle_refused(account, problem, course, tally)\n",
        "",
    ),
    Mutant(
        "lets results of a region that refuses count for ever",
        "hub/sweep/outlived.py",
        "            return _unlisted(place.problem)",
        "            return ''",
    ),
    Mutant(
        "calls every result outlived that it cannot list",
        "hub/sweep/outlived.py",
        "renewal(standing, course.rules, now)",
        "renewal(standing, course.rules, now.replace(year=now.year + 1))",
    ),
    Mutant(
        "calls outlived what a worker has renewed since it looked",
        "hub/sweep/outlived.py",
        "    written = await in_tens([partial(course.world.ledger.replace, note, seen=standing) "
        "for note, standing in news])\n",
        "    now = await course.lookups.ask([note.function for note, _ in news])\n"
        "    written = await in_tens([partial(course.world.ledger.replace, note, seen=now[note.function]) "
        "for note, _ in news])\n",
    ),
    Mutant(
        "waits for a message about what is outlived",
        "hub/sweep/decision.py",
        "    if standing.state in ON_THE_WAY and not _is_outlived(standing):",
        "    if standing.state in ON_THE_WAY:",
    ),
    Mutant(
        "queues what is excluded by its name",
        "hub/sweep/decision.py",
        "    if reason is not None:",
        "    if reason is not None and tagged:",
    ),
)
