from datetime import timedelta

import pytest

from spoke.errors import QualysFault, ScannerCrashed, UploadFailed
from worker.circuit import Circuit, CircuitState
from worker.memory.clock import ManualClock

REFUSED = QualysFault("Qualys refuses the access token")
UPLOAD = UploadFailed("exit 37")


def circuit() -> tuple[Circuit, ManualClock]:
    clock = ManualClock()
    return Circuit(clock), clock


def test_a_refused_token_opens_at_once_and_the_message_pays_nothing() -> None:
    one, _ = circuit()
    assert one.failed(REFUSED, message_id="a", turn=one.turn)
    assert one.state is CircuitState.OPEN
    assert one.reason == REFUSED.text


def test_uploads_of_three_messages_open_and_the_first_two_are_failures_of_their_own() -> None:
    one, _ = circuit()
    assert [one.failed(UPLOAD, message_id=name, turn=0) for name in "abc"] == [False, False, True]
    assert one.is_open


def test_one_message_that_fails_again_and_again_is_no_outage() -> None:
    one, _ = circuit()
    assert not any(one.failed(UPLOAD, message_id="a", turn=0) for _ in range(20))
    assert one.state is CircuitState.CLOSED


def test_a_scan_that_passes_in_between_forgives_the_uploads_before() -> None:
    one, _ = circuit()
    for name in ("a", "b", "-", "c", "d"):
        if name == "-":
            one.passed(turn=0)
        else:
            one.failed(UPLOAD, message_id=name, turn=0)
    assert one.state is CircuitState.CLOSED


def test_what_qualys_is_not_to_blame_for_leaves_it_closed() -> None:
    one, _ = circuit()
    assert not one.failed(ScannerCrashed("died"), message_id="a", turn=0)
    assert one.state is CircuitState.CLOSED


def test_a_probe_that_passes_closes() -> None:
    one, _ = circuit()
    one.failed(REFUSED, message_id="a", turn=0)
    one.probe()
    assert not one.is_open
    one.passed(turn=one.turn)
    assert one.state is CircuitState.CLOSED


def test_a_probe_that_fails_opens_again_for_longer_up_to_a_quarter_of_an_hour() -> None:
    one, _ = circuit()
    pauses = []
    for _ in range(7):
        one.failed(UPLOAD if one.state is CircuitState.PROBING else REFUSED, message_id="a", turn=one.turn)
        pauses.append(one.pause.total_seconds())
        one.probe()
    for pause, least in zip(pauses, (60, 120, 240, 480, 900, 900, 900), strict=True):
        assert least <= pause <= 1.1 * least


def test_after_an_outage_the_next_one_begins_with_a_short_pause() -> None:
    one, _ = circuit()
    for _ in range(4):
        one.failed(REFUSED, message_id="a", turn=one.turn)
        one.probe()
    one.passed(turn=one.turn)
    one.failed(REFUSED, message_id="a", turn=one.turn)
    assert one.pause <= timedelta(seconds=66)


def test_a_scan_begun_before_the_opening_that_passes_late_does_not_close() -> None:
    """Its upload may have been done before the token expired."""
    one, _ = circuit()
    before = one.turn
    one.failed(REFUSED, message_id="a", turn=before)
    one.probe()
    one.passed(turn=before)
    assert one.state is CircuitState.PROBING


def test_scans_begun_before_the_opening_that_fail_late_do_not_make_the_pause_longer() -> None:
    one, clock = circuit()
    for name in "abcdef":
        assert one.failed(REFUSED, message_id=name, turn=0)
    assert one.turn == 1
    assert one.pause <= timedelta(seconds=66)
    clock.advance(timedelta(seconds=66))
    one.probe()
    assert one.failed(REFUSED, message_id="late", turn=0)
    assert one.state is CircuitState.PROBING


def test_a_refusal_that_is_told_after_the_recovery_opens_nothing_and_costs_nothing() -> None:
    one, _ = circuit()
    one.failed(REFUSED, message_id="a", turn=0)
    one.probe()
    one.passed(turn=1)
    assert one.failed(REFUSED, message_id="late", turn=0)
    assert one.state is CircuitState.CLOSED


def test_a_secret_that_cannot_be_read_makes_the_pause_longer() -> None:
    one, clock = circuit()
    one.failed(REFUSED, message_id="a", turn=0)
    clock.advance(timedelta(seconds=66))
    one.stay_open("the secret is not JSON")
    assert one.is_open
    assert one.pause >= timedelta(seconds=120)
    assert one.reason == "the secret is not JSON"


def test_a_message_that_is_refused_again_after_others_have_passed_is_to_blame_itself() -> None:
    """The scanner's words come from untrusted archives."""
    one, _ = circuit()
    assert one.failed(REFUSED, message_id="poison", turn=0)
    one.probe()
    one.passed(turn=one.turn)
    assert not one.failed(REFUSED, message_id="poison", turn=one.turn)
    assert one.state is CircuitState.CLOSED
    assert one.failed(REFUSED, message_id="another", turn=one.turn)
    assert one.is_open


def test_a_scan_begun_before_the_opening_that_passes_late_blames_nobody() -> None:
    one, _ = circuit()
    assert one.failed(REFUSED, message_id="a", turn=0)
    one.passed(turn=0)
    one.probe()
    assert one.failed(REFUSED, message_id="a", turn=one.turn)
    assert one.is_open


def test_every_change_is_told() -> None:
    one, _ = circuit()
    seen: list[CircuitState] = []
    one.on_change = lambda: seen.append(one.state)
    one.failed(REFUSED, message_id="a", turn=0)
    one.probe()
    one.failed(REFUSED, message_id="a", turn=1)
    one.probe()
    one.passed(turn=2)
    one.passed(turn=2)
    assert seen == ["open", "probing", "open", "probing", "closed"]


@pytest.mark.parametrize("state", [CircuitState.CLOSED, CircuitState.PROBING])
def test_there_is_no_pause_unless_it_is_open(state: CircuitState) -> None:
    one, _ = circuit()
    if state is CircuitState.PROBING:
        one.failed(REFUSED, message_id="a", turn=0)
        one.probe()
    assert one.state is state
    assert one.pause == timedelta(0)
