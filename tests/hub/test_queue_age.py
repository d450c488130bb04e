from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiobotocore.session import AioSession

from hub.message import Source
from hub.queue_age import oldest_ages
from spoke.errors import Misconfigured
from tests.infra.script import refusal

if TYPE_CHECKING:
    from types_aiobotocore_cloudwatch import CloudWatchClient

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
URLS = {
    Source.CHANGES: "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes",
    Source.SWEEP: "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-sweep",
}


@pytest.fixture
async def cloudwatch(aws: AioSession) -> AsyncIterator["CloudWatchClient"]:
    async with aws.create_client("cloudwatch") as client:
        yield client


def answering(client: "CloudWatchClient", answer: dict[str, object] | Exception) -> list[dict[str, object]]:
    """Asked for metrics, the client gives this instead: moto knows no metrics of AWS's own services."""
    asked: list[dict[str, object]] = []

    async def get_metric_data(**request: object) -> dict[str, object]:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    setattr(client, "get_metric_data", get_metric_data)  # noqa: B010  # mypy would refuse the plain assignment
    return asked


async def test_the_newest_figure_of_each_queue_counts(cloudwatch: "CloudWatchClient") -> None:
    asked = answering(
        cloudwatch,
        {
            "MetricDataResults": [
                {"Id": "changes", "Label": "scanhub-changes", "Values": [42.0, 17.0]},
                {"Id": "sweep", "Label": "scanhub-sweep", "Values": []},
            ]
        },
    )
    assert await oldest_ages(cloudwatch, URLS, now=NOW) == {Source.CHANGES: timedelta(seconds=42)}
    [request] = asked
    assert (request["StartTime"], request["EndTime"]) == (NOW - timedelta(minutes=15), NOW)
    assert request["ScanBy"] == "TimestampDescending"
    queries = str(request["MetricDataQueries"])
    assert "'Value': 'scanhub-changes'" in queries
    assert "'Value': 'scanhub-sweep'" in queries


async def test_a_local_cloud_without_figures_gives_none(cloudwatch: "CloudWatchClient") -> None:
    assert await oldest_ages(cloudwatch, URLS, now=datetime.now(UTC)) == {}


async def test_who_may_not_ask_is_told_which_permission(cloudwatch: "CloudWatchClient") -> None:
    answering(cloudwatch, refusal("AccessDenied", "not authorized to perform: cloudwatch:GetMetricData"))
    with pytest.raises(Misconfigured, match="cloudwatch:GetMetricData"):
        await oldest_ages(cloudwatch, URLS, now=NOW)
