from collections.abc import Iterator

import pytest

from tests.policies.evaluator import Evaluator


@pytest.fixture(scope="session")
def evaluator() -> Iterator[Evaluator]:
    """One process for all tests of a session."""
    with Evaluator() as one:
        yield one
