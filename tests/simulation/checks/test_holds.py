"""Messages that are too many, left behind, or scanned for though they are lost."""

from dataclasses import replace

import pytest

from tests.simulation.court import Court
from tests.simulation.loop import HostState


def test_6_more_messages_in_hand_than_twice_the_slots(court: Court) -> None:
    for number in range(5):
        court.deliver("w1", court.send(f"m{number}"))
    assert court.verdict == "invariant 6: w1 holds 5 messages with 2 slots"


def test_7_a_worker_that_receives_after_its_stop(court: Court) -> None:
    court.oracle.stopping("w1")
    court.passes(1)
    court.oracle.taken("w1", [court.send()])
    assert court.verdict.startswith("invariant 7: w1 receives")


def test_7_a_worker_that_leaves_a_message_invisible(court: Court) -> None:
    court.deliver("w1", court.send())
    court.visible["m1"] = ("m1#1", 60.0)
    court.oracle.stopping("w1")
    court.passes(1)
    court.oracle.ended("w1", how="stopped")
    assert court.verdict.startswith("invariant 7: w1 has ended and left message m1")


def test_8_a_message_that_comes_again_though_it_is_held(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.passes(61)
    court.oracle.taken("w2", [replace(message, receipt_handle="m1#2", receive_count=2)])
    assert court.verdict.startswith("invariant 8: message m1 comes again")


@pytest.mark.parametrize("why", ["whim", "lost", "trouble", "frozen", "settling"])
def test_8_unless_there_is_a_reason(court: Court, why: str) -> None:
    message = court.send()
    court.deliver("w1", message)
    machine = court.scene.machines["w1"]
    if why == "whim":
        court.oracle.whim("m1")
    elif why == "lost":
        court.oracle.extended("w1", [message], [message])
    elif why == "trouble":
        machine.line.troubled_until = 10
    elif why == "frozen":
        machine.host.state = HostState.FROZEN
    else:
        court.oracle.settling("w1", message)
    court.passes(61)
    court.oracle.taken("w2", [replace(message, receipt_handle="m1#2", receive_count=2)])
    assert court.verdict == ""


def test_8_a_scan_for_a_message_that_is_lost(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.scan("w1", until=900)
    court.oracle.extended("w1", [message], [message])
    court.passes(21)
    assert court.verdict.startswith("invariant 8: w1 scans on for message m1")
