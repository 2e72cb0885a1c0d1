"""A steady load for a long time: does anything grow that should not?

First the most that the engine finishes is measured for some seconds, then tasks arrive at a fixed
share of that for as long as asked, then the most is measured again, beside all that has piled up.
A line for every interval (5 minutes, less in short runs) is printed as soon as it is over.

Judged are: tasks a second in the last minute against the first; the memory of each process and the
dead rows of the queues, last third against first third. The start (`WARM_UP_SHARE`) is left out.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction

from orchestration.queries.retention import purge_tasks
from tasker_project.bench.arrivals import UNFINISHED, Arrivals, arriving, replenished, threads
from tasker_project.bench.database import rows, settle, value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, check_alive, forget_tasks
from tasker_project.bench.shapes import SHAPES
from tasker_project.bench.watching import Look, look, mean
from tasker_project.processes import ProcessGroup

SHAPE = "linear4"
LOAD_SHARE = 0.6  # of what was measured as the most
BACKLOG = 200
MOST_SECONDS = 20.0  # after a quarter of that, which is left out
MOST_SHARE = 1 / 4  # of short runs
PURGE_BATCH = 200
INTERVAL_SECONDS = 300.0
INTERVALS = 6  # at least
LOOK_SECONDS = 5.0
WARM_UP_SHARE = 1 / 12
LONGEST_DRAIN_SECONDS = 120.0
FEWEST_DEAD_ROWS = 1000.0  # growth of less is no growth
FINISHED = """
SELECT
  count(*)::float8,
  coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY ms), 0)::float8,
  coalesce(percentile_disc(0.95) WITHIN GROUP (ORDER BY ms), 0)::float8,
  coalesce(percentile_disc(0.99) WITHIN GROUP (ORDER BY ms), 0)::float8
FROM (
  SELECT extract(epoch FROM completed_at - created_at) * 1000 AS ms
  FROM tasker_tasks
  WHERE completed_at >= to_timestamp(%(start)s) AND completed_at < to_timestamp(%(end)s)
) AS finished
"""
NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    _spans(bench)
    forget_tasks()
    settle()
    with bench.engine() as group:
        before = _most(bench, group)
        rate = bench.rate or LOAD_SHARE * before
        bench.say(f"soak: {rate:.0f} tasks/s for {bench.minutes:g} minutes")
        figures = _steady(bench, group, rate)
        after = _most(bench, group)
    steps = len(SHAPES[SHAPE])
    figures |= named("soak.most", {"before_steps_per_s": before * steps})
    figures |= named("soak.most", {"after_steps_per_s": after * steps})
    return figures


def _most(bench: Bench, group: ProcessGroup) -> float:
    """Return the tasks a second that are finished while there is always a backlog."""
    seconds = min(MOST_SECONDS, bench.minutes * 60 * MOST_SHARE)
    bench.say(f"soak: measuring the most, {seconds:.0f} s")
    with replenished(SHAPE, backlog=BACKLOG) as arrivals:
        time.sleep(seconds / 4)
        start = float(value(NOW))
        time.sleep(seconds)
        end = float(value(NOW))
        arrivals.check()
    check_alive(group)
    found = _finished(start, end)["tasks_per_second"]
    deadline = time.monotonic() + LONGEST_DRAIN_SECONDS
    while value(UNFINISHED):
        check_alive(group)
        if time.monotonic() > deadline:
            raise BenchError(f"Tasks were not finished within {LONGEST_DRAIN_SECONDS} s")
        time.sleep(0.1)
    return found


def _steady(bench: Bench, group: ProcessGroup, rate: float) -> Figures:
    """Keep the load up, print every interval, and return the figures of all of them."""
    seconds = bench.minutes * 60
    interval, minute = _spans(bench)
    looks: list[Look] = []
    figures: Figures = {}
    first: dict[str, float] = {}
    start = left = float(value(NOW))
    warm = start + WARM_UP_SHARE * seconds
    with arriving(SHAPE, per_second=rate) as arrivals, _purging(bench.keep_minutes) as purge:
        for number in range(1, round(seconds / interval) + 1):
            seen = _watch(group, until=start + number * interval)
            arrivals.check()
            purge.check()
            looks += seen
            now = float(value(NOW))
            line = _finished(left, now) | {"behind_s": arrivals.behind_seconds} | _grown(seen)
            figures |= named(f"soak.interval{number:02}", line)
            bench.say(f"soak: {(now - start) / 60:.1f} min " + " ".join(_words(line)))
            left = now
            if not first and now >= warm + minute:  # before a purge takes them
                first = _finished(warm, warm + minute)
    last = _finished(left - minute, left)
    return figures | _verdict(bench, looks[round(WARM_UP_SHARE * len(looks)) :], first, last)


def _spans(bench: Bench) -> tuple[float, float]:
    """Return the seconds of an interval and of the first and last minute, which are compared."""
    seconds = bench.minutes * 60
    interval, minute = min(INTERVAL_SECONDS, seconds / INTERVALS), min(60.0, seconds / 4)
    if 0 < bench.keep_minutes * 60 < 2 * interval:
        raise BenchError(
            f"--keep-minutes {bench.keep_minutes:g} would delete tasks before they are counted; "
            f"at least {2 * interval / 60:g} is needed"
        )
    return interval, minute


@contextmanager
def _purging(keep_minutes: float) -> Iterator[Arrivals]:
    """Delete finished tasks of that age inside the block, as a purge does; 0 = none."""

    def work(number: int) -> None:
        while not purge.is_over.is_set():
            began = time.monotonic()
            with transaction.atomic():
                deleted = purge_tasks(age_seconds=keep_minutes * 60, limit=PURGE_BATCH)
            purge.is_over.wait(time.monotonic() - began if deleted.tasks else 1.0)

    purge = Arrivals()
    with threads(purge, work, count=1 if keep_minutes else 0):
        yield purge


def _watch(group: ProcessGroup, *, until: float) -> list[Look]:
    """Look every few seconds until the database's clock shows a moment."""
    seen = []
    while (left := until - float(value(NOW))) > 0:
        check_alive(group)
        time.sleep(min(LOOK_SECONDS, left))
        seen.append(look(group))
    return seen


