import json

from hub.diagnosis import Kind
from infra.doctor import lines

KIND = Kind(name="account-role", group="accounts", asks="?", wrong="-", fix="do")
CHECKS = (KIND.ok("210000000001", "in"), KIND.failed("210000000002", "not in: ünïcode\nand more"))
LOG = '{"event": "worker ready", "level": "info"}'


def test_checks_come_back_from_a_log_with_other_lines_in_any_order() -> None:
    written = [LOG, lines.last_line(2), *map(lines.line, CHECKS), "plain text"]
    told = lines.read(written)
    assert told.checks == CHECKS
    assert told.is_complete
    assert told.others == (LOG, "plain text")


def test_a_line_that_was_lost_shows() -> None:
    assert not lines.read([lines.line(CHECKS[0]), lines.last_line(2)]).is_complete
    without_end = lines.read([lines.line(CHECKS[0])])
    assert (without_end.announced, without_end.is_complete) == (None, False)


def test_what_only_looks_like_a_check_is_none() -> None:
    wrong = [
        lines.line(CHECKS[0])[:-5],
        json.dumps({"scanhubDoctor": 2, "check": CHECKS[0].document()}),
        json.dumps({"scanhubDoctor": 1, "check": {"name": "x"}}),
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
    assert all("\n" not in lines.line(check) for check in CHECKS)
