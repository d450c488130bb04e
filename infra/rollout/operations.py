"""Operations on a StackSet: begun one after the other, and watched in each account and region."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import sleep as _sleep
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_exception_type, retry_if_result, stop_after_delay

from infra.calls import AwsClient, calling
from infra.rollout.hints import with_hint
from infra.rollout.operator import Operator, Step
from infra.stack_sets import PAGE, CallAs
from infra.words import one_line
from spoke.aws_errors import error_code
from spoke.errors import ScanhubError, Throttled, Unavailable

RUNNING = frozenset({"RUNNING", "QUEUED", "STOPPING"})
PATIENCE = 24 * 3600.0
"""Seconds to wait for an operation: a thousand accounts in many regions take hours."""

LEAST_PAUSE = 5.0
MOST_PAUSE = 60.0
"""Seconds between two looks. Each look reads all results, a hundred a page: many results are looked at less often."""

MOST_TRIES = 5
"""How often an operation is begun, if somebody else's gets in between each time."""

_BUSY = frozenset({"OperationInProgressException", "StaleRequestException"})
"""AWS's words for another operation, by somebody else or for an account that joined, under way or done meanwhile."""

_SHOWN = 10


class OperationFailed(ScanhubError):
    """The operation did not reach every account and region. `detail` names each, a line each."""


@dataclass(frozen=True, kw_only=True, order=True)
class Result:
    """What an operation came to in one account and region.

    Attributes:
        account: Twelve digits.
        region: Such as `eu-central-1`.
        status: `PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED` or `CANCELLED`.
        reason: AWS's words for a failure.
    """

    account: str
    region: str
    status: str
    reason: str = ""


