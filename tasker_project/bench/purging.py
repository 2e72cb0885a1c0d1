"""How fast finished tasks are deleted, and what that costs an engine that is working meanwhile.

The tasks are loaded by SQL, as weeks of work would have left them. The engine never lacks work:
what it finishes a second without and with a purge beside it is the price.
"""

import threading
import time
from collections.abc import Callable

from orchestration.conf import RetentionSettings
from orchestration.lifecycle import retention
from orchestration.runtime.database import release_connections
from tasker_project.bench.arrivals import replenished
from tasker_project.bench.database import value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.loading import load_finished
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, check_alive, forget_tasks
from tasker_project.bench.shapes import SHAPES

SHAPE = "linear4"
BACKLOG = 200
SETTLE_SECONDS = 5.0
ALONE_SECONDS = (2.0, 15.0)  # the longer one beside 20,000 tasks
FULL_SIZE = 20_000
LONGEST_SECONDS = 600.0
FINISHED = """
SELECT count(*)
FROM tasker_tasks
WHERE completed_at >= to_timestamp(%(start)s) AND completed_at < to_timestamp(%(end)s)
"""
NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"


class Purge(threading.Thread):
    """A purge in a thread of this process, as `manage.py purge --days 90` would do it."""

    def __init__(self, rest: Callable[[float], bool]) -> None:
        super().__init__(daemon=True)
        self.deleted: retention.Rows = retention.Rows()
        self.failure: Exception | None = None
        self._rest = rest

    def run(self) -> None:
        """Purge to the end."""
        try:
            limits = RetentionSettings(retention_task_days=90)
            self.deleted = retention.purge(limits, rest=self._rest)
        except Exception as error:  # noqa: BLE001 - raised in the main thread
            self.failure = error
        finally:
            release_connections()


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    forget_tasks()
    bench.say(f"purge: loading {bench.tasks} finished tasks")
    load_finished(bench.tasks)
    with bench.engine() as group, replenished(SHAPE, backlog=BACKLOG) as arrivals:
        time.sleep(SETTLE_SECONDS)
        bench.say("purge: the engine alone")
        start = float(value(NOW))
        time.sleep(max(ALONE_SECONDS[0], min(bench.tasks / FULL_SIZE, 1) * ALONE_SECONDS[1]))
        middle = float(value(NOW))
        bench.say("purge: the engine beside a purge")
        deleted, seconds = _purge()
        end = float(value(NOW))
        arrivals.check()
        check_alive(group)
    if deleted["tasks"] != bench.tasks:
        raise BenchError(f"Of {bench.tasks} tasks {deleted['tasks']} were deleted")
    alone, beside = _steps(start, middle), _steps(middle, end)
    figures = named(
        "purge.busy", {"tasks_per_second": bench.tasks / seconds, "seconds": seconds}
    ) | named("purge.busy", {"rows_per_second": deleted.total() / seconds})
    figures |= named("purge.engine", {"alone_steps_per_s": alone, "beside_steps_per_s": beside})
    forget_tasks()
    load_finished(bench.tasks)
    bench.say("purge: without an engine, without rests")
    began = time.perf_counter()
    limits = RetentionSettings(retention_task_days=90)
    deleted = retention.purge(limits, rest=lambda seconds: True)
    seconds = time.perf_counter() - began
    quiet = {"tasks_per_second": bench.tasks / seconds, "seconds": seconds}
    return figures | named("purge.quiet", quiet | {"rows_per_second": deleted.total() / seconds})


def _purge() -> tuple[retention.Rows, float]:
    """Purge beside the engine, with the rests; return what was deleted and how long it took."""
    purge = Purge(_rest)
    began = time.perf_counter()
    purge.start()
    purge.join(LONGEST_SECONDS)
    if purge.failure or purge.is_alive():
        raise BenchError(f"The purge failed or did not end: {purge.failure!r}")
    return purge.deleted, time.perf_counter() - began


def _rest(seconds: float) -> bool:
    time.sleep(seconds)
    return True


def _steps(start: float, end: float) -> float:
    """Return the steps finished a second between two moments of the database's clock."""
    finished = int(value(FINISHED, start=start, end=end))
    return finished * len(SHAPES[SHAPE]) / (end - start)
