"""Celery with Redis: its canvas, chain and chord.

Settings: prefork with a process for each core, `PREFETCH` messages for each (its guide's advice for
short tasks), no gossip, mingle, heartbeat, events or remote control, JSON, results in Redis with
its C parser. Tasks are acknowledged before they run and Redis writes nothing to disk: what a crash
would lose is not what the others would.
"""

import json
from datetime import UTC, datetime
from typing import Any

from celery import Celery, chain, chord
from celery.signals import worker_ready

from tasker_project.bench.peers.scripts.contract import Progress, Script, address, main, say_ready

PROCESSES = 2
PREFETCH = 64
LOOKED_AT = 500  # results asked for at once

app = Celery("bench", broker=address(), backend=address())
app.conf.update(
    worker_prefetch_multiplier=PREFETCH,
    worker_disable_rate_limits=True,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,  # our answers go there
)


@app.task(name="step")
def step(*results: Any) -> dict[str, Any]:
    """Return a small result."""
    return {"ok": True}


def signature(shape: str) -> Any:
    """Return a shape in Celery's canvas."""
    if shape == "linear4":
        return chain(step.s(), step.s(), step.s(), step.s())
    width = {"diamond": 2, "fanout20": 20}[shape]
    return chain(step.s(), chord([step.s() for _ in range(width)], step.s()))


def setup() -> None:
    """There is nothing to make."""


def work() -> None:
    """Work until SIGTERM, which Celery takes by itself."""
    worker_ready.connect(lambda **_: say_ready(), weak=False)
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    app.worker_main(["worker", f"--concurrency={PROCESSES}", *quiet])


class Client:
    """Sends signatures, one by one; Celery has nothing to send many."""

    def __init__(self) -> None:
        """Connect."""
        self._redis = app.backend.client
        self._open: list[Any] = []
        self._done = Progress(0, 0.0)

    def enqueue(self, shape: str, count: int) -> None:
        """Request workflows."""
        for _ in range(count):
            result = signature(shape).apply_async()  # a new one each: it keeps its first ids
            self._open.append(app.backend.get_key_for_task(result.id))

    def progress(self) -> Progress:
        """Look for the results of last steps, the oldest first."""
        looked_at, later = self._open[:LOOKED_AT], self._open[LOOKED_AT:]
        found = self._redis.mget(looked_at) if looked_at else []
        ends = [_end(text) for text in found if text is not None]
        self._open = [key for key, text in zip(looked_at, found, strict=True) if text is None]
        self._open += later
        self._done = Progress(self._done.finished + len(ends), max([self._done.last_end, *ends]))
        return self._done


def _end(text: bytes) -> float:
    """Return when a task ended, by the worker's clock."""
    moment = datetime.fromisoformat(json.loads(text)["date_done"])
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


if __name__ == "__main__":
    main(Script(setup, work, Client))
