import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.message import Parking
from hub.parked import MAX_MESSAGE_BYTES, parked_attributes
from worker.memory.clock import START

FUNCTION = "arn:aws:lambda:eu-central-1:210987654321:function:checkout-api"


def parking(detail: str = "", reason: str = "scanner_crashed", function: str = FUNCTION) -> Parking:
    return Parking(reason, detail, function, 5, START)


def size(body: str, parking: Parking) -> int:
    """As SQS counts: the body, and each attribute's name, type and value."""
    attributes = parked_attributes(body, parking).items()
    return len(body.encode()) + sum(
        len(name) + len(one["DataType"]) + len(one.get("StringValue", "").encode()) for name, one in attributes
    )


def values(body: str, parking: Parking) -> dict[str, str]:
    return {name: one.get("StringValue", "") for name, one in parked_attributes(body, parking).items()}


def test_a_short_detail_stays_as_it_is() -> None:
    assert (
        values("{}", parking("scanner died of signal 9\nlast line"))["detail"] == "scanner died of signal 9\nlast line"
    )


@given(st.text(st.characters(), max_size=200))
def test_only_characters_that_sqs_admits_are_sent(detail: str) -> None:
    sent = values("{}", parking(f"x{detail}"))["detail"]
    assert len(sent) == len(detail) + 1
    assert all(
        one in "\t\n\r" or " " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one >= "\U00010000" for one in sent
    )
    assert [b for a, b in zip(f"x{detail}", sent, strict=True) if a != b] == ["\ufffd"] * sum(
        a != b for a, b in zip(f"x{detail}", sent, strict=True)
    )


def test_terminal_codes_and_null_are_replaced_in_every_attribute() -> None:
    sent = values("{}", parking("\x1b[31mpanic\x00", reason="a\x07b", function="f\x0b"))
    assert (sent["detail"], sent["reason"], sent["functionArn"]) == ("\ufffd[31mpanic\ufffd", "a\ufffdb", "f\ufffd")


def test_a_long_detail_keeps_its_first_line_and_its_end() -> None:
    detail = "scanner died of signal 9\n" + "\n".join(f"frame {number}" for number in range(200_000)) + "\nlast line"
    sent = values("{}", parking(detail))["detail"]
    assert sent.startswith("scanner died of signal 9\nframe 0\n")
    assert sent.endswith("frame 199999\nlast line")
    assert sent.count("\n[...]\n") == 1
    assert size("{}", parking(detail)) == MAX_MESSAGE_BYTES


@pytest.mark.parametrize("letter", ["x", "é", "語", "🙂"])
def test_a_cut_never_splits_a_character(letter: str) -> None:
    body = "b" * (MAX_MESSAGE_BYTES - 5000)
    sent = values(body, parking(letter * 20_000))["detail"]
    assert set(sent) == set(letter) | set("\n[.]")
    assert MAX_MESSAGE_BYTES - 10 < size(body, parking(letter * 20_000)) <= MAX_MESSAGE_BYTES


@given(st.integers(0, 400), st.text(max_size=300))
def test_beside_any_body_the_message_stays_within_the_limit(room: int, detail: str) -> None:
    body = "b" * (MAX_MESSAGE_BYTES - room)
    assert size(body, parking(detail * 10)) <= MAX_MESSAGE_BYTES


def test_the_reason_is_the_last_to_go() -> None:
    def names(room: int) -> list[str]:
        return list(values("b" * (MAX_MESSAGE_BYTES - room), parking("why " * 50)))

    assert names(0) == []
    assert names(30) == ["reason"]
    assert names(50) == ["reason", "attempts"]
    assert names(90) == ["reason", "attempts", "parkedAt"]
    assert names(170) == ["reason", "attempts", "parkedAt", "functionArn"]
    assert names(200) == ["reason", "attempts", "parkedAt", "functionArn", "detail"]


def test_the_moment_is_iso_8601_in_utc() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", values("{}", parking())["parkedAt"])
