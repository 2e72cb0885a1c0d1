"""`manage.py bench` with few samples: stable keys, real processes, nothing left behind."""

import json
import signal

import pytest
from django.db import connections

from tasker_project.bench.usage import descendants
from tasker_project.embedded import postmaster

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]

FEW = ("--samples", "3", "--tasks", "60", "--sizes", "200", "--concurrency", "2")
WORK = ("claim", "report", "process_results")
LATENCIES = {"n", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"}
MEASURED = {
    *(f"latency_{each}" for each in ("linear4", "diamond4", "tree8", "dag7")),
    *("latency_linear4_polled", "latency_linear4_http"),
    *(f"phase_linear4.{each}" for each in ("claim", "run", "settle")),
    *("api.linear4", "api.diamond4", "api.linear50", "api.linear4_2_clients", "api_5k.linear4"),
    *("notify.idle", "notify.loaded"),
    *(f"sql.200.next_ready_{limit}" for limit in (1, 10, 50, 100)),
    *(f"sql.200.{each}" for each in ("readiness", "context", "transitive_dependencies")),
    *(
        f"sql.200.{each}_{n}"
        for each in ("claim", "report", "process_results")
        for n in (1, 10, 50)
    ),
}
THROUGHPUT = {
    *("tasks", "tasks_per_second", "steps_per_second", "created_per_second"),
    *("wal_bytes_per_step", "commits_per_step"),
    *(f"{kind}_cpu_ms_per_step" for kind in ("orchestrator", "worker", "postgres")),
    *(f"{kind}_cpu_cores" for kind in ("orchestrator", "worker", "postgres")),
}


def bench_databases():
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_database WHERE datname = current_database() || '_bench'"
        )
        return cursor.fetchone()[0]


def test_bench_measures_everything_and_drops_its_database(processes, tmp_path):
    stored = tmp_path / "bench.json"
    suites = ("e2e", "throughput", "api", "notify", "sql")

    done = processes.run("bench", *suites, *FEW, "--json", str(stored), within=200)

    assert done.child.returncode == 0, done.output
    document = json.loads(stored.read_text())
    expected = {f"{name}.{figure}" for name in MEASURED for figure in LATENCIES}
    expected |= {f"throughput_linear4.{figure}" for figure in THROUGHPUT}
    assert set(document["figures"]) == expected
    assert all(figure >= 0 for figure in document["figures"].values())
    assert document["figures"]["latency_linear4.n"] == 3
    assert document["figures"]["phase_linear4.claim.n"] >= 3 * 4
    assert document["facts"]["settings"]["fsync"] == "on"
    assert {"commit", "cpus", "postgresql", "machine", "command"} <= set(document["facts"])
    assert "latency_linear4" in done.output
    assert bench_databases() == 0


def test_bench_tells_what_an_idle_process_costs(processes, tmp_path):
    stored = tmp_path / "bench.json"

    done = processes.run("bench", "idle", "--seconds", "1", "--json", str(stored), within=120)

    assert done.child.returncode == 0, done.output
    figures = json.loads(stored.read_text())["figures"]
    assert 20 < figures["idle.orchestrator.rss_mb"] < 300
    assert 20 < figures["idle.worker.rss_mb"] < 300
    assert "idle.worker.commits_per_minute" in figures
    assert 40 < figures["idle.together.rss_mb"] < 600
    assert 0 <= figures["idle.together.cpu_percent"] < 200
    assert 0 <= figures["idle.together.commits_per_second"] < 100


def test_bench_fails_when_a_figure_became_worse(processes, tmp_path):
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps({"figures": {"latency_linear4.p50_ms": 0.001}}))

    done = processes.run("bench", "e2e", *FEW, "--compare", str(earlier), within=120)

    assert done.child.returncode == 1
    assert "latency_linear4.p50_ms is" in done.output
    assert "was 0.001" in done.output


def test_bench_leaves_nothing_behind_when_it_is_interrupted(processes):
    running = processes.start("bench", "e2e")
    running.says("e2e: linear4", within=30)
    children = descendants(running.child.pid)[1:]
    assert len(children) == 2

    running.send(signal.SIGTERM)

    assert running.ends(within=30) == 130
    assert "Interrupted" in running.output
    assert [pid for pid in children if postmaster.is_alive(pid)] == []
    assert bench_databases() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("speed",), "There is no suite 'speed'; there are e2e, throughput"),
        (("e2e", "--compare", "/nowhere/bench.json"), "/nowhere/bench.json cannot be compared"),
        (("e2e", "--samples", "0"), "--samples"),
        (("throughput", "--workers", "0"), "--workers"),
    ],
)
def test_bench_refuses_what_it_cannot_do(processes, arguments, said):
    done = processes.run("bench", *arguments)

    assert done.child.returncode in (1, 2)
    assert said in done.output
    assert "Traceback" not in done.output


def test_bench_does_not_touch_a_database_with_tasks(processes):
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO tasker_task_namespaces (name) VALUES ('mine');"
            "INSERT INTO tasker_named_tasks (task_namespace_uuid, name)"
            " SELECT task_namespace_uuid, 'mine' FROM tasker_task_namespaces WHERE name = 'mine';"
            "INSERT INTO tasker_template_revisions (named_task_uuid, digest, configuration)"
            " SELECT named_task_uuid, 'd', '{}' FROM tasker_named_tasks WHERE name = 'mine';"
            "INSERT INTO tasker_tasks (named_task_uuid, template_revision_uuid, identity_hash,"
            " request_hash) SELECT named_task_uuid, template_revision_uuid, 'h', ''"
            " FROM tasker_template_revisions WHERE digest = 'd'"
        )

    done = processes.run("bench", "throughput", "--here")

    assert done.child.returncode == 1
    assert "holds tasks, and a measurement would delete them" in done.output
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tasker_tasks")
        assert cursor.fetchone()[0] == 1