def _finished(start: float, end: float) -> dict[str, float]:
    """Return what was finished between two moments of the database's clock."""
    [(count, p50, p95, p99)] = rows(FINISHED, start=start, end=end)
    rate = count / (end - start)
    return {
        "tasks_per_second": rate,
        "steps_per_second": rate * len(SHAPES[SHAPE]),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
    }


def _grown(seen: Sequence[Look]) -> dict[str, float]:
    """Return memory, dead rows and sizes of an interval."""
    last = seen[-1]
    found = {f"{name}_rss_mb": mb for name, mb in last.resident_mb.items()}
    found["unfinished"] = float(value(UNFINISHED))
    found["queue_dead_rows_mean"] = mean(each.queues.dead_rows for each in seen)
    found["queue_dead_rows_max"] = max(each.queues.dead_rows for each in seen)
    found["queue_mb"] = last.queues.size_mb
    for name, table in last.tables.items():
        if table is not last.queues:
            found[f"{name.removeprefix('tasker_')}_dead_rows"] = table.dead_rows
            found[f"{name.removeprefix('tasker_')}_mb"] = table.size_mb
    return found


def _words(line: dict[str, float]) -> Sequence[str]:
    return [f"{key}={number:.1f}" for key, number in line.items()]


def _verdict(
    bench: Bench, looks: Sequence[Look], first: dict[str, float], last: dict[str, float]
) -> Figures:
    """Judge the run and say so."""
    third = max(len(looks) // 3, 1)
    early, late = looks[:third], looks[-third:]
    memory = [
        _percent(
            mean(each.resident_mb[name] for each in early),
            mean(each.resident_mb[name] for each in late),
        )
        for name in looks[-1].resident_mb
    ]
    dead = [max(mean(e.queues.dead_rows for e in part), FEWEST_DEAD_ROWS) for part in (early, late)]
    sizes = [mean(each.queues.size_mb for each in part) for part in (early, late)]
    values = {
        "first_tasks_per_s": first["tasks_per_second"],
        "last_tasks_per_s": last["tasks_per_second"],
        "throughput_percent": 100 + _percent(first["tasks_per_second"], last["tasks_per_second"]),
        "rss_growth_percent": max(memory),
        "dead_rows_growth_percent": _percent(*dead),
        "queue_size_growth_percent": _percent(*sizes),
        "hot_updates_percent": _hot(looks[-1]),
    }
    bench.say("soak: verdict " + " ".join(_words(values)))
    return named("soak.verdict", values)


def _percent(before: float, now: float) -> float:
    """Return by how many percent something grew."""
    return (now / before - 1) * 100 if before else 0.0


def _hot(seen: Look) -> float:
    """Return the share of updates of tasks and steps that touched no index."""
    tables = [seen.tables["tasker_tasks"], seen.tables["tasker_workflow_steps"]]
    updates = sum(table.updates for table in tables)
    return 100 * sum(table.hot_updates for table in tables) / updates if updates else 0.0
