"""What the commands said, one after the other, while a town came to be known."""

import asyncio
from dataclasses import dataclass
from typing import Any

from infra.calls import AwsClient
from infra.local.deployment import Deployment
from tests.e2e import quick_worker
from tests.e2e.town import Called, Town, document
from tests.scanhub.promised import promised
from worker.tally import Tally

QUEUES = ("SCANHUB_CHANGES_QUEUE_URL", "SCANHUB_SWEEP_QUEUE_URL")


@dataclass(frozen=True, kw_only=True)
class Course:
    """Each step's document.

    Attributes:
        untouched: Coverage before anything was done.
        planned: A dry run over all.
        still_untouched: Coverage after it.
        planning: What the dry run called.
        first: A sweep of one region.
        worked: What the worker then counted.
        whole: A sweep of all: it finds that region done, and queues the other.
        sweeping: What it called.
        lost: After the messages of that sweep were lost, a sweep right afterwards.
        partial: A sweep of all, while two accounts without a role are not excluded.
    """

    untouched: Any
    planned: Any
    still_untouched: Any
    planning: list[Called]
    first: Any
    worked: Tally
    whole: Any
    sweeping: list[Called]
    lost: Any
    partial: Any


def run(town: Town) -> Course:
    """Take all steps."""
    untouched = promised("coverage", document("coverage"))
    with town.counted() as planning:
        planned = document("sweep", "--dry-run")
    still_untouched = document("coverage")
    first = document("sweep", "--regions", town.deployment.regions[0])
    worked = asyncio.run(quick_worker.drained())
    with town.counted() as sweeping:
        whole = document("sweep")
    empty_queues(town.deployment)
    lost = document("sweep")
    partial = document("sweep", code=3, SCANHUB_EXCLUDE_ACCOUNTS="")
    for told in (planned, first, whole, lost, partial):
        promised("sweep", told)
    return Course(
        untouched=untouched,
        planned=planned,
        still_untouched=still_untouched,
        planning=planning,
        first=first,
        worked=worked,
        whole=whole,
        sweeping=sweeping,
        lost=lost,
        partial=partial,
    )


def empty_queues(deployment: Deployment) -> None:
    """Lose every message."""
    queues: AwsClient = deployment.client("sqs")
    for name in QUEUES:
        url = deployment.settings[name]
        # PurgeQueue may be asked for once a minute.
        while batch := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            entries = [{"Id": str(index), "ReceiptHandle": one["ReceiptHandle"]} for index, one in enumerate(batch)]
            queues.delete_message_batch(QueueUrl=url, Entries=entries)
