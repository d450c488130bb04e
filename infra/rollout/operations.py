"""Operations on a StackSet: begun one after the other, and watched in each account and region."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import sleep as _sleep
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay

from infra.calls import AwsClient, calling
from infra.rollout.hints import with_hint
from infra.rollout.operator import Operator, Step
from infra.stack_sets import CallAs
from spoke.errors import ScanhubError, Unavailable

RUNNING = frozenset({"RUNNING", "QUEUED", "STOPPING"})
PATIENCE = 24 * 3600.0
"""Seconds to wait for an operation: a thousand accounts in many regions take hours."""

LEAST_PAUSE = 5.0
MOST_PAUSE = 60.0
"""Seconds between two looks. Each look reads all results, a hundred a page: many results are looked at less often."""

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

    def settle(self) -> None:
        """Wait for operations that run already, such as one that was begun before an interruption.

        Raises:
            Unavailable: They take longer than a day.
        """
        for operation in self._running():
            self.operator.tell(f"stack set {self.name}: the operation {operation} runs already; waiting until it ends")
            self._ended(operation)

    def run(self, doing: str, begin: str, **arguments: Any) -> None:
        """Begin an operation, and wait until it has ended everywhere.

        Args:
            doing: For messages, such as "creating the instances".
            begin: The method of the client.
            arguments: Its arguments, without the name and CallAs.

        Raises:
            OperationFailed: It failed in some account or region.
            Misconfigured: AWS refuses it.
            Throttled, Unavailable: AWS cannot be asked now, or it takes longer than a day.
        """
        with calling(f"{doing} of the stack set {self.name}"):
            answer = getattr(self.client, begin)(StackSetName=self.name, CallAs=self.call_as, **arguments)
        identity = answer["OperationId"]
        self.operator.tell(f"stack set {self.name}: {doing} (operation {identity})")
        status, reason = self._ended(identity)
        failed = [result for result in self.results(identity) if result.status in {"FAILED", "CANCELLED"}]
        if status != "SUCCEEDED" or failed:
            raise self._failure(doing, status, reason, failed)
        self.operator.tell(f"stack set {self.name}: {doing}: {status}")

    def results(self, identity: str) -> Iterator[Result]:
        """What the operation has come to so far.

        Raises:
            Misconfigured, Throttled, Unavailable: AWS cannot be asked.
        """
        with calling(f"reading the results of an operation of the stack set {self.name}"):
            pages = self.client.get_paginator("list_stack_set_operation_results").paginate(
                StackSetName=self.name, OperationId=identity, CallAs=self.call_as
            )
            listed = [one for page in pages for one in page["Summaries"]]
        for one in listed:
            yield Result(
                account=one["Account"],
                region=one["Region"],
                status=one["Status"],
                reason=" ".join(str(one.get("StatusReason") or "").split()),
            )

    def _running(self) -> list[str]:
        with calling(f"listing the operations of the stack set {self.name}"):
            pages = self.client.get_paginator("list_stack_set_operations").paginate(
                StackSetName=self.name, CallAs=self.call_as
            )
            return [one["OperationId"] for page in pages for one in page["Summaries"] if one["Status"] in RUNNING]

    def _ended(self, identity: str) -> tuple[str, str]:
        seen: dict[tuple[str, str], str] = {}

        def look() -> tuple[str, str]:
            with calling(f"looking at an operation of the stack set {self.name}"):
                answer = self.client.describe_stack_set_operation(
                    StackSetName=self.name, OperationId=identity, CallAs=self.call_as
                )["StackSetOperation"]
            self._tell(identity, seen)
            return str(answer["Status"]), str(answer.get("StatusReason") or "")

        waiting = Retrying(
            retry=retry_if_result(lambda ended: ended[0] in RUNNING),
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

    def _failure(self, doing: str, status: str, reason: str, failed: list[Result]) -> OperationFailed:
        # The ones that failed say why; those cancelled after them only that others failed.
        failed.sort(key=lambda result: (result.status != "FAILED", result))
        lines = [
            f"{one.account} {one.region}: {one.status}: {with_hint(one.reason or 'no reason was given')}"
            for one in failed
        ]
        first = lines[0] if lines else with_hint(reason or "AWS gave no reason")
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return OperationFailed(
            f"stack set {self.name}: {doing} ended as {status}; {first}{more}", detail="\n".join(lines[:_SHOWN])
        )
