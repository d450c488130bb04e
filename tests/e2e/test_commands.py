"""The commands on an organization of three spokes, two regions and some two hundred and fifty functions.

The town takes far longer to build than a command takes in it, and each process builds its own: so all tests are of this
one file to pytest, though they stand by subject in `tests/e2e/commands/`.
"""

from collections.abc import Iterator

import pytest

from tests.e2e import course
from tests.e2e.commands.coverage import TestCoverage
from tests.e2e.commands.places import FIRST, SECOND, SPOKES
from tests.e2e.commands.scanning import TestScan
from tests.e2e.commands.service import TestShow, TestStatusAndPause
from tests.e2e.commands.sweeping import TestSweep
from tests.e2e.course import Course, empty_queues
from tests.e2e.town import NUMBER, Town, built

__all__ = ["TestCoverage", "TestScan", "TestShow", "TestStatusAndPause", "TestSweep"]

pytestmark = [pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Course]]:
    """The organization, swept and scanned as `Course` says; no test changes a state for good."""
    with built(tmp_path_factory.mktemp("town")) as town:
        yield town, course.run(town)


@pytest.fixture
def town(known: tuple[Town, Course], monkeypatch: pytest.MonkeyPatch) -> Town:
    for name, value in known[0].environment.items():
        monkeypatch.setenv(name, value)
    return known[0]


@pytest.fixture(scope="module")
def told(known: tuple[Town, Course]) -> Course:
    return known[1]


@pytest.fixture
def quiet(town: Town) -> Iterator[Town]:
    """Queues that are empty, before and afterwards."""
    empty_queues(town.deployment)
    yield town
    empty_queues(town.deployment)


def test_the_town_is_as_large_as_it_is_said_to_be(town: Town) -> None:
    assert len(town.members) > NUMBER
    assert {(arn.split(":")[4], arn.split(":")[3]) for arn in town.members} == {
        (account, region) for account in SPOKES for region in (FIRST, SECOND)
    }
