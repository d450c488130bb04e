import pytest

from hub.tries import Failure
from tests.ledger_samples import NOW


@pytest.mark.parametrize("reason", ["throttled", "scanner_crashed", "worker_died"])
def test_a_reason_is_a_word(reason: str) -> None:
    assert Failure(1, reason, "", NOW).reason == reason


@pytest.mark.parametrize(
    "reason", ["", "Throttled", "worker-died", "a#b", "too many", "throttled\n", "größe", "exit 6"]
)
def test_anything_else_is_refused(reason: str) -> None:
    """It becomes part of an attribute's name."""
    with pytest.raises(ValueError, match="not a reason word"):
        Failure(1, reason, "", NOW)
