"""The failed tries of one message, as the ledger keeps them."""

import re
from dataclasses import dataclass
from datetime import datetime

_WORD = re.compile("[a-z_]+")


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed try. The receive count does not tell them: a message is also received again without a failure.

    Attributes:
        attempt: The receive count of the delivery that failed.
        reason: A stable word, such as `scanner_crashed`. A delivery has at most one failure of a reason.
        text: One line for a person, without secrets.
        at: Aware, UTC.

    Raises:
        ValueError: The reason is not made of lower-case letters and underscores.
    """

    attempt: int
    reason: str
    text: str
    at: datetime

    def __post_init__(self) -> None:
        if _WORD.fullmatch(self.reason) is None:
            raise ValueError(f"not a reason word: {self.reason[:50]!r}")
