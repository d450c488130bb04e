"""Long polls on the embedded cloud."""

import http.client
import json
import threading
from urllib.parse import urlsplit

import boto3

from infra.local.cloud import EmbeddedCloud
from tests.conftest import REGION


def test_a_poll_takes_no_message_for_a_client_that_has_gone() -> None:
    with EmbeddedCloud() as cloud:
        queues = boto3.client("sqs", endpoint_url=cloud.endpoint, region_name=REGION)
        url = queues.create_queue(QueueName="changes")["QueueUrl"]
        request = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 10})
        headers = {
            "X-Amz-Target": "AmazonSQS.ReceiveMessage",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=testing/20261101/{REGION}/sqs/aws4_request",
        }
        address = urlsplit(cloud.endpoint).netloc
        gone = [http.client.HTTPConnection(address) for _ in range(5)]
        for client in gone:
            client.request("POST", "/", body=request, headers=headers)
            client.close()
        queues.send_message(QueueUrl=url, MessageBody="{}")
        [message] = queues.receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"]
        assert message["Body"] == "{}"


def test_a_poll_that_waits_gets_what_is_sent_meanwhile() -> None:
    with EmbeddedCloud() as cloud:
        queues = boto3.client("sqs", endpoint_url=cloud.endpoint, region_name=REGION)
        url = queues.create_queue(QueueName="changes")["QueueUrl"]
        assert "Messages" not in queues.receive_message(QueueUrl=url, WaitTimeSeconds=1)
        later = threading.Timer(0.2, lambda: queues.send_message(QueueUrl=url, MessageBody="{}"))
        later.start()
        [message] = queues.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        later.join()
        assert message["Body"] == "{}"