def failure(what: str, failed: Sequence[Result], reason: str = "") -> OperationFailed:
    """The error for results that failed or were cancelled.

    Args:
        what: What ended how, for the message.
        failed: In whatever order.
        reason: AWS's words for the operation as a whole, for want of results.
    """
    # The ones that failed say why; those cancelled after them only that others failed.
    ordered = sorted(failed, key=lambda result: (result.status != "FAILED", result))
    lines = [
        f"{one.account} {one.region}: {one.status}: {with_hint(one.reason or 'no reason was given')}" for one in ordered
    ]
    first = lines[0] if lines else with_hint(reason or "AWS gave no reason")
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    rest = [f"and {len(lines) - _SHOWN} more: scanhub rollout status names them"] if len(lines) > _SHOWN else []
    return OperationFailed(f"{what}; {first}{more}", detail="\n".join([*lines[:_SHOWN], *rest]))


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Starts and awaits operations of one StackSet.

    Attributes:
        client: A boto3 CloudFormation client of the StackSet's region.
        name: The StackSet's.
        call_as: On whose behalf.
        operator: Who is told.
        sleep: How to pause.
    """

    client: AwsClient = field(repr=False)
    name: str
    call_as: CallAs
    operator: Operator
    sleep: Callable[[float], None] = field(default=_sleep, repr=False)

    def settle(self) -> bool:
        """Wait for operations that run already, such as one that was begun before an interruption.

        Returns:
            Whether there were any.

        Raises:
            Unavailable: They take longer than a day.
        """
        running = self.running()
        for operation in running:
            self.operator.tell(f"stack set {self.name}: the operation {operation} runs already; waiting until it ends")
            self._ended(operation)
        return bool(running)

    def run(self, doing: str, begin: str, **arguments: Any) -> tuple[Result, ...]:
        """Begin an operation, and wait until it has ended everywhere.

        Args:
            doing: For messages, such as "creating the instances".
            begin: The method of the client.
            arguments: Its arguments, without the name and CallAs.

        Returns:
            Where it failed, within the tolerance: AWS calls that a success.

        Raises:
            OperationFailed: It failed in more accounts than the tolerance allows, or was stopped.
            Misconfigured: AWS refuses it.
            Throttled, Unavailable: AWS cannot be asked now, or it takes longer than a day.
        """
        identity = self._begun(doing, begin, arguments)
        self.operator.tell(f"stack set {self.name}: {doing} (operation {identity})")
        status, reason = self._ended(identity)
        failed = tuple(result for result in self.results(identity) if result.status in {"FAILED", "CANCELLED"})
        if status != "SUCCEEDED":
            raise failure(f"stack set {self.name}: {doing} ended as {status}", failed, reason)
        but = f", but for {len(failed)} accounts and regions" if failed else ""
        self.operator.tell(f"stack set {self.name}: {doing}: {status}{but}")
        return failed

    def results(self, identity: str) -> Iterator[Result]:
        """What the operation has come to so far.

        Raises:
            Misconfigured, Throttled, Unavailable: AWS cannot be asked.
        """
        with calling(f"reading the results of an operation of the stack set {self.name}"):
            pages = self.client.get_paginator("list_stack_set_operation_results").paginate(
                StackSetName=self.name,
                OperationId=identity,
                CallAs=self.call_as,
                PaginationConfig={"PageSize": PAGE},
            )
            listed = [one for page in pages for one in page["Summaries"]]
        for one in listed:
            yield Result(
                account=one["Account"],
                region=one["Region"],
                status=one["Status"],
                reason=one_line(one.get("StatusReason")),
            )

    def running(self) -> list[str]:
        """Operations that are under way or queued, whoever began them.

        Raises:
            Misconfigured, Throttled, Unavailable: AWS cannot be asked.
        """
        with calling(f"listing the operations of the stack set {self.name}"):
            pages = self.client.get_paginator("list_stack_set_operations").paginate(
                StackSetName=self.name, CallAs=self.call_as
            )
            return [one["OperationId"] for page in pages for one in page["Summaries"] if one["Status"] in RUNNING]

    def _begun(self, doing: str, begin: str, arguments: dict[str, Any]) -> str:
        """The operation's id. What somebody else has begun meanwhile is awaited first."""
        for _ in range(MOST_TRIES):
            with calling(f"{doing} of the stack set {self.name}"):
                try:
                    answer = getattr(self.client, begin)(StackSetName=self.name, CallAs=self.call_as, **arguments)
                    return str(answer["OperationId"])
                except ClientError as error:
                    if error_code(error) not in _BUSY:
                        raise
            if not self.settle():
                # The list of operations lags behind.
                self.sleep(LEAST_PAUSE)
        raise Unavailable(f"{doing} of the stack set {self.name}: others keep working on it; run the command again")

    def _ended(self, identity: str) -> tuple[str, str]:
        seen: dict[tuple[str, str], str] = {}

        def look() -> tuple[str, str]:
            with calling(f"looking at an operation of the stack set {self.name}"):
                answer = self.client.describe_stack_set_operation(
                    StackSetName=self.name, OperationId=identity, CallAs=self.call_as
                )["StackSetOperation"]
            self._tell(identity, seen)
            return str(answer["Status"]), one_line(answer.get("StatusReason"))

        waiting = Retrying(
            # The operation goes on while AWS, or the way to it, is out of reach: so does the waiting.
            retry=retry_if_result(lambda ended: ended[0] in RUNNING)
            | retry_if_exception_type((Throttled, Unavailable)),
            wait=lambda _: min(MOST_PAUSE, LEAST_PAUSE + len(seen) / 100),
            stop=stop_after_delay(PATIENCE),
            sleep=self.sleep,
        )
        try:
            return waiting(look)
        except RetryError:
            raise Unavailable(f"an operation of the stack set {self.name} still runs after a day") from None

    def _tell(self, identity: str, seen: dict[tuple[str, str], str]) -> None:
        for result in self.results(identity):
            place = (result.account, result.region)
            if seen.get(place) == result.status or result.status == "PENDING":
                continue
            seen[place] = result.status
            step = Step(where=f"{result.account} {result.region}", what="", status=result.status, reason=result.reason)
            self.operator.moved(step)
