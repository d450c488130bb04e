"""How long the oldest message of a queue has waited, as CloudWatch knows it: SQS itself does not tell."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.message import Source
from spoke.aws_errors import translated

if TYPE_CHECKING:
    from types_aiobotocore_cloudwatch import CloudWatchClient
    from types_aiobotocore_cloudwatch.type_defs import MetricDataQueryTypeDef

WINDOW = timedelta(minutes=15)
"""SQS reports each minute, a few minutes late (SQS developer guide, "Available CloudWatch metrics")."""


async def oldest_ages(
    client: "CloudWatchClient", urls: Mapping[Source, str], *, now: datetime
) -> Mapping[Source, timedelta]:
    """The age of the oldest message of each queue, one call for all; a queue without a figure is left out.

    SQS reports nothing for a queue that nobody has used for six hours.

    Args:
        client: In the queues' account and region.
        urls: Of the queues.
        now: Aware, UTC.

    Raises:
        Misconfigured: The caller may not ask (`cloudwatch:GetMetricData`).
        Throttled, Unavailable: CloudWatch cannot be asked now.
    """
    with translated("asking CloudWatch for the age of the oldest messages"):
        answer = await client.get_metric_data(
            MetricDataQueries=[_query(source, url) for source, url in urls.items()],
            StartTime=now - WINDOW,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
    newest = {result["Id"]: result["Values"][0] for result in answer["MetricDataResults"] if result.get("Values")}
    return {source: timedelta(seconds=newest[source.value]) for source in urls if source.value in newest}


def _query(source: Source, url: str) -> "MetricDataQueryTypeDef":
    return {
        "Id": source.value,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
            },
            "Period": 60,
            "Stat": "Maximum",
        },
    }
