"""What a person reads of sweeps."""

from dataclasses import replace

import pytest

from hub.service_status import ServiceStatus
from hub.sweeps import ScopeNote, SweepCounts, SweepRun, SweepScope
from scanhub import status_sweeps
from tests.ledger_samples import HOUR, NOW
from tests.scanhub.test_status_command import IDLE, RUN

ACCOUNTS = ("210987654321", "310987654322")
UNIT = "ou-ab12-cd34ef56"


def of(scope: SweepScope) -> SweepRun:
    return replace(RUN, scope_id=scope.id, whole_scope_id=scope.whole_id, scope=ScopeNote.of(scope))


PART = of(SweepScope(accounts=ACCOUNTS[:1]))


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (SweepScope(), "the whole organization"),
        (SweepScope(accounts=ACCOUNTS[:1]), "account 210987654321"),
        (SweepScope(accounts=ACCOUNTS), "2 accounts"),
        (SweepScope(ous=(UNIT,)), f"unit {UNIT}"),
        (SweepScope(ous=(UNIT, "ou-ab12-11111111"), regions=("us-east-1",)), "2 units in us-east-1"),
        (SweepScope(regions=("us-east-1", "eu-central-1")), "the whole organization in 2 regions"),
        (SweepScope(exclude=("legacy-*",)), "the whole organization, without legacy-*"),
        (
            SweepScope(accounts=tuple(f"21{n:010}" for n in range(1200)), regions=("us-east-1",), exclude=("a*", "b*")),
            "1,200 accounts in us-east-1, without 2 patterns",
        ),
        (SweepScope(exclude=("\x1b]0;owned\x07*",)), "the whole organization, without ?]0;owned?*"),
    ],
)
def test_it_says_in_short_what_a_sweep_is_of(scope: SweepScope, words: str) -> None:
    assert status_sweeps.subject(of(scope)) == words


def test_of_a_sweep_that_an_older_version_noted_it_says_what_can_be_known() -> None:
    assert status_sweeps.subject(replace(of(SweepScope()), scope=None)) == "the whole organization"
    assert status_sweeps.subject(replace(PART, scope=None)) == "a part of the organization"
    assert status_sweeps.subject(replace(PART, scope=None, whole_scope_id="")) == "a part of the organization"


def told(**sweeps: SweepRun) -> list[str]:
    status: ServiceStatus = replace(IDLE, **sweeps)  # type: ignore[arg-type]  # sweeps alone
    return list(status_sweeps.lines(status))


def test_after_a_sweep_of_a_part_the_last_one_of_the_whole_stands_below() -> None:
    before = replace(RUN, finished_at=NOW - 30 * HOUR)
    last, whole = told(last_sweep=PART, last_full_sweep=before)
    assert last.startswith("last sweep  finished 2026-11-21 09:30 UTC, account 210987654321: 118 of 120 accounts, ")
    assert whole.startswith("last whole  finished 2026-11-20 03:30 UTC, the whole organization: 118 of 120 accounts, ")
    _, none = told(last_sweep=PART)
    assert none == "last whole  none in 90 days; begin one with: scanhub sweep"


def test_after_a_sweep_of_the_whole_there_is_no_more_to_say() -> None:
    (line,) = told(last_sweep=RUN, last_full_sweep=RUN)
    assert line.startswith("last sweep  ")


def test_what_runs_says_what_it_is_of() -> None:
    none, running = told(running_sweep=replace(PART, finished_at=None, at=NOW))
    assert none == "last sweep  none in 90 days; begin one with: scanhub sweep"
    assert running.startswith("running     begun 2026-11-21 08:30 UTC, account 210987654321: 118 of 120 accounts, ")


def test_before_the_first_note_of_its_counts_none_are_made_up() -> None:
    _, running = told(running_sweep=replace(PART, finished_at=None, accounts=0, counts=SweepCounts()))
    assert running == "running     begun 2026-11-21 08:30 UTC, account 210987654321"


def test_what_was_interrupted_says_since_when_nobody_is_at_it() -> None:
    _, broken = told(unfinished_sweep=replace(PART, finished_at=None, at=NOW))
    assert broken.startswith("unfinished  begun 2026-11-21 08:30 UTC, account 210987654321: 118 of 120 accounts, ")
    assert broken.endswith(" 2 failed; not heard of since 2026-11-21 09:30 UTC")
    _, at_once = told(unfinished_sweep=replace(PART, finished_at=None))
    assert at_once.endswith(", account 210987654321; not heard of since 2026-11-21 08:30 UTC")
