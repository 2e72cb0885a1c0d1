"""Tasker beside its peers: the parts that run no process."""

import ast
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasker_project.bench.peers import scripts
from tasker_project.bench.peers.comparing import Comparison
from tasker_project.bench.peers.errors import PeerError
from tasker_project.bench.peers.outcome import by_rows, medians, ratios
from tasker_project.bench.peers.roster import PEERS
from tasker_project.bench.peers.scripts import contract
from tasker_project.bench.peers.scripts.contract import (
    SHAPES,
    Progress,
    StandstillError,
    latencies_ms,
    start_and_wait,
    throughput,
)
from tasker_project.bench.peers.talking import ask, read_answer
from tasker_project.bench.peers.tasker_side import TEMPLATES
from tasker_project.bench.shapes import SHAPES as TEMPLATE_SHAPES
from tasker_project.bench.usage import cpu_seconds, family_cpu_seconds

END = 2_000_000_000.0
SCRIPTS = sorted(Path(scripts.__path__[0]).glob("*.py"))


class InstantClient:
    """Finishes all but `lost` of what it is asked for, at once."""

    def __init__(self, *, lost: int = 0) -> None:
        self.lost = lost
        self.finished = 0
        self.requested: list[int] = []

    def enqueue(self, shape: str, count: int) -> None:
        self.requested.append(count)
        self.finished += count - self.lost

    def progress(self) -> Progress:
        return Progress(self.finished, END)


@pytest.fixture
def no_time(monkeypatch):
    """Every request starts two seconds before the clients' workflows end; nobody sleeps."""
    clock = SimpleNamespace(
        sleep=lambda seconds: None,
        time=lambda: END - 2,
        monotonic=time.monotonic,
        process_time=time.process_time,
    )
    monkeypatch.setattr(contract, "time", clock)


def test_each_peer_is_pinned_to_exact_versions_and_has_a_script():
    assert [peer.name for peer in PEERS] == ["oban", "absurd", "dbos", "procrastinate", "celery"]
    for peer in PEERS:
        for package in peer.packages:
            assert re.fullmatch(r"[a-z0-9-]+(\[[a-z]+\])?==\d+(\.\d+)+", package), package
        assert Path(scripts.__path__[0], f"{peer.script}.py").exists()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_what_runs_beside_a_peer_imports_nothing_of_tasker_but_its_neighbours(path):
    imported = [
        node.module or ""
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
    ]
    ours = [name for name in imported if name.partition(".")[0] in ("tasker_project", "django")]

    assert all(name.startswith("tasker_project.bench.peers.scripts") for name in ours)


def test_tasker_has_a_template_of_the_same_width_for_every_shape():
    widths = {shape: len(TEMPLATE_SHAPES[TEMPLATES[shape]]) for shape in SHAPES}

    assert widths == {"linear4": 4, "diamond": 4, "fanout20": 22}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ('{"peer": true, "seconds": 1.5}', {"seconds": 1.5}),
        ('{"peer": true}', {}),
        ('{"seconds": 1.5}', None),  # JSON that the peer's library logs
        ("[1, 2]", None),
        ("12:00 INFO started", None),
        ("", None),
    ],
)
def test_only_lines_of_a_script_are_answers(line, answer):
    assert read_answer(line) == answer


def test_medians_are_taken_over_the_rounds_that_have_a_figure():
    runs = [{"a.x": 1.0, "b.x": 5.0}, {"a.x": 9.0}, {"a.x": 2.0, "b.x": 7.0}]

    assert medians(runs) == {"a.x": 2.0, "b.x": 6.0}


def test_ratios_are_tasker_against_each_peer_and_against_the_best():
    rate = "workflows_per_second"
    figures = {
        f"tasker_linear4.{rate}": 300.0,
        f"peer_oban_linear4.{rate}": 100.0,
        f"peer_dbos_linear4.{rate}": 200.0,
        f"tasker_diamond.{rate}": 100.0,
    }

    found = ratios(figures, ["oban", "dbos", "celery"], ["linear4", "diamond"])

    assert found == {"ratio_best_linear4": 1.5, "ratio_oban_linear4": 3, "ratio_dbos_linear4": 1.5}
    assert list(by_rows(found)) == [
        "ratio_best.linear4",
        "ratio_oban.linear4",
        "ratio_dbos.linear4",
    ]


