"""A kind of check with what it looks at, and how it is made without ending the others."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from hub.diagnosis import Check, Kind
from infra.doctor.deployed import DeployedHub
from spoke.errors import Gone, NoAccess, ScanhubError

log = structlog.get_logger()

AT_ONCE = 6
"""Examinations at once: each waits for AWS most of its time, and API rates are shared with the customer's own tools."""

READ_ACCESS = "make the check with credentials that may read this, such as AWS's managed policy SecurityAudit"


@dataclass(frozen=True, slots=True)
class Examination:
    """What makes the checks of one kind.

    Attributes:
        kind: Which.
        look: Yields them; what it raises becomes one.
    """

    kind: Kind
    look: Callable[[DeployedHub], Iterable[Check]]


def examined(examination: Examination, hub: DeployedHub) -> tuple[Check, ...]:
    """The checks of one kind. What is not there has failed; what could not be asked is unknown."""
    kind, found = examination.kind, []
    try:
        for check in examination.look(hub):
            found.append(check)  # noqa: PERF402  # what came before an error is kept
    except Gone as error:
        found.append(kind.failed(hub.stack.name, error.text))
    except NoAccess as error:
        found.append(kind.unknown(hub.stack.name, error.text, fix=READ_ACCESS))
    except ScanhubError as error:
        found.append(kind.unknown(hub.stack.name, error.text))
    except Exception as error:  # a mistake in one check, or an odd answer, must not end the others
        log.debug("a check failed by a mistake", check=kind.name, exc_info=True)
        found.append(kind.unknown(hub.stack.name, f"the check itself failed: {type(error).__name__}: {error}"))
    return tuple(found)


def examine(
    examinations: Sequence[Examination], hub: DeployedHub, *, progress: Callable[[str], None]
) -> tuple[Check, ...]:
    """All of them, several at once, in their own order.

    Args:
        examinations: What is asked.
        hub: Of what.
        progress: Is told each kind whose turn it is to be told; called by one thread only.
    """
    checks: list[Check] = []
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="doctor") as threads:
        answers = [threads.submit(examined, examination, hub) for examination in examinations]
        try:
            for examination, answer in zip(examinations, answers, strict=True):
                progress(examination.kind.asks)
                checks += answer.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return tuple(checks)
