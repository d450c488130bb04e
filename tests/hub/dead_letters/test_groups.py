from datetime import timedelta

from hub.dead_letters.groups import Group, grouped
from hub.message import Source
from tests.dead_letters_rig import ACCOUNT, parked
from worker.memory.clock import START


def test_the_largest_group_comes_first_with_its_oldest_and_newest() -> None:
    messages = [
        parked(1),
        parked(5),
        parked(3),
        parked(2, "not_json", body="{", function=""),
        parked(4, source=Source.SWEEP),
    ]
    minute = timedelta(minutes=1)
    assert grouped(messages) == [
        Group(
            source=Source.CHANGES,
            reason="scanner_crashed",
            account=ACCOUNT,
            count=3,
            oldest=START + minute,
            newest=START + 5 * minute,
        ),
        Group(
            source=Source.CHANGES,
            reason="not_json",
            account=None,
            count=1,
            oldest=START + 2 * minute,
            newest=START + 2 * minute,
        ),
        Group(
            source=Source.SWEEP,
            reason="scanner_crashed",
            account=ACCOUNT,
            count=1,
            oldest=START + 4 * minute,
            newest=START + 4 * minute,
        ),
    ]
    assert grouped([]) == []
