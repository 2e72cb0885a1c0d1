"""Instruments: counting with labels that cannot grow for ever, and what a scrape reads."""

import itertools
import logging
import threading

import pytest
from prometheus_client import CollectorRegistry

from orchestration import metrics
from orchestration.metrics import kinds
from orchestration.metrics.kinds import Counter, Gauge, Histogram, Look


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    """Let instruments of these tests be unknown to the process."""
    monkeypatch.setattr(kinds, "instruments", {})
    monkeypatch.setattr("orchestration.metrics.exposition.instruments", kinds.instruments)
    monkeypatch.setattr(kinds, "REGISTRY", CollectorRegistry(auto_describe=False))
    monkeypatch.setattr("orchestration.metrics.exposition.REGISTRY", kinds.REGISTRY)
    monkeypatch.setattr(kinds, "_known_values", {})


def lines() -> list[str]:
    return [line for line in metrics.expose().decode().splitlines() if not line.startswith("#")]


def test_a_counter_adds_up_by_its_labels():
    counter = Counter("tasker.things.done.total", "Things", "namespace", "kind")

    counter.add(namespace="a", kind="x")
    counter.add(2, kind="x", namespace="a")
    counter.add(namespace="b", kind="x")

    assert counter.value == 4
    assert lines() == [
        'tasker_things_done_total{kind="x",namespace="a"} 3.0',
        'tasker_things_done_total{kind="x",namespace="b"} 1.0',
    ]


def test_a_forgotten_label_is_a_mistake():
    counter = Counter("tasker.things.done.total", "Things", "namespace")

    with pytest.raises(KeyError):
        counter.add()


def test_an_instrument_is_declared_once():
    Gauge("tasker.things", "Things")

    with pytest.raises(ValueError, match="declared twice"):
        Gauge("tasker.things", "Things")


def test_a_gauge_shows_its_last_value_and_a_histogram_its_buckets():
    Gauge("tasker.depth", "Depth").set(7)
    Histogram("tasker.wait.duration", "Wait").observe(3)

    assert "tasker_depth 7.0" in lines()
    assert 'tasker_wait_duration_milliseconds_bucket{le="2.5"} 0.0' in lines()
    assert 'tasker_wait_duration_milliseconds_bucket{le="5.0"} 1.0' in lines()
    assert "tasker_wait_duration_milliseconds_sum 3.0" in lines()
    assert not [line for line in lines() if "_created" in line]


def test_several_values_are_added_at_once_and_none_leaves_no_trace():
    histogram = Histogram("tasker.wait.duration", "Wait", "queue")

    histogram.observe_all([], queue="empty")
    histogram.observe_all([3, 4], queue="full")

    assert 'tasker_wait_duration_milliseconds_sum{queue="full"} 7.0' in lines()
    assert 'tasker_wait_duration_milliseconds_count{queue="full"} 2.0' in lines()
    assert not [line for line in lines() if "empty" in line]


def test_values_beyond_the_limit_are_counted_together_and_told_once(settings, caplog):
    settings.TASKER = {"metrics_max_label_values": 10}
    caplog.set_level(logging.WARNING, logger=kinds.__name__)
    counter = Counter("tasker.things.done.total", "Things", "namespace")

    for number in range(25):
        counter.add(namespace=f"n{number}")
    counter.add(namespace="n3")

    assert counter.value == 26
    assert len(lines()) == 11
    assert 'tasker_things_done_total{namespace="__other__"} 15.0' in lines()
    assert 'tasker_things_done_total{namespace="n3"} 2.0' in lines()
    assert [record.message for record in caplog.records] == ["label.overflow"]


def test_hostile_label_values_stay_on_their_line():
    counter = Counter("tasker.things.done.total", "Things", "namespace")

    counter.add(namespace='a"} 1\nevil{x="')

    assert lines() == ['tasker_things_done_total{namespace="a\\"} 1\\nevil{x=\\""} 1.0']


def test_a_look_is_measured_when_somebody_scrapes():
    times = itertools.count(1)
    look = Look("tasker.rows", "Rows", "kind")
    assert lines() == []

    look.ask(lambda: [(("a",), float(next(times)))])

    assert lines() == ['tasker_rows{kind="a"} 1.0']
    assert lines() == ['tasker_rows{kind="a"} 2.0']


def test_a_look_that_fails_leaves_the_others_alone(caplog):
    caplog.set_level(logging.WARNING)
    Look("tasker.broken", "Broken").ask(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    Look("tasker.rows", "Rows").ask(lambda: [((), 5.0)])

    assert lines() == ["tasker_rows 5.0"]
    assert [record.message for record in caplog.records] == ["metrics.look_failed"]


def test_threads_lose_no_count():
    counter = Counter("tasker.things.done.total", "Things", "namespace")

    def work() -> None:
        for number in range(1000):
            counter.add(namespace=f"n{number % 7}")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counter.value == 4000


def test_the_snapshot_sums_labels_up():
    Counter("tasker.things.done.total", "Things", "namespace").add(3, namespace="a")
    Gauge("tasker.depth", "Depth").set(2)
    Look("tasker.rows", "Rows").ask(lambda: [((), 5.0)])

    assert metrics.snapshot() == {"tasker.depth": 2, "tasker.things.done.total": 3}
