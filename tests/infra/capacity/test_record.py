import pytest

from infra.capacity.line import Line, Parcel
from infra.capacity.record import Latencies, Minute, Record


def test_quantiles_weigh_each_by_its_changes() -> None:
    latencies = Latencies()
    for seconds, count in ((30.0, 1), (10.0, 8), (500.0, 1)):
        latencies.add(seconds, count)
    assert latencies.quantiles(0.5, 0.9, 0.95, 1.0) == (10.0, 30.0, 500.0, 500.0)
    assert latencies.mean == pytest.approx(61.0)
    assert latencies.within(30.0) == pytest.approx(0.9)


def test_without_a_change_nothing_was_late() -> None:
    latencies = Latencies()
    assert (latencies.count, latencies.mean, latencies.within(1.0)) == (0, 0.0, 1.0)
    assert latencies.quantiles(0.5, 0.99) == (0.0, 0.0)


def test_the_busiest_minutes() -> None:
    record = Record(seconds=240, minutes=[Minute(started=count, tasks=2) for count in (0, 60, 120, 0)])
    assert record.busiest(lambda one: one.started, minutes=1) == 2.0
    assert record.busiest(lambda one: one.started, minutes=2) == 1.5
    assert record.busiest(lambda one: one.started) == 0.75, "over the four there are"
    assert record.peak_tasks == 2
    assert (Record().busiest(lambda one: one.started), Record().mean_tasks, Record().peak_tasks) == (0.0, 0.0, 0)


def test_a_line_gives_the_oldest_first_and_never_two_parcels_at_once() -> None:
    line = Line()
    line.put(Parcel(10.0, 5, 1))
    line.put(Parcel(20.0, 2, 2))
    assert (line.waiting, line.age(25.0)) == (7, 15.0)
    assert line.take(3) == Parcel(10.0, 3, 1)
    assert line.take(9) == Parcel(10.0, 2, 1)
    assert (line.waiting, line.age(25.0)) == (2, 5.0)
    assert line.drain() == [Parcel(20.0, 2, 2)]
    assert (line.waiting, line.age(25.0)) == (0, 0.0)
