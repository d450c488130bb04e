from hub.metric_table import Metric, Unit


def test_names_are_told_apart() -> None:
    assert len({metric.label for metric in Metric}) == len(Metric)


def test_what_takes_time_is_told_in_seconds_and_all_else_is_counted() -> None:
    assert {metric.label for metric in Metric if metric.unit is Unit.SECONDS} == {
        "ScanDuration",
        "QueueDelay",
        "ChangeLatency",
    }
