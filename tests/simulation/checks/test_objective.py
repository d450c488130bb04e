"""Changes that count twice, not at all, or were none."""

from dataclasses import replace

from tests.simulation.court import SCAN_SK, Court


def settled(court: Court, message_id: str, ending: str, **sending: object) -> None:
    court.send(message_id, **sending)
    if ending == "stored":
        court.write(SCAN_SK, {"summary": court.summary(), "committedBy": message_id})
    court.scene.letters[message_id].ending = ending


def counted(court: Court, changes: int, within: int = 0, failed: int = 0) -> str:
    court.write("2026-01-01#teller", {"changes": changes, "within": within, "failed": failed}, pk="objective")
    court.oracle.objective.finished()
    return court.verdict


def test_what_was_stored_and_what_was_parked_count(court: Court) -> None:
    settled(court, "m1", "stored")
    settled(court, "m2", "parked")
    settled(court, "m3", "covered")
    settled(court, "m4", "stored", kind="request")
    assert counted(court, 2, within=1, failed=1) == ""


def test_what_a_delivery_before_has_stored_counts_whoever_has_scanned_it_since(court: Court) -> None:
    settled(court, "m1", "stored")
    court.scene.letters["m1"].ending = "covered"
    settled(court, "m2", "stored", kind="request")
    assert counted(court, 1) == ""


def test_a_change_that_counts_twice(court: Court) -> None:
    settled(court, "m1", "stored")
    assert counted(court, 2) == "invariant 14: 2 changes count, 1 were scanned and 0 parked"


def test_unless_the_queue_delivered_it_twice(court: Court) -> None:
    settled(court, "m1", "stored")
    court.oracle.whim("m1")
    assert counted(court, 2) == ""


def test_more_within_the_target_than_were_scanned(court: Court) -> None:
    settled(court, "m1", "parked")
    assert counted(court, 1, within=1, failed=1).startswith("invariant 14: of 1 changes 1 were within")


def test_a_change_that_does_not_count_where_nothing_went_wrong(court: Court) -> None:
    settled(court, "m1", "stored")
    court.scene.plan = replace(court.scene.plan, theme="network")
    assert counted(court, 0) == ""
    court.scene.plan = replace(court.scene.plan, theme="calm")
    assert counted(court, 0).startswith("invariant 14: 0 changes count")
