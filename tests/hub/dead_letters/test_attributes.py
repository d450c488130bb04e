import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dead_letters.attributes import MAX_MESSAGE_BYTES, parked_attributes
from hub.message import Parking
from hub.tries import Failure
from worker.memory.clock import START

FUNCTION = "arn:aws:lambda:eu-central-1:210987654321:function:checkout-api"


def parking(
    detail: str = "", reason: str = "scanner_crashed", function: str = FUNCTION, history: tuple[Failure, ...] = ()
) -> Parking:
    return Parking(reason, detail, function, 5, START, history)


def tries(count: int) -> tuple[Failure, ...]:
    return tuple(
        Failure(number, "scanner_crashed", f"the scanner died of signal {number}", START + timedelta(minutes=number))
        for number in range(1, count + 1)
    )


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


@given(st.integers(0, 1200), st.text(max_size=30), st.integers(0, 12))
def test_beside_any_body_the_message_stays_within_the_limit(room: int, text: str, count: int) -> None:
    body = "b" * (MAX_MESSAGE_BYTES - room)
    history = tuple(replace(one, text=text) for one in tries(count))
    assert size(body, parking(text * 10, history=history)) <= MAX_MESSAGE_BYTES


class TestHistory:
    def test_every_failed_try_is_told_oldest_first(self) -> None:
        assert json.loads(values("{}", parking("why", history=tries(2)))["history"]) == [
            {
                "attempt": 1,
                "reason": "scanner_crashed",
                "text": "the scanner died of signal 1",
                "at": "2026-01-01T00:01:00.000Z",
            },
            {
                "attempt": 2,
                "reason": "scanner_crashed",
                "text": "the scanner died of signal 2",
                "at": "2026-01-01T00:02:00.000Z",
            },
        ]

    def test_without_a_try_there_is_none(self) -> None:
        assert "history" not in values("{}", parking("why"))

    def test_where_room_is_short_the_oldest_go_first_and_then_all_of_it(self) -> None:
        whole = parking("why", history=tries(9))

        def attempts(room: int) -> list[int] | None:
            sent = values("b" * (MAX_MESSAGE_BYTES - room), whole)
            assert sent["detail"] == "why"
            return [one["attempt"] for one in json.loads(sent["history"])] if "history" in sent else None

        free = size("", whole)
        assert attempts(free) == list(range(1, 10))
        assert attempts(free - 1) == list(range(2, 10))
        newest = size("", replace(whole, history=whole.history[-1:]))
        assert attempts(newest) == [9]
        assert attempts(newest - 1) is None

    @given(st.text(st.characters(), max_size=50))
    def test_it_is_json_of_characters_that_sqs_admits(self, text: str) -> None:
        sent = values("{}", parking(history=(replace(tries(1)[0], text=text),)))["history"]
        assert all(" " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one >= "\U00010000" for one in sent)
        told = json.loads(sent)[0]["text"]
        assert [a for a, b in zip(text, told, strict=True) if a != b] == re.findall("[\ud800-\udfff\ufffe\uffff]", text)

    def test_with_everything_there_are_no_more_attributes_than_sqs_admits(self) -> None:
        assert len(values("{}", parking("why", history=tries(1)))) <= 10


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
