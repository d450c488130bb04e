"""What the worker is measured against: one event at a time, as a handler in a Lambda function does it.

`python -m bench.baseline ENDPOINT ROUNDS EVENTS` takes its events from the stand-in's queue and prints, as JSON, the
CPU seconds for one event in each round. The clients of its own account are made once, as such functions do outside of
the handler; the one of the spoke is made anew for each event, since it goes with the session.
"""

import json
import sys
import time

import boto3

from bench.organization import HUB, REGION

_QUEUE = f"https://sqs.{REGION}.amazonaws.com/{HUB}/scanhub-changes"


class Handler:
    """The hub's clients, and what is done with one event."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        own = boto3.Session("AKIAIOSFODNN7EXAMPLE", "made-up", region_name=REGION)
        self._sqs = own.client("sqs", endpoint_url=endpoint)
        self._sts = own.client("sts", endpoint_url=endpoint)
        self._dynamodb = own.client("dynamodb", endpoint_url=endpoint)

    def one(self) -> None:
        """Receive, parse, assume the role, describe the function, look it up, delete."""
        [message] = self._sqs.receive_message(QueueUrl=_QUEUE, MaxNumberOfMessages=1, WaitTimeSeconds=20)["Messages"]
        event = json.loads(message["Body"])
        arn = event["detail"]["responseElements"]["functionArn"]
        session = self._sts.assume_role(
            RoleArn=f"arn:aws:iam::{event['account']}:role/scanhub-spoke",
            RoleSessionName="scanhub",
            ExternalId="an-external-id-of-the-bench",
        )["Credentials"]
        spoke = boto3.client(
            "lambda",
            region_name=REGION,
            endpoint_url=self._endpoint,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )
        function = spoke.get_function(FunctionName=arn)["Configuration"]
        key = {"pk": {"S": f"function#{arn}"}, "sk": {"S": "state"}}
        known = self._dynamodb.get_item(TableName="scanhub-ledger", Key=key, ConsistentRead=True)["Item"]
        if known["state"]["S"] != "COVERED" or function["FunctionArn"] != arn:
            raise AssertionError(f"{arn} was to be covered")
        self._sqs.delete_message(QueueUrl=_QUEUE, ReceiptHandle=message["ReceiptHandle"])


def main(endpoint: str, rounds: int, events: int) -> None:
    """Take the events and print what each round cost; the first event of all is not counted, it reads the models."""
    handler = Handler(endpoint)
    spent = []
    for number in range(rounds):
        counted = events
        if number == 0:
            handler.one()
            counted -= 1
        begun = time.process_time()
        for _ in range(counted):
            handler.one()
        spent.append((time.process_time() - begun) / counted)
    print(json.dumps(spent))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
