"""`bench inline` with few runs: stable keys, and nothing left behind."""

import pytest

from orchestration.models import Task
from tasker_project.bench import inline
from tasker_project.bench.running import Bench
from tasker_project.bench.shapes import register_shapes


@pytest.mark.django_db(transaction=True)
def test_runs_are_measured_and_rolled_back(tmp_path):
    register_shapes()

    figures = inline.measure(Bench(logs=tmp_path, samples=2))

    names = {key.rpartition(".")[0] for key in figures}
    assert names == {"inline.linear4", "inline.diamond4", "inline_new.linear4"}
    assert figures["inline.linear4.n"] == 2
    assert figures["inline.linear4.python_cpu_ms"] > 0
    assert figures["inline.linear4.p50_ms"] <= figures["inline.linear4.max_ms"]
    assert not Task.objects.exists()
