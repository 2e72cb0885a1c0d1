"""`manage.py bench large`, `sleeping` and `age`, as small as can be: keys, sense, nothing left."""

import pytest

from tests.acceptance.test_bench import LATENCIES, THROUGHPUT
from tests.acceptance.test_bench_recovery_and_soak import figures_of

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]
COSTS = {each for each in THROUGHPUT if "_per_step" in each or "_cpu_" in each}


def test_large_tasks_are_run_to_their_last_step_beyond_the_limit(processes, tmp_path, monkeypatch):
    monkeypatch.setenv("TASKER_MAX_BATCHES_PER_STEP", "20")
    arguments = ("--steps", "250", "--batches", "30", "--workers", "2")
    found, said = figures_of(processes, tmp_path, "large", *arguments)

    measured = COSTS | {"create_seconds", "run_seconds", "steps_per_second"}
    tasks = {"large.layered250": 250, "large.batch30": 32}
    assert set(found) == {f"{task}.{figure}" for task in tasks for figure in measured}
    for task, steps in tasks.items():
        assert 0 < found[f"{task}.create_seconds"] < found[f"{task}.run_seconds"] < 60
        rate = steps / found[f"{task}.run_seconds"]
        assert found[f"{task}.steps_per_second"] == pytest.approx(rate, rel=0.01)
    assert "large: a step with 30 batches" in said


def test_sleeping_handlers_are_measured_on_several_processes(processes, tmp_path):
    found, _ = figures_of(processes, tmp_path, "sleeping", "--tasks", "15")

    counts = {f"sleeping.processes_{count}": count for count in (1, 2, 4)}
    measured = THROUGHPUT | {"share_of_linear"}
    assert set(found) == {f"{name}.{figure}" for name in counts for figure in measured}
    assert found["sleeping.processes_1.share_of_linear"] == 1
    for name, count in counts.items():
        assert found[f"{name}.tasks"] == 15 * count
        # two slots that sleep 20 ms cannot do more
        assert 0 < found[f"{name}.steps_per_second"] < 2 * count / 0.02


def test_throughput_is_measured_beside_more_and_more_finished_tasks(processes, tmp_path):
    arguments = ("--sizes", "300", "1000", "--tasks", "60", "--samples", "3")
    found, _ = figures_of(processes, tmp_path, "age", *arguments)

    measured = THROUGHPUT | {"share_of_empty"}
    measured |= {
        f"{each}.{figure}" for each in ("next_ready_50", "task_list") for figure in LATENCIES
    }
    sizes = ("age.0", "age.300", "age.1k")
    assert set(found) == {f"{size}.{figure}" for size in sizes for figure in measured}
    assert found["age.0.share_of_empty"] == 1
    for size in sizes:
        share = found[f"{size}.steps_per_second"] / found["age.0.steps_per_second"]
        assert found[f"{size}.share_of_empty"] == pytest.approx(share, rel=0.01)
        assert found[f"{size}.task_list.p50_ms"] > 0
