import pytest

from tests.infra.metric_math import Figure, value


def worked_out(expression: str, **known: Figure) -> Figure:
    queries = [{"Id": "answer", "Expression": expression}]
    queries += [{"Id": name, "MetricStat": "", "ReturnData": ""} for name in known]
    return value(queries, known, {})


@pytest.mark.parametrize(
    ("expression", "known", "answer"),
    [
        ("a / b", {"a": 6.0, "b": 3.0}, 2.0),
        ("a / b", {"a": 6.0, "b": 0.0}, None),
        ("a + b", {"a": 6.0, "b": None}, None),
        ("SUM([a, b])", {"a": 6.0, "b": None}, 6.0),
        ("SUM([a, b])", {"a": None, "b": None}, None),
        ("IF(a > 1, 5, b)", {"a": 2.0, "b": None}, 5.0),
        ("IF(a > 1, 5, b)", {"a": 1.0, "b": 7.0}, 7.0),
        ("IF(a > 1, 5, b)", {"a": None, "b": 7.0}, None),
        ("IF(a > 0 AND b < 1, 1, 0)", {"a": 1.0, "b": 0.0}, 1.0),
        ("IF(a > 0 AND b < 1, 1, 0)", {"a": 1.0, "b": 1.0}, 0.0),
        ("100 * (a - b) / a", {"a": 4.0, "b": 3.0}, 25.0),
    ],
)
def test_it_follows_cloudwatchs_rules(expression: str, known: dict[str, Figure], answer: Figure) -> None:
    assert worked_out(expression, **known) == answer


def test_what_it_does_not_know_is_told() -> None:
    with pytest.raises(NotImplementedError):
        worked_out("FILL(a, 0)", a=None)
    with pytest.raises(AssertionError, match="each metric is given"):
        value([{"Id": "a", "MetricStat": ""}], {}, {})
