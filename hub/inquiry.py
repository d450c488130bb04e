"""A check that is one question to something that answers or raises, as the adapters of the hub do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.diagnosis import Check, Kind
from spoke.errors import ScanhubError, Throttled

PATIENCE = 30.0
"""Seconds for one answer: AWS's clients try again for less."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked.

    Attributes:
        kind: Of the check.
        subject: What is asked.
        ask: Gives the reason why all is well, or the check itself where there is more to say than well or not; raises
            `ScanhubError` where it is not well.
    """

    kind: Kind
    subject: str
    ask: Callable[[], Awaitable[str | Check]]


async def answered(inquiry: Inquiry, *, patience: float = PATIENCE) -> Check:
    """The check. Whatever the question raises becomes its answer.

    Args:
        inquiry: See there.
        patience: Seconds.
    """
    kind, subject = inquiry.kind, inquiry.subject
    try:
        async with asyncio.timeout(patience):
            answer = await inquiry.ask()
        return answer if isinstance(answer, Check) else kind.ok(subject, answer)
    except TimeoutError:
        return kind.failed(subject, f"no answer within {patience:g} s")
    except Throttled as error:
        return kind.unknown(subject, error.text)
    except ScanhubError as error:
        return kind.failed(subject, error.text)
    except Exception as error:  # noqa: BLE001  # a mistake in one check must not end the others
        return kind.unknown(subject, f"the check itself failed: {type(error).__name__}: {error}")
