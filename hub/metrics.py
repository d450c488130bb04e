"""Figures that leave as CloudWatch embedded metrics: one JSON line each, no call. Which: `hub.metric_table`.

The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
CloudWatch Logs makes metrics of such lines by itself. The package aws-embedded-metrics was looked at: its `flush` is a
coroutine that probes for its environment and picks a sink, where a line on stdout at once is all that is wanted here.
"""

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

import structlog

from hub.metric_table import UNITS, check

log = structlog.get_logger()

NAMESPACE = "scanhub"

_MAX_TEXT = 1024
"""Characters of a dimension's value (the specification); properties are cut alike."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EmbeddedMetrics:
    """Writes embedded metrics to a stream; implements `worker.ports.Metrics`.

    Args:
        stream: The process's stdout, which the log driver carries to CloudWatch Logs.
        namespace: In CloudWatch.
        now: For the timestamp.
    """

    def __init__(self, stream: TextIO, namespace: str = NAMESPACE, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._stream = stream
        self._namespace = namespace
        self._now = now

    def emit(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], **properties: str) -> None:
        """Write one line. Figures are summed up by the first dimension alone and by all of them together.

        Args:
            values: Figures by the names in `hub.metric_table.Metric`; one that is not a finite number is left out.
            dimensions: Of `hub.metric_table.DIMENSIONS`.
            **properties: Stand beside the figures and can be searched for.

        Raises:
            ValueError: A name is in no table.
        """
        check(values, dimensions)
        finite = {label: value for label, value in values.items() if math.isfinite(value)}
        if not finite:
            return
        sets = [list(dimensions)[:1], list(dimensions)] if len(dimensions) > 1 else [list(dimensions)]
        document = {
            "_aws": {
                "Timestamp": int(self._now().timestamp() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": self._namespace,
                        "Dimensions": sets,
                        "Metrics": [{"Name": label, "Unit": UNITS[label].value} for label in finite],
                    }
                ],
            },
            # What a caller calls a property must not cover a figure.
            **{name: text[:_MAX_TEXT] for name, text in properties.items()},
            **{name: text[:_MAX_TEXT] for name, text in dimensions.items()},
            **finite,
        }
        try:
            # One write, so that no log line gets in between.
            self._stream.write(json.dumps(document) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            # A full, broken or closed pipe costs a figure, never a message; the log may go the same way.
            with suppress(OSError, ValueError):
                log.warning("metrics not written", reason=str(error))
