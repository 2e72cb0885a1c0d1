"""`manage.py bench recovery`, `soak` and `purge`, as short as can be: keys, sense, nothing left."""

import json

import pytest

from tests.acceptance.test_bench import LATENCIES, bench_databases

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]
SECONDS = {name.replace("_ms", "_s") for name in LATENCIES}


def figures_of(processes, tmp_path, *arguments):
    stored = tmp_path / "bench.json"
    done = processes.run("bench", *arguments, "--json", str(stored), within=220)
    assert done.child.returncode == 0, done.output
    assert bench_databases() == 0
    found = json.loads(stored.read_text())["figures"]
    assert isinstance(found, dict)
    return found, done.output


def test_recovery_is_measured_for_every_kind_of_fault(processes, tmp_path):
    found, _ = figures_of(processes, tmp_path, "recovery", "--samples", "1")

    kinds = ("worker_lock", "worker_lease", "orchestrator", "restart", "restart_from_stop")
    expected = {f"recovery.{kind}.{figure}" for kind in kinds for figure in SECONDS}
    assert set(found) == expected | {f"recovery.due_retry.{figure}" for figure in LATENCIES}
    # The look-out is 2 s and looks twice; a lease of this profile lasts 6 s.
    assert 1 < found["recovery.worker_lock.max_s"] < 15
    assert 2 < found["recovery.worker_lease.max_s"] < 20
    assert 0 < found["recovery.due_retry.max_ms"] < 2000
    assert 0 < found["recovery.orchestrator.max_s"] < 10
    assert 0 < found["recovery.restart.max_s"] < found["recovery.restart_from_stop.max_s"] < 30


def test_soak_tells_each_interval_and_a_verdict(processes, tmp_path):
    arguments = ("--minutes", "0.2", "--rate", "10", "--keep-minutes", "0.1")
    found, said = figures_of(processes, tmp_path, "soak", *arguments)

    assert said.count(" min tasks_per_second=") == 6
    rates = [found[f"soak.interval{number:02}.tasks_per_second"] for number in range(1, 7)]
    assert 5 < sum(rates) / 6 < 15
    assert found["soak.interval06.p95_ms"] > found["soak.interval06.p50_ms"] > 0
    assert 20 < found["soak.interval06.worker1_rss_mb"] < 300
    assert found["soak.interval06.queue_mb"] > 0
    assert 50 < found["soak.verdict.throughput_percent"] < 200
    assert found["soak.most.before_steps_per_s"] > 40
    assert "soak: verdict" in said


def test_soak_does_not_purge_what_it_still_has_to_count(processes):
    done = processes.run("bench", "soak", "--minutes", "1", "--keep-minutes", "0.1")

    assert done.child.returncode == 1
    assert "at least 0.333333 is needed" in done.output


def test_purge_is_measured_beside_a_working_engine(processes, tmp_path):
    found, _ = figures_of(processes, tmp_path, "purge", "--tasks", "1000")

    assert found["purge.quiet.tasks_per_second"] > 50
    assert found["purge.busy.rows_per_second"] == pytest.approx(
        49 * found["purge.busy.tasks_per_second"], rel=0.01
    )
    assert found["purge.engine.beside_steps_per_s"] > 0
