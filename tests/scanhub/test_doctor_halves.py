from infra.doctor import lines
from scanhub.doctor_halves import Pace


def test_a_log_driver_with_a_small_buffer_keeps_up() -> None:
    pauses: list[float] = []
    pace = Pace(most=256 * 1024, sleep=pauses.append)
    # A thousand accounts in seventeen regions: a role, and what can be read and was seen in each region.
    for _ in range(1000 * (1 + 2 * 17)):
        pace.wrote(320)
    assert sum(pauses) == 1000 * (1 + 2 * 17) * 320 // (256 * 1024 + 320 - 256 * 1024 % 320)
    assert lines.MOST_LINE < 256 * 1024


def test_few_lines_are_written_at_once() -> None:
    pauses: list[float] = []
    pace = Pace(most=1000, sleep=pauses.append)
    for _ in range(9):
        pace.wrote(100)
    assert pauses == []
    pace.wrote(100)
    assert pauses == [1.0]
