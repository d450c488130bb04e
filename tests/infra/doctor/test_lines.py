import json

import pytest

from hub.diagnosis import Kind
from infra.doctor import lines

KIND = Kind(name="account-role", group="accounts", asks="?", wrong="-", fix="do")
CHECKS = (KIND.ok("210000000001", "in"), KIND.failed("210000000002", "not in: ünïcode\nand more"))
WRITTEN = [lines.line(check, number) for number, check in enumerate(CHECKS)]
LOG = '{"event": "worker ready", "level": "info"}'


def test_checks_come_back_from_a_log_with_other_lines_in_any_order() -> None:
    written = [LOG, lines.last_line(2), *reversed(WRITTEN), "plain text"]
    told = lines.read(written)
    assert told.checks == CHECKS
    assert told.is_complete
    assert told.others == (LOG, "plain text")


def test_a_line_that_was_lost_shows() -> None:
    assert not lines.read([WRITTEN[0], lines.last_line(2)]).is_complete
    without_end = lines.read([WRITTEN[0]])
    assert (without_end.announced, without_end.is_complete) == (None, False)


def test_what_only_looks_like_a_check_is_none() -> None:
    wrong = [
        WRITTEN[0][:-5],
        json.dumps({"scanhubDoctor": 2, "check": CHECKS[0].document()}),
        json.dumps({"scanhubDoctor": 1, "number": 0, "check": {"name": "x"}}),
        json.dumps({"scanhubDoctor": 1, "check": CHECKS[0].document()}),
        json.dumps({"scanhubDoctor": 1, "check": None}),
        json.dumps({"scanhubDoctor": 1, "end": "many"}),
        json.dumps({"scanhubDoctor": 1}),
        json.dumps(["scanhubDoctor"]),
    ]
    told = lines.read(wrong)
    assert told.checks == ()
    assert told.announced is None
    assert told.others == tuple(wrong)


def test_each_is_one_line() -> None:
    assert all("\n" not in line for line in WRITTEN)


def test_a_line_that_came_twice_is_read_once() -> None:
    told = lines.read([*WRITTEN, WRITTEN[0], lines.last_line(2)])
    assert told.checks == CHECKS
    assert told.is_complete


@pytest.mark.parametrize("letter", ["a", "\u00fc", "\U0001f512"])
def test_no_line_is_so_long_that_it_is_torn(letter: str) -> None:
    longest = KIND.failed(letter * 5000, letter * 5000, fix=letter * 5000, evidence=[letter * 5000] * 50)
    written = lines.line(longest, 12_345)
    assert len(written.encode()) <= lines.MOST_LINE < 16 * 1024
    [read] = lines.read([written]).checks
    assert read.verdict is longest.verdict
    assert longest.reason.startswith(read.reason[:50])
    assert read.reason
