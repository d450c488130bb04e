import pytest

from hub.diagnosis import Check, Kind
from infra.doctor import report

SECRET = Kind(name="qualys-secret", group="secrets", asks="?", wrong="-", fix="do")
QUEUE = Kind(name="queue-policy", group="queues", asks="?", wrong="-", fix="do")


def test_what_the_engineer_could_not_ask_and_the_worker_did_is_told_once() -> None:
    outside = [SECRET.unknown("a", "not allowed"), SECRET.unknown("b", "not allowed"), QUEUE.unknown("a", "-")]
    inside = [SECRET.failed("a", "empty")]
    assert report.merged(outside, inside) == (*outside[1:], *inside)
    well = SECRET.ok("a", "for EU1")
    assert report.merged([well], inside) == (well, *inside)


@pytest.mark.parametrize(
    ("check", "wrong", "strictly"),
    [
        (QUEUE.ok("a", "-"), False, False),
        (QUEUE.warning("a", "-"), False, True),
        (QUEUE.unknown("a", "-"), False, True),
        (QUEUE.failed("a", "-"), True, True),
    ],
)
def test_when_something_is_wrong(check: Check, wrong: bool, strictly: bool) -> None:
    checks = [QUEUE.ok("b", "-"), check]
    assert report.is_wrong(checks, strict=False) is wrong
    assert report.is_wrong(checks, strict=True) is strictly
    assert not report.is_wrong([], strict=True)


def test_when_nothing_could_be_asked_something_is_wrong() -> None:
    # Expired credentials in somebody's nightly run, say.
    assert report.is_wrong([QUEUE.unknown("a", "-"), QUEUE.unknown("b", "-")], strict=False)


def test_the_document() -> None:
    checks = [QUEUE.ok("a", "-"), QUEUE.failed("b", "-")]
    assert report.document(checks) == {
        "schemaVersion": 1,
        "verdicts": {"ok": 1, "warning": 0, "failed": 1, "unknown": 0},
        "checks": [check.document() for check in checks],
    }
