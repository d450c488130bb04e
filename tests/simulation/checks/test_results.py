"""Results of another code, of another function, or without their files; states that go back."""

from dataclasses import replace
from typing import Any

import pytest

from tests.simulation.court import ARN, OTHER, PREFIX, SCAN_SK, Court
from tests.simulation.truth import PROFILE, Session


def test_3_a_result_whose_files_are_not_there(court: Court) -> None:
    key = court.result()
    del court.objects[f"{PREFIX}/sbom.cdx.json"]
    court.objects[key] = court.objects[key].replace(b'"success"', b'"failed"')
    court.oracle.stored("w1", key)
    assert court.verdict.startswith("invariant 3")
    assert "which is not there" in court.verdict


def test_3_a_commit_whose_manifest_is_not_there(court: Court) -> None:
    summary = court.summary()
    court.objects.clear()
    court.write(SCAN_SK, {"summary": summary})
    assert "whose manifest is not there" in court.verdict


def scanned(court: Court, marker: str) -> None:
    run = court.scan("w1")
    court.oracle.scan_ended(run, marker)


def test_4_a_result_that_says_another_code_than_was_read(court: Court) -> None:
    scanned(court, "orders-1-1")
    court.oracle.stored("w1", court.result(marker="orders-1-1"))
    assert court.verdict.startswith("invariant 4")
    assert "orders-1-1 was read" in court.verdict


def test_4_a_result_that_doubts_itself_may(court: Court) -> None:
    scanned(court, "orders-1-1")
    court.oracle.stored("w1", court.result(marker="orders-1-1", reasons=("code_changed",)))
    assert court.verdict == ""


def test_4_a_result_that_was_read_by_nobody(court: Court) -> None:
    scanned(court, "orders-1-0")
    court.oracle.stored("w2", court.result())
    assert "holds what was read elsewhere" in court.verdict


def test_4_a_manifest_under_another_function(court: Court) -> None:
    key = court.result()
    court.objects[f"scans/elsewhere/{key}"] = court.objects[key]
    court.oracle.stored("w1", f"scans/elsewhere/{key}")
    assert court.verdict.startswith("invariant 4")


def test_4_a_result_committed_for_another_code(court: Court) -> None:
    summary = court.summary()
    court.write(f"scan#{OTHER}#{PROFILE.id}", {"summary": summary})
    assert court.verdict.startswith("invariant 4")


def test_4_a_session_for_another_function(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.scene.organization.sessions["ASIA"] = Session(replace(ARN, name="payroll"), 1e9)
    court.oracle.scan_started("w1", court.snapshot(), "ASIA")
    assert court.verdict.startswith("invariant 4")
    assert "payroll" in court.verdict


def test_5_a_state_that_goes_back(court: Court) -> None:
    court.write("state", {"state": "COVERED", "asOf": 2})
    court.write("state", {"state": "COVERED", "asOf": 1})
    assert court.verdict.startswith("invariant 5")


def test_5_a_state_that_forgets_the_last_good_result(court: Court) -> None:
    court.write("state", {"state": "COVERED", "asOf": 2, "lastGood": {}})
    court.write("state", {"state": "FAILED", "asOf": 2})
    assert court.verdict.endswith("has lost its last good result")


LAST_WORD = {"state": "FAILED", "asOf": 2, "at": 50_000}


@pytest.mark.parametrize("last", ["FAILED", "UNREADABLE", "EXCLUDED"])
@pytest.mark.parametrize("passing", ["PENDING", "SCANNING"])
def test_5_a_last_word_that_is_hidden_by_a_clock_that_is_ahead(court: Court, last: str, passing: str) -> None:
    court.write("state", LAST_WORD | {"state": last})
    court.write("state", LAST_WORD | {"state": passing, "at": 60_000})
    assert court.verdict.startswith("invariant 5")
    assert f"was {last}, and is {passing}" in court.verdict


@pytest.mark.parametrize("change", [{"at": 60_001}, {"asOf": 3}, {"state": "PARTIAL"}, {"state": "EXCLUDED"}])
def test_5_what_was_said_later_for_certain_may_follow_a_last_word(court: Court, change: dict[str, Any]) -> None:
    court.write("state", LAST_WORD)
    court.write("state", LAST_WORD | {"state": "PENDING", "at": 50_001} | change)
    assert court.verdict == ""


def test_5_a_sweep_may_queue_what_has_failed(court: Court) -> None:
    results, queued = court.oracle.results, LAST_WORD | {"state": "PENDING", "at": 45_000, "queuedAt": 55_000}
    results.state_written("function#any", LAST_WORD, queued)
    assert court.verdict == ""
    results.state_written("function#any", queued | LAST_WORD, queued)
    assert court.verdict.startswith("invariant 5")
