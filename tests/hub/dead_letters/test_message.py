import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dead_letters.message import NO_REASON
from hub.tries import Failure
from spoke.arn import FunctionArn
from tests.dead_letters_rig import ACCOUNT, FUNCTION, change, parked
from worker.memory.clock import START


def test_what_a_worker_has_parked_is_read_back_whole() -> None:
    at = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    one = parked(7, at=at)
    assert (one.reason, one.detail, one.attempts, one.parked_at) == ("scanner_crashed", "exit 2", 2, at)
    assert (one.function, one.account) == (FunctionArn.parse(FUNCTION), ACCOUNT)
    assert one.history == (Failure(1, "scanner_crashed", "exit 2", at),)
    assert one.attributes["functionArn"] == FUNCTION


def test_what_sqs_itself_has_moved_is_known_by_its_body() -> None:
    one = parked(3, told={})
    assert (one.reason, one.detail, one.attempts, one.parked_at, one.history) == (NO_REASON, "", None, None, ())
    assert (one.function, one.account) == (FunctionArn.parse(FUNCTION), ACCOUNT)
    assert one.at == one.message.sent_at


def test_the_envelope_tells_the_account_even_where_the_function_is_anothers() -> None:
    other = FUNCTION.replace(ACCOUNT, "111111111111")
    one = parked(body=change(other), reason="account_mismatch", function=other)
    assert (one.account, str(one.function)) == (ACCOUNT, other)


def test_an_envelope_that_is_of_no_other_use_still_tells_its_account() -> None:
    body = json.dumps({"source": "aws.lambda", "account": ACCOUNT})
    one = parked(body=body, reason="missing_field", function="")
    assert (one.account, one.function) == (ACCOUNT, None)


@pytest.mark.parametrize("body", ["{", "[]", '{"account": 5}', '{"account": "12"}', "[" * 100_000, '"\ud83d"'])
def test_a_body_without_an_account_has_none(body: str) -> None:
    assert parked(body=body, told={"reason": "not_json"}).account is None


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("reason", "Scanner Crashed", "reason", NO_REASON),
        ("reason", "x" * 65, "reason", NO_REASON),
        ("reason", "\x1b[31m", "reason", NO_REASON),
        ("attempts", "many", "attempts", None),
        ("attempts", "9" * 40, "attempts", None),
        ("parkedAt", "yesterday", "parked_at", None),
        ("parkedAt", "2026-01-01T00:00:00", "parked_at", None),
        ("history", "{", "history", ()),
        ("history", '{"attempt": 1}', "history", ()),
        (
            "history",
            '[1, {"attempt": 1}, {"attempt": 1, "at": "2026-01-01T00:00:00Z", "reason": "No Word"}]',
            "history",
            (),
        ),
        ("functionArn", "arn:aws:s3:::bucket", "function", FunctionArn.parse(FUNCTION)),
        ("detail", "\x1b[31mred\x07\nnext\ttab", "detail", " [31mred \nnext tab"),
    ],
)
def test_attributes_that_nobody_of_ours_has_written_do_no_harm(
    name: str, value: str, field: str, expected: object
) -> None:
    assert getattr(parked(told={name: value}), field) == expected


@given(
    st.text(max_size=80),
    st.dictionaries(
        st.sampled_from(["reason", "detail", "functionArn", "attempts", "parkedAt", "history"]),
        st.text(max_size=80) | st.from_type(int).map(str),
    ),
)
def test_nothing_in_a_message_can_make_reading_fail(body: str, told: dict[str, str]) -> None:
    one = parked(body=body, told=told)
    assert one.order == (one.at, one.message.sent_at, one.id)
    assert all(line.isprintable() for line in one.detail.split("\n"))


def test_the_oldest_sorts_first_by_when_it_was_parked() -> None:
    late, early = parked(1, at=START.replace(hour=9)), parked(2, at=START.replace(hour=8))
    assert sorted([late, early], key=lambda one: one.order) == [early, late]
