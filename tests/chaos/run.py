"""One run from the empty folder to the verdict. Django is set up by then, on the run's database."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections

from orchestration.queries import invariants
from orchestration.runtime import database
from tasker_project.processes import ProcessGroup
from templates_registry import registry
from tests.chaos import broken, effects, evidence, faults, report
from tests.chaos.cluster import Cluster
from tests.chaos.feeder import Feeder
from tests.chaos.injector import Injector
from tests.chaos.judge import judge
from tests.chaos.plan import Plan
from tests.chaos.quiet import wait_for_quiet
from tests.chaos.recovery import Disturbances, recoveries
from tests.chaos.report import Outcome
from tests.chaos.server import Server
from tests.chaos.tampering import Tampering
from tests.chaos.watcher import Watcher

Say = Callable[[str], None]


def prepare_database(plan: Plan, *, build: str) -> None:
    """Migrate, register the templates, make the tables of the run; break it where asked to."""
    call_command("migrate", verbosity=0, interactive=False)
    for workflow in plan.workflows:
        registration = registry.register(workflow.as_template())
        if registration.named_task_uuid is None:
            raise RuntimeError(f"{workflow.name}: {registration.message} {registration.findings}")
    with connections["default"].cursor() as cursor:
        for source in (effects.TABLES, faults.SLOW_COMMITS, report.MESSAGES):
            cursor.execute(source)
    if build:
        broken.break_database(build)
    connections.close_all()


def run(plan: Plan, *, server: Server, logs: Path, build: str, say: Say) -> Outcome:
    """Run the plan and judge what became of it."""
    began = time.monotonic()
    prepare_database(plan, build=build)
    with ProcessGroup() as group:
        cluster = Cluster(group, url=server.url, logs=logs, broken=build)
        cluster.start_all()
        say(f"{time.monotonic() - began:7.1f} s  the cluster serves")
        played = _play(plan, cluster=cluster, server=server, say=say)
        outcome = _judge(plan, played, began=began)
        if outcome.findings or outcome.problems:
            for line in cluster.last_words():
                say(line)
    return outcome


@dataclass(frozen=True)
class Played:
    """A run whose faults are over, ready to be judged."""

    cluster: Cluster
    server: Server
    feeder: Feeder
    injector: Injector
    watcher: Watcher
    tampering: Tampering
    quiet_seconds: float


def _play(plan: Plan, *, cluster: Cluster, server: Server, say: Say) -> Played:
    """Feed and break the cluster, then wait until it is quiet."""
    tampering = Tampering()
    watcher, feeder = Watcher(tampering), Feeder(plan, api=cluster.api)
    injector = Injector(plan, cluster=cluster, server=server, tampering=tampering, say=say)
    watcher.start()
    feeder.start()
    injector.run(is_over=lambda: not feeder.is_alive(), is_vain=lambda: feeder.failure is not None)
    say(f"{injector.elapsed:7.1f} s  all faults are over, all tasks created; waiting for quiet")
    quiet_seconds = wait_for_quiet(server, tick=injector.tick)
    watcher.stop()
    return Played(cluster, server, feeder, injector, watcher, tampering, quiet_seconds)


def _judge(plan: Plan, played: Played, *, began: float) -> Outcome:
    """Read what the database says and compare it with the plan."""
    database.discard_connections()  # those of before the last restart of the server
    with played.server.connect() as connection:
        found = evidence.collect(connection)
        offset = _clock_offset(connection)
    findings = judge(
        plan,
        found,
        promised=played.feeder.promised,
        tampering=played.tampering,
        violations=[
            *[("at the end", each) for each in invariants.violations()],
            *[("during the run", each) for each in played.watcher.seen.values()],
        ],
    )
    others = Disturbances(played.server.outages, played.tampering.purges)
    return Outcome(
        seed=plan.seed,
        plan_digest=plan.digest,
        tasks=len(found.tasks),
        steps=sum(map(len, found.steps.values())),
        faults=played.injector.done,
        findings=findings,
        problems=[*played.cluster.problems, *filter(None, [played.feeder.failure])],
        recoveries=recoveries(found, played.cluster.kills, others=others, clock_offset=offset),
        seconds=time.monotonic() - began,
        quiet_seconds=played.quiet_seconds,
        faults_began_at=played.injector.began_at,
        facts=_facts(plan, played, found),
    )


def _clock_offset(connection: Any) -> float:
    """Return how far the database's clock is ahead of ours, in seconds."""
    before = time.time()
    (theirs,) = connection.execute("SELECT clock_timestamp()").fetchone()
    return float(theirs.timestamp() - (before + time.time()) / 2)


def _facts(plan: Plan, played: Played, found: evidence.Evidence) -> dict[str, Any]:
    states = Counter(task.state for task in found.tasks)
    return {
        "planned_tasks": len(plan.tasks),
        "promised_tasks": len(played.feeder.promised),
        "rolled_back_tasks": sum(task.is_rolled_back for task in plan.tasks),
        "repeated_requests": played.feeder.repeats,
        "task_states": dict(sorted(states.items())),
        "lost_attempts": sum(s.requeue_count for steps in found.steps.values() for s in steps),
        "looks_at_invariants": played.watcher.looks,
        "longest_look_seconds": round(played.watcher.longest_look, 3),
        "postgres": played.server.version,
        "logged": played.cluster.count_events(),
    }
