"""`python -m tests.chaos`, small: a run that has to be good, a broken build that must be found."""

import json
import os
import subprocess
import sys

import pytest

from tests.processes import PROJECT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]

REQUIRED = {
    *("tasks", "faults", "stuck", "lost", "wrong", "invariant_violations", "doubled_effects"),
    *(f"recovery_{name}_seconds" for name in ("p50", "p95", "p99")),
}
QUICK = "kill_worker,kill_orchestrator,malformed_message,duplicate_result_message,cut_listen"


def chaos(*arguments, folder):
    """Run the injector on a server of its own, whatever server the tests use."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TASKER_"))}
    stored = folder / "chaos.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--json", str(stored), *arguments],
        cwd=PROJECT,
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    return done, json.loads(stored.read_text()) if stored.exists() else {}


def test_a_small_run_is_good(tmp_path):
    done, document = chaos("--tasks", "40", "--faults", "5", "--only", QUICK, folder=tmp_path)

    assert document, done.stdout + done.stderr
    assert document.keys() >= REQUIRED
    assert document["faults"] == dict.fromkeys(sorted(QUICK.split(",")), 1)
    assert document["tasks"] == document["promised_tasks"] > 30
    found = {key: document[key] for key in ("stuck", "lost", "wrong", "processes_died")}
    found |= {key: document[key] for key in ("invariant_violations", "doubled_effects")}
    assert set(found.values()) == {0}, done.stdout
    is_in_time = (document["recovery_p95_seconds"] or 0) <= 5  # a busy machine may be slower
    assert done.returncode == (0 if is_in_time else 1), done.stdout


@pytest.mark.benchmark  # whether a fault meets the gap is a matter of luck in a run so small
def test_a_build_that_sends_after_the_commit_is_found(tmp_path):
    broken = ("--break", "send-outside-transaction", "--only", "kill_worker,slow_commits")

    done, document = chaos("--tasks", "40", "--faults", "6", *broken, folder=tmp_path)

    assert done.returncode == 1, done.stdout + done.stderr
    assert document["invariant_violations"] > 0, done.stdout
    assert "I6 during the run" in done.stdout  # and it says where, with the history of the task
    assert "=== task" in done.stdout


@pytest.mark.parametrize(
    "arguments", [("--tasks", "-1"), ("--only", "earthquake"), ("--break", "everything")]
)
def test_bad_usage_ends_with_2(tmp_path, arguments):
    done, document = chaos(*arguments, folder=tmp_path)

    assert (done.returncode, document) == (2, {})
    assert "usage:" in done.stderr
