"""What DynamoDB may answer and moto never does: refusals, lost answers, answers by list."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from hub.ledger import DynamoLedger
from tests.hub.answers import AnswersByList
from tests.ledger_rig import TABLE


def twice(send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """What botocore does when the first answer is lost."""

    async def send_twice(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        with suppress(ClientError):
            await send(**request)
        return await send(**request)

    return send_twice


class Answers(AnswersByList):
    """Of a client of DynamoDB."""

    update_item = transact_write_items = batch_get_item = describe_table = AnswersByList.answer


def refusal(code: str, **more: Any) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "as DynamoDB words it"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(answer | more, "AnyOperation")


def cancelled(*codes: str, items: dict[int, Any] | None = None) -> ClientError:
    """The shape of TransactionCanceledException: one reason a write, `None` as text where that write would pass."""
    reasons = [
        {"Code": code} | ({"Item": (items or {})[n]} if n in (items or {}) else {}) for n, code in enumerate(codes)
    ]
    return refusal("TransactionCanceledException", CancellationReasons=reasons)


def ledger_answered(*answers: Any) -> tuple[DynamoLedger, Answers]:
    """A ledger whose client answers so, and that client."""
    client: Any = Answers(*answers)
    return DynamoLedger(client, TABLE), client
