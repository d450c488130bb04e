from datetime import UTC, datetime, timedelta

from types_aiobotocore_sqs.type_defs import MessageTypeDef

from hub.delivery import DELIVERY_ATTRIBUTES, delivered
from hub.message import Message, Source

SENT = datetime(2026, 11, 21, 9, 30, 15, 250_000, UTC)


def test_a_message_as_sqs_gives_it() -> None:
    answer: MessageTypeDef = {
        "MessageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "ReceiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "Body": "{}",
        "Attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1795253415250"},
    }
    assert set(DELIVERY_ATTRIBUTES) == set(answer["Attributes"])
    received_at = SENT + timedelta(seconds=17)
    assert delivered(answer, source=Source.SWEEP, received_at=received_at) == Message(
        id="059f36b4-87a3-44ab-83d2-661975830a7d",
        body="{}",
        receipt_handle="AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        receive_count=3,
        sent_at=SENT,
        received_at=received_at,
        source=Source.SWEEP,
    )
