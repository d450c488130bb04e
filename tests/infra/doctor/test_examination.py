"""Whatever one check runs into, it becomes an answer, and the others are made."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hub.diagnosis import Check, Kind, Verdict
from infra.doctor.asking import asking
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import READ_ACCESS, Examination, examine, examined
from spoke.errors import Gone, NoAccess, Unavailable
from tests.infra.doctor.looking import CannedClients, canned, look

KIND = Kind(name="thing", group="things", asks="is it?", wrong="it is not", fix="make it")


def _raising(error: Exception) -> Examination:
    def ask(_hub: DeployedHub) -> Iterator[Check]:
        yield KIND.ok("first", "well")
        raise error

    return Examination(KIND, ask)


@pytest.mark.parametrize(
    ("error", "verdict", "words", "fix"),
    [
        (Gone("no such queue"), Verdict.FAILED, "no such queue", "make it"),
        (NoAccess("AccessDenied: not you"), Verdict.UNKNOWN, "not you", READ_ACCESS),
        (Unavailable("no connection"), Verdict.UNKNOWN, "no connection", ""),
        (KeyError("State"), Verdict.UNKNOWN, "the check itself failed: KeyError: 'State'", ""),
    ],
)
def test_what_a_check_raises_becomes_its_answer(error: Exception, verdict: Verdict, words: str, fix: str) -> None:
    first, second = examined(_raising(error), canned(CannedClients()))
    assert first.verdict is Verdict.OK
    assert (second.verdict, second.fix) == (verdict, fix)
    assert words in second.reason


def test_several_are_made_at_once_and_told_in_order() -> None:
    both_run = threading.Barrier(2, timeout=30)

    def waits(name: str) -> Examination:
        def ask(_hub: DeployedHub) -> Iterator[Check]:
            both_run.wait()
            yield KIND.ok(name, "met the other")

        return Examination(KIND, ask)

    steps: list[str] = []
    checks = examine([waits("a"), waits("b")], canned(CannedClients()), progress=steps.append)
    assert [check.subject for check in checks] == ["a", "b"]
    assert steps == ["is it?", "is it?"]


def test_an_interrupt_ends_the_rest() -> None:
    def interrupted(_step: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine([_raising(Gone("x"))] * 20, canned(CannedClients()), progress=interrupted)


@pytest.mark.parametrize(
    ("service", "operation", "code", "kind"),
    [
        ("sqs", "get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue", Gone),
        ("kms", "describe_key", "NotFoundException", Gone),
        ("ecr", "describe_images", "ImageNotFoundException", Gone),
        ("ecr", "describe_images", "RepositoryNotFoundException", Gone),
        ("ecs", "describe_services", "ClusterNotFoundException", Gone),
        ("s3", "get_public_access_block", "NoSuchPublicAccessBlockConfiguration", Gone),
        ("cloudtrail", "get_trail_status", "TrailNotFoundException", Gone),
        ("kms", "describe_key", "AccessDeniedException", NoAccess),
        ("sns", "get_topic_attributes", "AuthorizationError", NoAccess),
        ("sqs", "get_queue_attributes", "OverLimit", Unavailable.__mro__[1]),
    ],
)
def test_what_is_absent_and_what_is_forbidden_are_told_apart(
    service: str, operation: str, code: str, kind: type[Exception]
) -> None:
    clients = CannedClients()
    clients.refuse(service, operation, code)
    arguments: dict[str, dict[str, Any]] = {
        "get_queue_attributes": {"QueueUrl": "https://x"},
        "describe_key": {"KeyId": "x"},
        "describe_images": {"repositoryName": "scanhub"},
        "describe_services": {"services": ["x"]},
        "get_public_access_block": {"Bucket": "abc"},
        "get_trail_status": {"Name": "abc"},
        "get_topic_attributes": {"TopicArn": "arn:aws:sns:eu-central-1:123456789012:x"},
    }
    with pytest.raises(kind) as caught, asking("reading"):
        getattr(clients.client(service), operation)(**arguments[operation])
    assert code in str(caught.value)


def test_an_output_that_is_missing_has_failed_by_name() -> None:
    [check] = look(canned(CannedClients(), UndeliveredQueueUrl=""), "undelivered")
    assert check.verdict is Verdict.FAILED
    assert "has no output UndeliveredQueueUrl" in check.reason


def test_a_queue_that_is_gone_has_failed() -> None:
    clients = CannedClients()
    clients.refuse("sqs", "get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue", "no such queue")
    [check] = look(canned(clients), "undelivered")
    assert check.verdict is Verdict.FAILED
    assert "scanhub-undelivered" in check.reason