@pytest.mark.usefixtures("no_time")
def test_throughput_begins_after_the_warm_up_and_ends_with_the_last_end():
    client, begun = InstantClient(), []

    spent = throughput(client, "linear4", 100, begin=lambda: begun.append(list(client.requested)))

    assert begun == [[10]]
    assert client.requested == [10, 100]
    assert spent.seconds == 2.0


@pytest.mark.usefixtures("no_time")
def test_latencies_are_those_of_single_workflows_without_the_warm_up():
    client = InstantClient()

    assert latencies_ms(client, "linear4", 3) == [2000.0] * 3
    assert client.requested == [1] * 13


@pytest.mark.usefixtures("no_time")
def test_workflows_that_never_finish_are_given_up(monkeypatch):
    monkeypatch.setattr(contract, "LONGEST_STILL_SECONDS", -1.0)

    with pytest.raises(StandstillError, match="9 of 10 workflows finished"):
        start_and_wait(InstantClient(lost=1), "linear4", 10, look_seconds=0)


READY_AND_DONE = """
import json, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
print("a line of the library")
print(json.dumps({"peer": True, "ready": True}), flush=True)
signal.sigwait({signal.SIGUSR1})
print(json.dumps({"peer": True, "seconds": 1.0}))
"""


def test_a_script_that_is_ready_waits_until_the_runner_has_begun():
    begun = []

    answer = ask(
        "script",
        [sys.executable, "-c", READY_AND_DONE],
        environment={},
        begin=lambda: begun.append(True),
    )

    assert (begun, answer) == ([True], {"seconds": 1.0})


def test_a_script_that_ends_without_an_answer_is_an_error_with_its_last_words():
    with pytest.raises(PeerError, match="no such module"):
        ask("script", [sys.executable, "-c", "print('no such module')"], environment={})


class FakeTurns:
    """Every shape takes as long, but one that fails."""

    def idle(self, at_work):
        return {"commits_per_second": 1.0}

    def shape(self, shape, at_work):
        if at_work == "peer_odd" and shape == "diamond":
            raise PeerError("cannot join")
        return {"workflows_per_second": 10.0}


class FakeSystem:
    def __init__(self, name: str) -> None:
        self.name = name

    @contextmanager
    def at_work(self):
        if self.name == "peer_broken":
            raise PeerError("does not start")
        yield self.name


def test_what_a_peer_cannot_do_is_missing_with_the_reason_and_the_rest_goes_on():
    said: list[str] = []
    turns: Any = FakeTurns()
    comparison = Comparison(turns, said.append)

    systems = [FakeSystem(name) for name in ("tasker", "peer_odd", "peer_broken")]
    comparison.run(systems, rounds=3)

    assert comparison.missing == {
        "peer_odd_diamond": "cannot join",
        "peer_broken": "does not start",
    }
    assert all("peer_odd_fanout20.workflows_per_second" in run for run in comparison.runs)
    ratio_keys = set(ratios(medians(comparison.runs), ["odd", "broken"], SHAPES))
    assert ratio_keys == {
        "ratio_best_linear4",
        "ratio_best_fanout20",
        "ratio_odd_linear4",
        "ratio_odd_fanout20",
    }
    firsts = [line for line in said if line.startswith("round")][::3]
    assert firsts == [
        "round 1 of 3: tasker",
        "round 2 of 3: peer_odd",
        "round 3 of 3: peer_broken",
    ]


def test_a_family_has_used_at_least_what_its_head_has():
    head = cpu_seconds(os.getpid())

    assert head is not None
    assert family_cpu_seconds(os.getpid()) >= head
