"""The text of `/metrics`: everything that this process counts, and what is measured for the scrape.

A look that fails leaves its instrument out and the scrape whole.
"""

import logging
import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from orchestration.metrics.kinds import REGISTRY, Look, instruments

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of prometheus-client: the directory in which processes of one server share values."""


def expose() -> bytes:
    """Return all instruments in the text format of Prometheus."""
    found = CollectorRegistry(auto_describe=False)
    if os.environ.get(SHARED):
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    else:
        found.register(_Own())
    found.register(_Looks())
    return generate_latest(found)


class _Own(Collector):
    """What this process counts, without the times at which counting began."""

    def collect(self) -> Iterator[Metric]:
        for family in REGISTRY.collect():
            family.samples = [each for each in family.samples if not _is_time_of_birth(each.name)]
            yield family


def _is_time_of_birth(name: str) -> bool:
    return name.endswith("_created")


class _Looks(Collector):
    """What is measured now."""

    def collect(self) -> Iterator[Metric]:
        for each in list(instruments.values()):
            if isinstance(each, Look):
                try:
                    yield _family(each)
                except Exception as error:  # noqa: BLE001 - whatever a look meets, the others count
                    log.warning(
                        "metrics.look_failed",
                        extra={"instrument": each.name, "error_type": type(error).__name__},
                    )


def _family(look: Look) -> Metric:
    kind = CounterMetricFamily if look.kind == "counter" else GaugeMetricFamily
    family = kind(look.exposed_name, look.help, labels=look.labels)
    for labels, value in look.values().items():
        family.add_metric(labels, value)
    return family
