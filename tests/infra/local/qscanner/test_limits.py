import pytest

from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.limits import MIB, Budget, Limits


def test_the_time_given_is_all_there_is() -> None:
    now = 100.0
    budget = Budget(Limits(), seconds=30, clock=lambda: now)
    now = 129.0
    budget.check_time()
    now = 131.0
    with pytest.raises(ScanFailed, match="timed out") as failure:
        budget.take_bytes(1, 1, "app.py")
    assert failure.value.code is ExitCode.GENERIC
    with pytest.raises(ScanFailed, match="timed out"):
        budget.take_entries(1, "")


def test_entries_add_up_over_all_archives() -> None:
    budget = Budget(Limits(entries=10))
    budget.take_entries(6, "")
    budget.take_entries(4, "a.jar")
    with pytest.raises(ScanFailed, match=r"b\.jar: more than 10 entries") as failure:
        budget.take_entries(1, "b.jar")
    assert failure.value.code is ExitCode.OVER_LIMIT


def test_bytes_add_up_over_all_archives() -> None:
    budget = Budget(Limits(total_bytes=1000))
    budget.take_bytes(600, 600, "a")
    budget.take_bytes(400, 400, "b")
    with pytest.raises(ScanFailed, match="more than 1,000 bytes"):
        budget.take_bytes(1, 1, "c")


def test_a_small_file_may_be_packed_tightly_and_a_large_one_may_not() -> None:
    budget = Budget(Limits(ratio=200))
    budget.take_bytes(MIB, 1030, "zeros")
    budget.take_bytes(2 * MIB, 2 * MIB // 200 + 1, "log")
    with pytest.raises(ScanFailed, match="ratio above 200"):
        budget.take_bytes(2 * MIB, 2 * MIB // 201, "bomb")


def test_warnings_do_not_grow_without_end() -> None:
    budget = Budget(Limits())
    for number in range(1000):
        budget.warn(str(number))
    assert len(budget.warnings) == 100
