"""What is SQS's alone: the requests as SQS wants them, entries that fail, errors, sizes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError, EndpointConnectionError

from hub.dead_letters.attributes import MAX_MESSAGE_BYTES
from hub.message import Message, Parking, Source
from hub.queue import SqsQueue
from spoke.errors import Misconfigured, ScanhubError, Throttled, Unavailable
from tests import virtual_time
from tests.hub.answers import AnswersByList
from tests.queue_rig import SqsRig, event, one_message, sqs_rig
from worker.memory.clock import START, ManualClock

ACCOUNT = "210987654321"
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes"
MINUTES = timedelta(minutes=1)
PARKING = Parking("malformed", "not JSON: line 1 column 1", "", 1, START)


class Answers(AnswersByList):
    """Of a client of SQS."""

    receive_message = change_message_visibility = change_message_visibility_batch = AnswersByList.answer
    delete_message_batch = send_message = send_message_batch = get_queue_attributes = AnswersByList.answer


def queue_answered(*answers: Any, clock: ManualClock | None = None) -> tuple[SqsQueue, Answers]:
    client: Any = Answers(*answers)
    queue = SqsQueue(
        client,
        url=URL,
        dlq_url=f"{URL}-dlq",
        source=Source.CHANGES,
        clock=clock or ManualClock(),
        visibility=2 * MINUTES,
    )
    return queue, client


def messages(count: int) -> list[Message]:
    return [
        Message(
            id=f"059f36b4-87a3-44ab-83d2-{number:012}",
            body=event(),
            receipt_handle=f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number}",
            receive_count=1,
            sent_at=START - MINUTES,
            received_at=START,
        )
        for number in range(count)
    ]


def refusal(code: str, status: int = 400) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "as SQS words it"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "AnyOperation")


def failed(number: int, code: str, *, sender: bool) -> dict[str, Any]:
    return {"Id": str(number), "SenderFault": sender, "Code": code, "Message": "as SQS words it"}


class TestReceive:
    @pytest.mark.parametrize(("wait", "asked"), [(0, 0), (0.2, 1), (19.5, 20), (20, 20), (60, 20)])
    def test_the_request_is_what_sqs_admits(self, wait: float, asked: int) -> None:
        queue, client = queue_answered({})
        assert virtual_time.run(queue.receive(64, wait=wait)) == []
        assert client.requests == [
            {
                "QueueUrl": URL,
                "MaxNumberOfMessages": 10,
                "WaitTimeSeconds": asked,
                "VisibilityTimeout": 120,
                "MessageSystemAttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
            }
        ]

    def test_the_moments_are_aware_and_the_receive_is_timed_by_the_answer(self) -> None:
        clock = ManualClock()
        queue, client = queue_answered({}, clock=clock)

        async def answered_after_a_poll(**_: Any) -> Any:  # noqa: ANN401  # as the client's own method
            clock.advance(timedelta(seconds=17))
            attributes = {"ApproximateReceiveCount": "3", "SentTimestamp": "1795253415250"}
            return {"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": "{}", "Attributes": attributes}]}

        client.receive_message = answered_after_a_poll  # type: ignore[method-assign]  # the answer takes time here
        (message,) = virtual_time.run(queue.receive(1, wait=20))
        assert message == Message(
            id="m",
            body="{}",
            receipt_handle="r",
            receive_count=3,
            sent_at=datetime(2026, 11, 21, 9, 30, 15, 250_000, UTC),
            received_at=START + timedelta(seconds=17),
            source=Source.CHANGES,
        )

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (refusal("AWS.SimpleQueueService.NonExistentQueue"), Misconfigured),
            (refusal("AccessDenied", 403), Misconfigured),
            (refusal("RequestThrottled", 403), Throttled),
            (refusal("InternalFailure", 500), Unavailable),
            (EndpointConnectionError(endpoint_url=URL), Unavailable),
        ],
        ids=lambda value: getattr(value, "__name__", type(value).__name__),
    )
    def test_errors_are_told_apart_and_name_the_queue(self, error: Exception, kind: type[ScanhubError]) -> None:
        queue, _ = queue_answered(error)
        with pytest.raises(kind, match="scanhub-changes"):
            virtual_time.run(queue.receive(10, wait=20))


class TestBatches:
    def test_tens_with_ids_of_their_own_and_seconds_for_each(self) -> None:
        clock = ManualClock()
        queue, client = queue_answered({"Successful": []}, clock=clock)
        held = messages(12)
        held[3] = replace(held[3], received_at=START - timedelta(hours=11, minutes=58, seconds=30))
        assert not virtual_time.run(queue.extend(held, 5 * MINUTES))
        assert sorted(len(request["Entries"]) for request in client.requests) == [2, 10]
        for request in client.requests:
            assert len({entry["Id"] for entry in request["Entries"]}) == len(request["Entries"])
        seconds = {
            entry["ReceiptHandle"]: entry["VisibilityTimeout"] for r in client.requests for entry in r["Entries"]
        }
        assert seconds == {one.receipt_handle: 300 if one is not held[3] else 30 for one in held}

    def test_nothing_is_asked_of_sqs_for_a_message_past_its_twelve_hours(self) -> None:
        queue, client = queue_answered({"Successful": []})
        spent = replace(messages(1)[0], received_at=START - timedelta(hours=11, minutes=59))
        assert virtual_time.run(queue.extend([spent], 2 * MINUTES)) == [spent]
        assert client.requests == []

    def test_an_entry_that_failed_by_sqs_own_fault_is_tried_again_alone(self) -> None:
        held = messages(3)
        queue, client = queue_answered(
            {"Failed": [failed(0, "InternalError", sender=False), failed(2, "ReceiptHandleIsInvalid", sender=True)]},
            {"Successful": [{"Id": "0"}]},
        )
        assert virtual_time.run(queue.delete(held)) == [held[2]]
        assert [[entry["Id"] for entry in request["Entries"]] for request in client.requests] == [
            ["0", "1", "2"],
            ["0"],
        ]

    def test_an_entry_that_keeps_failing_by_sqs_own_fault_has_failed(self) -> None:
        held = messages(2)
        queue, client = queue_answered({"Failed": [failed(0, "InternalError", sender=False)]})
        assert virtual_time.run(queue.extend(held, 2 * MINUTES)) == [held[0]]
        assert len(client.requests) == 3

    def test_one_batch_that_cannot_be_sent_does_not_keep_the_others_back(self) -> None:
        queue, client = queue_answered({})
        answered: list[int] = []

        async def slowly(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
            size = len(request["Entries"])
            if not answered and size == 5:
                raise refusal("RequestThrottled")
            await asyncio.sleep(1)
            answered.append(size)
            return {"Successful": []}

        client.change_message_visibility_batch = slowly  # type: ignore[method-assign]  # the answer takes time here
        with pytest.raises(Throttled, match=f"extending messages of {URL}"):
            virtual_time.run(queue.extend(messages(25), 2 * MINUTES))
        assert answered == [10, 10]


class TestGiveBack:
    @pytest.mark.parametrize(
        "code",
        ["AWS.SimpleQueueService.MessageNotInflight", "MessageNotInflight", "ReceiptHandleIsInvalid"],
    )
    def test_a_message_that_is_not_ours_any_more_is_no_error(self, code: str) -> None:
        queue, client = queue_answered(refusal(code))
        virtual_time.run(queue.give_back(messages(1)[0], MINUTES))
        assert client.requests[0]["VisibilityTimeout"] == 60

    def test_any_other_error_is_one(self) -> None:
        queue, _ = queue_answered(refusal("RequestThrottled"))
        with pytest.raises(Throttled):
            virtual_time.run(queue.give_back(messages(1)[0], MINUTES))


@pytest.fixture
async def rig(aws: AioSession) -> AsyncIterator[SqsRig]:
    async with sqs_rig(aws) as one:
        yield one


class TestPark:
    def test_a_message_that_was_not_parked_is_not_deleted(self) -> None:
        queue, client = queue_answered(refusal("InternalFailure", 500))
        with pytest.raises(Unavailable, match="parking a message"):
            virtual_time.run(queue.park(messages(1)[0], PARKING))
        assert [request["QueueUrl"] for request in client.requests] == [f"{URL}-dlq"]

    def test_a_parked_message_that_could_not_be_deleted_is_no_error(self) -> None:
        answer = {"MessageId": "m", "Failed": [failed(0, "ReceiptHandleIsInvalid", sender=True)]}
        queue, client = queue_answered(answer)
        virtual_time.run(queue.park(messages(1)[0], PARKING))
        assert [request["QueueUrl"] for request in client.requests] == [f"{URL}-dlq", URL]

    async def test_what_is_empty_is_left_out_and_the_attempts_are_a_number(self, rig: SqsRig) -> None:
        await rig.queue.send("not JSON", group=ACCOUNT)
        await rig.queue.park(await one_message(rig), replace(PARKING, detail=""))
        answer = await rig.client.receive_message(QueueUrl=rig.dlq_url, MessageAttributeNames=["All"])
        attributes = answer["Messages"][0]["MessageAttributes"]
        assert {name: (one["DataType"], one["StringValue"]) for name, one in attributes.items()} == {
            "reason": ("String", "malformed"),
            "attempts": ("Number", "1"),
            "parkedAt": ("String", "2026-01-01T00:00:00.000Z"),
        }

    # aiohttp advises a stream for requests of more than 1 MiB; botocore hands it bytes.
    @pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
    async def test_the_largest_body_that_sqs_takes_is_parked(self, rig: SqsRig) -> None:
        body = "x" * MAX_MESSAGE_BYTES
        await rig.queue.send(body, group=ACCOUNT)
        await rig.queue.park(await one_message(rig), PARKING)
        answer = await rig.client.receive_message(QueueUrl=rig.dlq_url, MessageAttributeNames=["All"])
        assert answer["Messages"][0]["Body"] == body
        assert "MessageAttributes" not in answer["Messages"][0]


async def test_a_body_of_our_own_carries_its_account_as_group(rig: SqsRig) -> None:
    """A message group on a standard queue makes it fair."""
    await rig.queue.send(event(), group=ACCOUNT)
    answer = await rig.client.receive_message(QueueUrl=rig.url, MessageSystemAttributeNames=["All"])
    assert answer["Messages"][0]["Attributes"]["MessageGroupId"] == ACCOUNT
    assert answer["Messages"][0]["Body"] == event()


async def test_a_cancelled_long_poll_ends_at_once(rig: SqsRig) -> None:
    poll = asyncio.create_task(rig.queue.receive(10, wait=20))
    await rig.queue.depth()
    poll.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await poll


class TestCheck:
    async def test_queues_that_are_there_pass(self, rig: SqsRig) -> None:
        await rig.sqs().check()

    async def test_each_missing_queue_is_named(self, rig: SqsRig) -> None:
        for absent in ({"url": f"{rig.url}-typo"}, {"dlq_url": f"{rig.url}-typo"}):
            with pytest.raises(Misconfigured, match="scanhub-sweep-typo"):
                await rig.sqs(**absent).check()


class TestSendAll:
    def requests(self, count: int) -> list[tuple[str, str]]:
        return [(event(f"function-{number}"), ACCOUNT) for number in range(count)]

    def test_ten_in_a_call_and_each_with_its_group(self) -> None:
        queue, client = queue_answered({})
        assert virtual_time.run(queue.send_all(self.requests(12))) == []
        first, second = client.requests
        assert first["QueueUrl"] == URL
        assert [entry["Id"] for entry in first["Entries"]] == [str(number) for number in range(10)]
        assert second["Entries"] == [
            {"Id": "0", "MessageBody": event("function-10"), "MessageGroupId": ACCOUNT},
            {"Id": "1", "MessageBody": event("function-11"), "MessageGroupId": ACCOUNT},
        ]

    def test_a_call_holds_one_mebibyte_at_most(self) -> None:
        queue, client = queue_answered({})
        half = "x" * (MAX_MESSAGE_BYTES // 2)
        assert virtual_time.run(queue.send_all([(half, ACCOUNT), (half, ACCOUNT), ("y", ACCOUNT)])) == []
        assert [[len(entry["MessageBody"]) for entry in one["Entries"]] for one in client.requests] == [
            [len(half), len(half)],
            [1],
        ]

    def test_what_fails_by_the_fault_of_sqs_is_sent_again_alone(self) -> None:
        requests = self.requests(3)
        queue, client = queue_answered({"Failed": [failed(1, "InternalError", sender=False)]}, {})
        assert virtual_time.run(queue.send_all(requests)) == []
        assert [entry["MessageBody"] for entry in client.requests[1]["Entries"]] == [requests[1][0]]

    def test_what_is_refused_or_fails_for_good_is_handed_back(self) -> None:
        requests = self.requests(3)
        faults = [failed(0, "InvalidMessageContents", sender=True), failed(2, "InternalError", sender=False)]
        queue, client = queue_answered({"Failed": faults}, {"Failed": faults[1:]})
        assert virtual_time.run(queue.send_all(requests)) == [requests[0], requests[2]]
        assert len(client.requests) == 3

    def test_a_call_that_is_denied_says_so(self) -> None:
        queue, _ = queue_answered(refusal("AccessDenied", 403))
        with pytest.raises(Misconfigured, match="sending to https"):
            virtual_time.run(queue.send_all(self.requests(1)))
