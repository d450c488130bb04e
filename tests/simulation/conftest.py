"""What the tests of the oracle and of its checks share."""

import pytest

from tests.simulation.court import Court, convene


@pytest.fixture
def court() -> Court:
    return convene()
