"""How the sweep's figures are taken. Every measure sees to it that what it counted is what it means to count."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.estate import PAGE, Estate
from bench.figures import Figure
from bench.measures import Bench
from bench.places import ROOT
from bench.worker_process import environment
from hub.sweep.watch import LOOK, NOTE

ORGANIZATION = Estate(accounts=100, regions=3, functions=100)
DELAY = 0.05
"""Seconds that every call takes where wall time is measured."""

ROUNDS = 4
"""Of which the first is not counted, and the best of the others is: other load makes a round dearer, never cheaper."""

DUE = Estate(accounts=10, regions=3, functions=100, known=False)
MILLION = Estate(accounts=1000, regions=2, functions=500)
LARGE = Estate(accounts=40, regions=1, functions=10_000)
"""Places as large as they come, more than are worked on at once: what is kept is kept of those."""

WIDE = Estate(accounts=100, regions=3, functions=3334)
"""Accounts as large: of what was listed something is kept until an account is done."""

COUNTED = (Estate(accounts=100, regions=2, functions=1000), Estate(accounts=1000, regions=2, functions=500))

NOTED = LOOK * NOTE
"""Seconds between two notes of a sweep."""

Round = dict[str, Any]


def unchanged(bench: Bench) -> list[Figure]:
    """Functions whose result is fresh: what each costs in calls, in time and in CPU."""
    bench.tell(f"sweep: {ROUNDS} x {ORGANIZATION.total} unchanged functions at {DELAY * 1000:g} ms a call")
    rounds, calls = _swept(bench, "together", ORGANIZATION, delay=DELAY, rounds=ROUNDS)
    bench.tell("the same once, one account after another, region after region: more than a minute")
    [alone], calls_alone = _swept(bench, "alone", ORGANIZATION, delay=DELAY, rounds=1)
    # Of the calls that one place after another makes, none may be missing among those that the sweep makes.
    if any(
        calls_alone[f"lambda:{name}"] * ROUNDS != calls[f"lambda:{name}"] for name in ("ListFunctions", "GetFunction")
    ):
        raise AssertionError(f"the two did something else: {calls} and {calls_alone}")
    best = min(rounds[1:], key=lambda one: float(one["wall"]))
    wall = best["wall"]
    bench.tell(f"sweep: {ROUNDS} x {ORGANIZATION.total} unchanged functions without a delay")
    quick, _ = _swept(bench, "together", ORGANIZATION, delay=0.0, rounds=ROUNDS)
    functions = ROUNDS * ORGANIZATION.total
    return [
        Figure(
            name="AWS calls of the sweep per unchanged function",
            value=calls.total() / functions,
            limit=0.05,
            beside=", ".join(
                f"{number / functions:.4f} {name.partition(':')[2]}" for name, number in calls.most_common(4)
            ),
        ),
        Figure(
            name="wall time of the sweep, as often as it goes into one place after another",
            value=alone["wall"] / wall,
            limit=20,
            least=True,
            beside=f"{wall:.1f} s beside {alone['wall']:.1f} s; without a free processor {best['waited']:.1f} and "
            f"{alone['waited']:.1f} s of them",
        ),
        Figure(
            name="CPU of the sweep per listed function",
            value=min(one["cpu"] for one in quick[1:]) / ORGANIZATION.total * 1000,
            limit=0.2,
            unit="ms",
            beside=f"{min(one['cpu'] for one in quick[1:]):.2f} s for {ORGANIZATION.total:,} functions",
        ),
    ]


def due(bench: Bench) -> Figure:
    """A function that nobody has ever scanned: listed, looked up, sent, noted."""
    bench.tell(f"sweep: {ROUNDS} x {DUE.total} functions that are all queued")
    rounds, calls = _swept(bench, "together", DUE, delay=0.0, rounds=ROUNDS)
    return Figure(
        name="CPU of the sweep per function that it queues",
        value=min(one["cpu"] for one in rounds[1:]) / DUE.total * 1000,
        limit=None,
        unit="ms",
        beside=f"{calls.total() / ROUNDS / DUE.total:.2f} AWS calls",
    )


def memory(bench: Bench) -> list[Figure]:
    """The peak of a process that sweeps a million functions, unchanged or missing; and large places and accounts."""
    bench.tell("sweep: a million functions, all unchanged, in memory")
    same = _in_memory(bench, MILLION, known=True)
    bench.tell("sweep: a million functions, all missing, in memory")
    missing = _in_memory(bench, replace(MILLION, known=False), known=False)
    bench.tell(f"sweep: {LARGE.accounts} places of {LARGE.functions} functions, all unchanged, in memory")
    large = _in_memory(bench, LARGE, known=True)
    bench.tell("the same, all missing")
    large_missing = _in_memory(bench, replace(LARGE, known=False), known=False)
    bench.tell(f"sweep: {WIDE.accounts} accounts of {WIDE.total // WIDE.accounts} functions, all unchanged, in memory")
    wide = _in_memory(bench, WIDE, known=True)
    return [
        Figure(
            name="resident memory of a sweep of a million functions",
            value=max(same["peak"], missing["peak"]),
            limit=300,
            unit="MB",
            strict=True,
            beside=f"{same['before']:.0f} MB before, {same['peak']:.0f} MB all unchanged, "
            f"{missing['peak']:.0f} MB all missing",
        ),
        Figure(
            name=f"the same, with places of {LARGE.functions:,} functions",
            value=max(large["peak"], large_missing["peak"]),
            limit=300,
            unit="MB",
            strict=True,
            beside=f"32 such places at once; {large['peak']:.0f} MB all unchanged, {large_missing['peak']:.0f} MB all "
            "missing",
        ),
        Figure(
            name=f"the same, with accounts of {WIDE.regions} x {WIDE.functions:,} functions",
            value=wide["peak"],
            limit=300,
            unit="MB",
            strict=True,
            beside="64 such accounts at once",
        ),
    ]


def counting(bench: Bench) -> list[Figure]:
    """What `scanhub coverage` counts."""
    figures = []
    for estate in COUNTED:
        bench.tell(
            f"coverage: {estate.total} functions of {estate.accounts} accounts counted, {DELAY * 1000:g} ms a call"
        )
        rounds, calls = _run(bench, "count", estate, delay=DELAY, rounds=2)
        if any(one["functions"] != estate.total or one["COVERED"] != estate.total for one in rounds):
            raise AssertionError(f"{estate.total} functions were to be counted as covered: {rounds}")
        best = min(rounds, key=lambda one: float(one["cpu"]))
        figures.append(
            Figure(
                name=f"CPU of counting the coverage of {estate.total:,} functions",
                value=best["cpu"],
                limit=None,
                unit="s",
                beside=f"{calls.total() // len(rounds)} AWS calls, {min(one['wall'] for one in rounds):.1f} s, "
                f"{best['cpu'] / estate.total * 1e6:.1f} µs a function",
            )
        )
    return figures


def _swept(bench: Bench, how: str, estate: Estate, *, delay: float, rounds: int) -> tuple[list[Round], Counter[str]]:
    """As `_run`, of a sweep that must have found what there is."""
    told, calls = _run(bench, how, estate, delay=delay, rounds=rounds)
    pages = estate.accounts * estate.regions * -(-estate.functions // PAGE)
    for one in told:
        found = one["fresh"] if estate.known else one["queued"].get("missing")
        if (one["functions"], found, one["gone"], one["failed"]) != (estate.total, estate.total, 0, 0):
            raise AssertionError(f"of {estate.total} functions all were to be alike: {one}")
    if calls["lambda:ListFunctions"] != pages * rounds or calls["lambda:GetFunction"]:
        raise AssertionError(f"{pages} pages were to be listed, and no function asked for: {calls}")
    # Besides what is queued, only accounts are written, each when it is claimed and completed, and how far it is.
    sent, notes = (0 if estate.known else rounds * estate.total), rounds * estate.accounts * 2
    looks = sum(one["wall"] for one in told) / NOTED
    if calls["sqs:SendMessageBatch"] * 10 != sent or not 0 <= calls["dynamodb:UpdateItem"] - sent - notes <= looks:
        raise AssertionError(f"sent and noted was something else: {calls}")
    return told, calls


def _run(bench: Bench, how: str, estate: Estate, *, delay: float, rounds: int) -> tuple[list[Round], Counter[str]]:
    """Each round's figures, and the calls of all of them by operation."""
    cloud = bench.cloud
    cloud.reset()
    cloud.have(estate)
    cloud.delay(delay)
    try:
        made = _environment(bench, "alone" if how == "alone" else "together")
        run = _python("bench.sweeping", how, estate.accounts, rounds, environ=made)
        return json.loads(run), Counter(cloud.calls())
    finally:
        cloud.delay(0.0)
        cloud.have(Estate(accounts=0, regions=0, functions=0))


def _in_memory(bench: Bench, estate: Estate, *, known: bool) -> Round:
    numbers = (estate.accounts, estate.regions, estate.functions, int(known))
    told: Round = json.loads(_python("bench.sweep_memory", *numbers, environ=_environment(bench, "together")))
    found = told["fresh"] if known else told["queued"].get("missing")
    sent = 0 if known else estate.total
    if (told["functions"], found, told["requests"], told["replaced"]) != (estate.total, estate.total, sent, sent):
        raise AssertionError(f"of {estate.total} functions all were to be alike: {told}")
    return told


def _environment(bench: Bench, how: str) -> dict[str, str]:
    work: Path = bench.directory / "sweep"
    of_worker = environment(bench.cloud, work, Path("/usr/bin/false"), 10, 10)
    # Without a pace: what is measured is what it costs, not how long it is made to wait.
    return of_worker | {"SCANHUB_SWEEP_PER_MINUTE": "0"} | ({"SCANHUB_SWEEP_PLACES": "1"} if how == "alone" else {})


def _python(module: str, *arguments: object, environ: dict[str, str]) -> bytes:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT, env=environ).stdout  # noqa: S603  # our own module
