"""What an instrument is: it has a dotted name, a help text and labels, and is declared once.

Counters, gauges and histograms stand on prometheus-client, whose values are safe from any thread
and, with its directory for several processes, shared by the processes of one web server. A `Look`
is a gauge that is measured when somebody scrapes, and costs nothing until then.

Labels are closed sets. What a caller could make endless (namespaces, templates, steps) ends at
METRICS_MAX_LABEL_VALUES: further values are counted as `__other__`.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry

from orchestration.conf import observability_settings

log = logging.getLogger(__name__)

OTHER = "__other__"
BUCKETS_MS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000)
BUCKETS_SECONDS = (1, 5, 15, 60, 300, 900, 3600, 14400, 86400, 604800)
BUCKETS_PRIORITY = (-100, -50, -10, 0, 10, 50, 100, 150, 200)
REGISTRY = CollectorRegistry(auto_describe=False)
Child = TypeVar("Child")
Labels = tuple[str, ...]
Values = Iterable[tuple[Labels, float]]

instruments: dict[str, "Instrument"] = {}
"""All of them by their dotted names."""
_known_values: dict[str, set[str]] = {}
_lock = threading.Lock()


class Instrument:
    """What all kinds have in common."""

    kind = ""

    def __init__(self, name: str, help: str, *labels: str) -> None:  # noqa: A002 - Prometheus' word
        self.name = name
        self.help = help
        self.labels = labels
        if name in instruments:
            raise ValueError(f"The instrument {name} is declared twice")
        instruments[name] = self

    @property
    def exposed_name(self) -> str:
        """The name in the exposition."""
        return self.name.replace(".", "_")


class _Counted(Instrument, Generic[Child]):
    """An instrument of prometheus-client with one child for each combination of labels."""

    def __init__(self, name: str, help: str, *labels: str) -> None:  # noqa: A002
        super().__init__(name, help, *labels)
        self._metric: Any = self._build()
        self._children: dict[Labels, Child] = {}

    def _build(self) -> Any:
        raise NotImplementedError

    def _child(self, given: Mapping[str, str]) -> Child:
        """Return the child of these labels; costs a look into a dict once it is known."""
        values = tuple([given[name] for name in self.labels])
        return self._children.get(values) or self._new_child(values)

    def _new_child(self, values: Labels) -> Child:
        bounded = tuple(map(_bounded, self.labels, values))
        if found := self._children.get(bounded):
            return found
        child: Child = self._metric.labels(*bounded) if self.labels else self._metric
        self._children[bounded] = child
        return child

    def _samples(self) -> Iterable[Any]:
        for family in self._metric.collect():
            yield from family.samples


class Counter(_Counted[prometheus_client.Counter]):
    """A number that only grows."""

    kind = "counter"

    def _build(self) -> Any:
        return prometheus_client.Counter(
            self.exposed_name, self.help, self.labels, registry=REGISTRY
        )

    def add(self, amount: float = 1, /, **labels: str) -> None:
        """Add to the counter; safe from any thread."""
        self._child(labels).inc(amount)

    @property
    def value(self) -> int:
        """The sum of everything added in this process, whatever the labels."""
        found = [each.value for each in self._samples() if each.name.endswith("_total")]
        return int(sum(found))


class Gauge(_Counted[prometheus_client.Gauge]):
    """A number as it is now; several processes of one server show the greatest."""

    kind = "gauge"

    def _build(self) -> Any:
        return prometheus_client.Gauge(
            self.exposed_name,
            self.help,
            self.labels,
            registry=REGISTRY,
            multiprocess_mode="livemax",
        )

    def set(self, value: float, /, **labels: str) -> None:
        """Replace the value."""
        self._child(labels).set(value)

    @property
    def value(self) -> int:
        """The value, or the sum of those of all labels."""
        return int(sum(each.value for each in self._samples()))


class Histogram(_Counted[prometheus_client.Histogram]):
    """How values are spread; of times in milliseconds unless said otherwise."""

    kind = "histogram"
    suffix = "_milliseconds"
    buckets: tuple[float, ...] = BUCKETS_MS

    @property
    def exposed_name(self) -> str:
        """The name with its unit."""
        return super().exposed_name + self.suffix

    def _build(self) -> Any:
        return prometheus_client.Histogram(
            self.exposed_name, self.help, self.labels, registry=REGISTRY, buckets=self.buckets
        )

    def observe(self, value: float, /, **labels: str) -> None:
        """Add a value; safe from any thread."""
        self._child(labels).observe(value)

    def observe_all(self, values: Sequence[float], /, **labels: str) -> None:
        """Add several values of the same labels."""
        if values:  # else there is nothing to expose yet
            observe = self._child(labels).observe
            for value in values:
                observe(value)


class SecondsHistogram(Histogram):
    """How long times of minutes and more are spread."""

    suffix = "_seconds"
    buckets = BUCKETS_SECONDS


class PriorityHistogram(Histogram):
    """How priorities are spread."""

    suffix = ""
    buckets = BUCKETS_PRIORITY


class Look(Instrument):
    """A gauge, or a counter that others keep, which is asked for at each scrape."""

    def __init__(self, name: str, help: str, *labels: str) -> None:  # noqa: A002
        super().__init__(name, help, *labels)
        self.kind = "counter" if name.endswith(".total") else "gauge"
        self._ask: Callable[[], Values] | None = None

    def ask(self, ask: Callable[[], Values]) -> None:
        """Say how it is measured in this process; without that it is not exposed."""
        self._ask = ask

    def values(self) -> Mapping[Labels, float]:
        """Measure now."""
        found = self._ask() if self._ask else ()
        return {tuple(map(_bounded, self.labels, labels)): value for labels, value in found}


def snapshot() -> dict[str, int]:
    """Return what counters and gauges are by their dotted names, labels summed up."""
    return {
        name: each.value
        for name, each in sorted(instruments.items())
        if isinstance(each, Counter | Gauge)
    }


def _bounded(label: str, value: str) -> str:
    """Return the value of a label, or the one that stands for all beyond the limit."""
    known = _known_values.setdefault(label, set())
    if value in known:
        return value
    with _lock:
        limit = observability_settings().metrics_max_label_values
        if len(known) < limit:
            known.add(value)
            return value
        is_first = OTHER not in known
        known.add(OTHER)
    if is_first:
        log.warning("label.overflow", extra={"label": label, "limit": limit})
    return OTHER
