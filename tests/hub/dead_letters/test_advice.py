"""Every reason has its entry, and the document says what the commands say."""

from pathlib import Path

import pytest

from hub.dead_letters.advice import BY_REASON, CHAPTERS, UNKNOWN, Chapter, Remedy, advice, document_table, plain
from hub.dead_letters.message import NO_REASON
from spoke import errors
from spoke.envelope import MalformedReason
from worker.tries import word

OPERATE = (Path(__file__).parents[3] / "docs" / "operate.md").read_text()

UNPARKED = {"account_paused", "account_busy", "lease_held", "code_changed"}
"""No message is parked for these: the first three are not counted, and after the last the result is stored."""


def parkable() -> set[str]:
    """Every word that the worker can park with: of a body, of the guard, of a failure, and of none."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ScanhubError)]
    # `word` looks at the class alone; some need more to be made.
    failures = {word(kind.__new__(kind)) for kind in kinds if kind is not errors.ScanhubError}
    guard = {"account_mismatch", "region_mismatch"}
    return set(MalformedReason) | guard | failures - UNPARKED | {"effects_owed", NO_REASON}


def test_every_reason_that_can_be_parked_has_one_entry_and_there_are_no_others() -> None:
    assert set(BY_REASON) == parkable()
    assert len(BY_REASON) == sum(len(entry.reasons) for chapter in CHAPTERS for entry in chapter.entries)


def test_the_guards_words_are_those_of_the_journey() -> None:
    journey = (Path(__file__).parents[3] / "worker" / "journey.py").read_text()
    failures = (Path(__file__).parents[3] / "worker" / "failures.py").read_text()
    assert {f'"{one}"' for one in ("account_mismatch", "region_mismatch") if f'reason="{one}"' not in journey} == set()
    assert 'reason="effects_owed"' in failures


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.heading)
def test_the_document_has_each_chapter_word_for_word(chapter: Chapter) -> None:
    table = document_table(chapter)
    assert f"### {chapter.heading}\n\n{table}\n\n" in OPERATE, f"put this into docs/operate.md:\n\n{table}\n"


def test_what_an_entry_links_to_is_a_heading_of_the_document() -> None:
    anchors = {
        "#" + "".join(one for one in line.strip("# ").lower().replace(" ", "-") if one.isalnum() or one in "-_")
        for line in OPERATE.splitlines()
        if line.startswith("#")
    }
    texts = " ".join(entry.means + entry.to_do for chapter in CHAPTERS for entry in chapter.entries)
    linked = {part.partition(")")[0] for part in texts.split("](")[1:]}
    assert linked
    assert linked <= anchors


def test_what_would_be_parked_again_is_not_worth_a_redrive() -> None:
    useless = {reason for reason, entry in BY_REASON.items() if entry.remedy is Remedy.NONE}
    assert useless == set(MalformedReason) | {"account_mismatch", "region_mismatch"}
    assert [reason for reason, entry in BY_REASON.items() if entry.remedy is Remedy.FORCE] == ["effects_owed"]


def test_a_word_of_a_newer_worker_is_unknown_and_may_be_redriven() -> None:
    assert advice("quantum_fault") is UNKNOWN
    assert UNKNOWN.remedy is Remedy.REDRIVE


def test_a_terminal_gets_no_marks() -> None:
    assert plain("see [a full disk](#a-full-disk), **at once**, and `detail`") == "see a full disk, at once, and detail"
