"""Carries out the plan of faults in the main thread, with all that follows from them.

A fault that cannot happen at its moment (its victims are down) happens a little later. Whoever was
killed, frozen or stopped comes back, so at the end everybody is up again.
"""

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable

import psycopg

from tests.chaos.cluster import Cluster
from tests.chaos.faults import Faults, NotNow
from tests.chaos.plan import FaultPlan, Plan
from tests.chaos.server import Server
from tests.chaos.tampering import Tampering

TICK_SECONDS = 0.02
AGAIN_SECONDS = 0.2
Say = Callable[[str], None]


class Injector:
    """The faults of one run; `done` counts those that happened, by kind."""

    def __init__(
        self, plan: Plan, *, cluster: Cluster, server: Server, tampering: Tampering, say: Say
    ) -> None:
        self.done: Counter[str] = Counter()
        self.story: list[str] = []
        self._plan = plan
        self._cluster = cluster
        self._say = say
        self._faults = Faults(cluster, server, tampering, later=self._later)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._began = time.monotonic()
        self.began_at = time.time()

    @property
    def elapsed(self) -> float:
        """Seconds since the faults began."""
        return time.monotonic() - self._began

    def run(self, *, is_over: Callable[[], bool], is_vain: Callable[[], bool]) -> None:
        """Inject everything; return when it is done, everybody is back, and `is_over` says so.

        Return at once when it has become vain.
        """
        self._began, self.began_at = time.monotonic(), time.time()
        for fault in self._plan.faults:
            self._at(fault.at, self._injection(fault))
        while (self._due or not is_over() or self._is_anybody_stopping) and not is_vain():
            self.tick()
            time.sleep(TICK_SECONDS)

    def tick(self) -> None:
        """Do what is due by now; start those again that have ended."""
        now = self.elapsed  # what is put off meanwhile waits for the next tick
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        for member in self._cluster.look():
            self._cluster.start(member)

    @property
    def _is_anybody_stopping(self) -> bool:
        return any(member.is_stopping for member in self._cluster.members.values())

    def _at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._order), action))

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._at(self.elapsed + seconds, action)

    def _injection(self, fault: FaultPlan) -> Callable[[], None]:
        def inject() -> None:
            moment = self.elapsed
            try:
                what = self._faults.inject(fault)
            except (NotNow, psycopg.OperationalError, psycopg.InterfaceError):
                self._later(AGAIN_SECONDS, inject)
                return
            self.done[fault.kind] += 1
            line = f"{moment:7.1f} s  #{fault.number:<3} {fault.kind:26} {what}"
            self.story.append(line)
            self._say(line)

        return inject
