"""Totals between two moments, and what /proc says about this very process."""

import io
import os

from rich.console import Console

from tasker_project.bench import usage
from tasker_project.bench.listing import Listing
from tasker_project.bench.report import _listed, _tables
from tasker_project.bench.sampling import Sample, between

SAMPLES = [
    Sample(10.0, {"commits": 100.0}),
    Sample(12.0, {"commits": 300.0, "cpu.worker": 1.0}),
    Sample(14.0, {"commits": 300.0, "cpu.worker": 3.0}),
]


def test_growth_is_taken_from_the_line_between_samples():
    assert between(SAMPLES, 11.0, 13.0) == {"commits": 100.0, "cpu.worker": 1.5}


def test_growth_over_everything_is_last_minus_first():
    assert between(SAMPLES, 10.0, 14.0) == {"commits": 200.0, "cpu.worker": 3.0}


def test_this_process_uses_cpu_and_memory():
    assert (usage.cpu_seconds(os.getpid()) or 0) > 0
    assert 1 < (usage.resident_mb(os.getpid()) or 0) < 10_000
    assert os.getpid() in usage.descendants(os.getpid())
    assert not usage.is_postgres(os.getpid())


def test_a_process_that_is_gone_uses_nothing():
    assert usage.cpu_seconds(2**22 + 1) is None
    assert usage.resident_mb(2**22 + 1) is None


def test_things_measured_alike_share_a_table():
    figures = {"a.p50_ms": 1.0, "a.n": 2.0, "idle.worker.rss_mb": 90.0, "b.p50_ms": 3.0, "b.n": 2.0}

    assert _tables(figures) == {
        ("p50_ms", "n"): {"a": {"p50_ms": 1.0, "n": 2.0}, "b": {"p50_ms": 3.0, "n": 2.0}},
        ("rss_mb",): {"idle.worker": {"rss_mb": 90.0}},
    }


def test_a_listing_cuts_its_names_and_never_its_numbers():
    listing = Listing("calm", ("statement", "kind", "ms"), [("SELECT " * 50, "sent", 1234.5)])
    text = io.StringIO()

    Console(file=text, width=60).print(_listed(listing, width=60))

    assert "1,234" in text.getvalue()
    assert "sent" in text.getvalue()
    assert "SELECT SELECT" in text.getvalue()
    assert max(map(len, text.getvalue().splitlines())) <= 60
