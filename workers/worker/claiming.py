"""The claim loop: as many claims as there are free slots, the namespaces taking turns.

A notification marks its namespace; the poll marks all. A namespace is read until it gives less than
was asked for. Notifications are hints, so one more look follows a second after the last activity:
that also covers a message which another transaction held locked for a moment.

Where results claim what takes their place (`workers.worker.exchange`), this loop leaves the slots
to them as long as there are some to send: two small claims cost twice what one does. Results take
the steps that follow them before those that wait in the queue, so that what was begun ends; every
eighth time they stand in line.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from uuid import UUID

from orchestration import health
from orchestration.messaging.messages import worker_queue
from orchestration.queries.steps import Claim, Take, claim_steps
from orchestration.queries.tasks import notify_due_work
from orchestration.runtime.log_context import lines_together
from orchestration.runtime.loop import Loop
from workers import signals
from workers.executor import Execution
from workers.worker.counting import count_claims
from workers.worker.slots import Slots

log = logging.getLogger(__name__)

SECOND_LOOK_SECONDS = 1.05
"""A little more than the second for which a claim hides a message that was locked."""


TELL_SECONDS = 5.0
"""Pause between two notifications that this worker claims. An orchestrator that sees none claimed
for a while looks for lost workers seldom, until it is told."""

MOST_TAKING_TURNS = 7
"""While steps wait in the queue, every eighth turn takes none out of order."""


class Pace(NamedTuple):
    """How long a claim lasts, how often to look without being woken, and when to hold back."""

    lease_seconds: int
    poll_seconds: Callable[[], float]
    shed_claims_at: float


class Turn:
    """What another part of the worker claims in a transaction of its own; see `Claimer.turn`."""

    def __init__(
        self, fetch: Callable[..., list[Claim]], *, free: int, take: Take, is_backlog: bool
    ) -> None:
        self._fetch = fetch
        self._free = free
        self._is_backlog = is_backlog  # the namespace was not read to its end
        self.take = take
        self.claims: list[Claim] = []

    def claim(self, taken: Sequence[UUID], *, enqueued: int) -> bool:
        """Claim what fits beside the `taken` ones of the steps that this transaction has enqueued.

        Returns whether the queue may hold more. It is read only if it may hold something.
        """
        if self._is_backlog or enqueued > len(taken):
            self.claims = self._fetch(limit=self._free - len(taken), taken=taken)
            return len(self.claims) == self._free
        if taken:
            self.claims = self._fetch(limit=None, taken=taken)
        return False


class Claimer:
    """Fills free slots from the queues of the namespaces served."""

    def __init__(
        self,
        namespaces: Iterable[str],
        *,
        worker_uuid: UUID,
        slots: Slots,
        begin: Callable[[Claim], None],
        pace: Pace,
    ) -> None:
        """Serve the namespaces; `begin` takes a claim to its thread."""
        self.loop = Loop("claims", self.run_once, idle_seconds=self._idle_seconds)
        self._namespaces = tuple(namespaces)
        self._turns = deque(self._namespaces)
        self._marked = set(self._namespaces)
        self._worker_uuid = worker_uuid
        self._slots = slots
        self._begin = begin
        self._pace = pace
        self.on_nothing: Callable[[], None] = lambda: None
        self.are_results_claiming: Callable[[], bool] = lambda: False
        self._polled_at = -math.inf
        self._look_again_at = math.inf
        self._taking_turns = 0
        self._told_at = -math.inf
        self._lock = threading.Lock()

    @property
    def may_have_work(self) -> bool:
        """A namespace has not been read to its end since it was last marked, or is being read."""
        return bool(self._marked) or self._lock.locked()

    def mark(self, namespace: str) -> None:
        """Note that a namespace may have work; from any thread."""
        self._marked.add(namespace)
        self.loop.wake()

    def mark_all(self) -> None:
        """Note that every namespace may have work; from any thread."""
        self._marked.update(self._namespaces)
        self.loop.wake()

    def note_free_slot(self) -> None:
        """Look again if there may be more than the slots allowed.

        Not while results are about to take the slot: their end frees slots as well.
        """
        if self._marked and not self.are_results_claiming():
            self.loop.wake()

    def run_once(self) -> int:
        """Claim once from each namespace that may have work; return the number of claims."""
        now = time.monotonic()
        was_notified = bool(self._marked)
        if now >= self._next_poll_at():
            self._polled_at, self._look_again_at = now, math.inf
            self._marked.update(self._namespaces)
        claimed = 0
        if self._marked and self._may_claim():
            if self._slots.free <= 0:
                self._slots.pool_size.double()
            with self._lock:
                claimed = self._claim_in_turn(method="event" if was_notified else "poll")
            if claimed or was_notified:
                self._look_again_soon()
        if not claimed:
            self.on_nothing()
        return claimed

    @contextmanager
    def turn(self, namespace: str, ended: Collection[Execution]) -> Iterator["Turn | None"]:
        """Let the caller claim what takes the place of these executions, in its own transaction.

        None when nothing may be claimed, or another namespace may have work too and its turn has to
        come. The claims begin when the block ends without an error, so the transaction has to end
        inside. The claim loop waits meanwhile.
        """
        with self._lock:
            free = self._slots.free_beside(ended)
            others = self._marked - {namespace}
            if free <= 0 or others or self.loop.is_stopping or self._is_pool_busy():
                yield None
                return
            turn = self._build_turn(namespace, free)
            try:
                yield turn
            except BaseException:
                self._marked.add(namespace)  # what was claimed was rolled back
                raise
            self._begin_all(turn.claims)

    def _begin_all(self, claims: Sequence[Claim]) -> None:
        with lines_together():
            for claim in claims:
                self._begin(claim)
        now = time.monotonic()
        if claims and now >= self._told_at + TELL_SECONDS:
            notify_due_work()
            self._told_at = now

    def _build_turn(self, namespace: str, free: int) -> Turn:
        is_backlog = namespace in self._marked
        stands_in_line = is_backlog and self._taking_turns == MOST_TAKING_TURNS
        self._taking_turns = self._taking_turns + 1 if is_backlog and not stands_in_line else 0
        return Turn(
            partial(self._fetch, namespace, method="report"),
            free=free,
            take=Take(0 if stands_in_line else free, self._pace.lease_seconds),
            is_backlog=is_backlog,
        )

    def _may_claim(self) -> bool:
        has_room = self._slots.free > 0 or self._slots.can_grow
        return has_room and not self.are_results_claiming() and not self._is_pool_busy()

    def _claim_in_turn(self, *, method: str) -> int:
        """Share the free slots; whoever was served first is served last next time."""
        waiting = [namespace for namespace in self._turns if namespace in self._marked]
        if not waiting:  # another part of the worker has just had a turn
            return 0
        self._turns.remove(waiting[0])
        self._turns.append(waiting[0])
        claimed = 0
        for position, namespace in enumerate(waiting):
            free = self._slots.free
            if free <= 0:
                break
            share = -(-free // (len(waiting) - position))
            claims = self._fetch(namespace, limit=share, method=method)
            self._begin_all(claims)
            claimed += len(claims)
        return claimed

    def _fetch(
        self, namespace: str, *, limit: int | None, method: str, taken: Sequence[UUID] = ()
    ) -> list[Claim]:
        """Claim up to `limit` steps from the queue of a namespace, beside those already `taken`.

        None: the queue is not looked at.
        """
        began = time.perf_counter()
        if limit is not None:
            self._marked.discard(namespace)  # before reading: what is sent meanwhile marks it again
        try:
            claims = claim_steps(
                worker_queue(namespace),
                worker_uuid=self._worker_uuid,
                limit=limit or 0,
                lease_seconds=self._pace.lease_seconds,
                taken=taken,
            )
        except BaseException as error:
            failed = error
            signals.announce(signals.worker_error, Claimer, lambda: {"error": failed})
            self._marked.add(namespace)
            raise
        if limit is not None and len(claims) >= limit + len(taken):
            self._marked.add(namespace)
        seconds = time.perf_counter() - began
        count_claims(claims, namespace, method=method, seconds=seconds)
        return claims

    def _is_pool_busy(self) -> bool:
        """Say whether handlers need the connections more than new claims would."""
        share = health.pool_use().share
        if share < self._pace.shed_claims_at:
            return False
        log.warning("pool.saturated", extra={"share": round(share, 2)})
        self._look_again_soon()
        return True

    def _look_again_soon(self) -> None:
        self._look_again_at = min(self._look_again_at, time.monotonic() + SECOND_LOOK_SECONDS)

    def _next_poll_at(self) -> float:
        # With the pace of now: it is quicker while the listener is down.
        return min(self._polled_at + self._pace.poll_seconds(), self._look_again_at)

    def _idle_seconds(self) -> float:
        wait = self._next_poll_at() - time.monotonic()
        if self._slots.free <= 0:
            return max(wait, SECOND_LOOK_SECONDS)  # a freed slot wakes
        return max(0.0, wait)
