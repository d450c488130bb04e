"""Messages that vanish, are parked wrongly, or are deleted without a result."""

from typing import Any

import pytest

from hub.ledger_schema import Key
from hub.message import Parking
from hub.tries import Failure
from tests.simulation.court import ARN, CONTENT, PK, SCAN_SK, Court
from tests.simulation.truth import Version, moment


def test_1_a_message_that_vanished(court: Court) -> None:
    court.send()
    court.oracle.finished()
    assert court.verdict.startswith("invariant 1: message m1 has vanished")


def test_1_two_messages_that_were_coalesced_into_each_other(court: Court) -> None:
    for one, other in (("m1", "m2"), ("m2", "m1")):
        court.send(one)
        court.scene.letters[one].ending, court.scene.letters[one].into = "coalesced", other
    court.oracle.finished()
    assert court.verdict.startswith("invariant 1: message m1 has vanished")


def test_1_a_function_whose_last_event_came_and_that_has_no_result(court: Court) -> None:
    court.send()
    court.scene.letters["m1"].ending = "covered"
    court.write("state", {"state": "COVERED", "fingerprint": CONTENT, "asOf": 1})
    court.oracle.finished()
    assert court.verdict.endswith("no result of it is durable")


def test_1_a_function_whose_state_hides_its_result(court: Court) -> None:
    court.send()
    court.scene.letters["m1"].ending = "covered"
    court.write(SCAN_SK, {"summary": court.summary()})
    court.write("state", {"state": "PENDING", "fingerprint": CONTENT, "asOf": 1})
    court.oracle.finished()
    assert "its state is PENDING" in court.verdict


def test_1_a_deleted_function_that_is_still_covered(court: Court) -> None:
    court.send()
    court.scene.letters["m1"].ending = "covered"
    court.scene.organization.functions[ARN].history.append(Version(-1, None, moment(-1)))
    court.write("state", {"state": "COVERED", "fingerprint": CONTENT, "asOf": 1})
    court.oracle.finished()
    assert court.verdict.endswith("it does not exist, and its state is COVERED")


def parking(reason: str, *failures: tuple[int, str]) -> Parking:
    history = tuple(Failure(attempt, why, "", moment(attempt)) for attempt, why in failures)
    return Parking(reason, "", str(ARN), len(failures), moment(0), history)


@pytest.mark.parametrize(
    ("reason", "failures", "fault"),
    [
        ("scanner_crashed", [], "its history has {}"),
        (
            "scanner_crashed",
            [(one, "scanner_crashed") for one in range(1, 5)],
            "its history has {'scanner_crashed': 4}",
        ),
        ("scanner_crashed", [(one, "scanner_crashed") for one in range(1, 6)], "the ledger has []"),
        ("upload_failed", [(one, "upload_failed") for one in range(1, 40)], "that is no reason to park"),
        ("qualys", [], "that is no reason to park"),
        ("effects_owed", [(1, "throttled")], "it owes nothing"),
    ],
)
def test_1_a_message_parked_too_early_or_for_no_reason(
    court: Court, reason: str, failures: list[tuple[int, str]], fault: str
) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.oracle.parked("w1", message, parking(reason, *failures), effective=True)
    assert court.verdict.startswith("invariant 1: w1 parks message m1")
    assert fault in court.verdict


def test_1_a_message_parked_in_good_order(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    noted: dict[str, Any] = {f"try#{attempt:04}#no_access": {} for attempt in range(1, 6)}
    court.write("tries", noted, pk="message#m1")
    told = parking("no_access", *((attempt, "no_access") for attempt in range(1, 6)))
    court.oracle.parked("w1", message, told, effective=True)
    assert court.verdict == ""


@pytest.mark.parametrize(("kind", "reason"), [("malformed", "not_json"), ("mismatch", "account_mismatch")])
def test_1_only_the_true_reason_parks_a_body(court: Court, kind: str, reason: str) -> None:
    message = court.send(kind=kind)
    court.deliver("w1", message)
    court.oracle.parked("w1", message, parking(reason), effective=True)
    assert court.verdict == ""
    court.oracle.parked("w1", message, parking("no_access", *[(1, "no_access")] * 5), effective=True)
    assert court.verdict.startswith("invariant 1")


def test_3_a_message_deleted_without_a_result(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert court.verdict.startswith("invariant 3: w1 deletes message m1 without a result")


def test_3_a_message_coalesced_into_itself(court: Court) -> None:
    message = court.send()
    court.claim("w1", "owner-1", "m1", until=180)
    court.deliver("w2", message)
    court.oracle.deleted("w2", message, effective=True)
    assert "without a result" in court.verdict


def test_3_a_message_coalesced_into_another(court: Court) -> None:
    message = court.send()
    court.claim("w1", "owner-1", "m2", until=180)
    court.deliver("w2", message)
    court.oracle.deleted("w2", message, effective=True)
    assert (court.verdict, court.scene.letters["m1"].into) == ("", "m2")


@pytest.mark.parametrize(
    "changes", [{"status": "failed"}, {"manifestKey": "scans/nowhere/manifest.json"}, {"freshUntil": 0}]
)
def test_3_a_message_deleted_for_a_result_that_is_none(court: Court, changes: dict[str, Any]) -> None:
    message = court.send()
    court.scene.items.update({Key(PK, SCAN_SK): {"summary": court.summary(**changes)}})  # type: ignore[attr-defined]  # unseen
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert "without a result" in court.verdict


def test_3_a_message_deleted_for_an_older_code(court: Court) -> None:
    court.write(SCAN_SK, {"summary": court.summary()})
    court.now[0] = 10
    court.scene.organization.functions[ARN].history.append(Version(5, "orders-1-1", moment(5)))
    message = court.send(about=5)
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert "without a result" in court.verdict


def test_3_a_message_deleted_while_its_own_effects_are_owed(court: Court) -> None:
    message = court.send()
    court.write(SCAN_SK, {"summary": court.summary(), "committedBy": "m1", "owed": frozenset({"tag"})})
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert court.verdict.endswith("whose result still owes {'tag'}")


@pytest.mark.parametrize("kind", ["malformed", "mismatch"])
def test_3_what_is_to_be_parked_is_not_deleted(court: Court, kind: str) -> None:
    message = court.send(kind=kind)
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert court.verdict.startswith("invariant 3")
