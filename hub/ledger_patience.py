"""How the ledger waits out what is over in milliseconds."""

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from spoke.errors import Throttled


class Collision(Throttled):
    """Another write to the same item is under way, or a part of a batch was put off."""


# The scan that a collision would throw away may have taken an hour.
patient = retry(
    retry=retry_if_exception_type(Collision),
    stop=stop_after_attempt(8),
    wait=wait_random_exponential(multiplier=0.05, max=2),
    reraise=True,
)
