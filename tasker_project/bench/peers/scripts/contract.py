"""What every peer's script can be asked for, and how it answers: lines of JSON.

`setup` makes the tables; `worker` works until it is asked to stop; `throughput SHAPE N` starts N
workflows as fast as it can; `latency SHAPE N` one at a time. What is measured is the same for all:
from the start of the request to the end that the peer itself has stamped, so nobody's looking for
it is in the figure. All clocks are this machine's.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

WARM_UP = 10
LOOK_SECONDS = 0.2
REST_SECONDS = 0.1  # no look at a single workflow before this
LATENCY_LOOK_SECONDS = 0.02
APART_SECONDS = 0.2  # at most, between two workflows; so that no poll keeps step with us
LONGEST_STILL_SECONDS = 30.0
GO = signal.SIGUSR1
SHAPES = ("linear4", "diamond", "fanout20")


class Progress(NamedTuple):
    """How many workflows are finished, and when the last one was (seconds of the epoch)."""

    finished: int
    last_end: float


class Spent(NamedTuple):
    """What many workflows took: the whole time, and the CPU time of who requested them."""

    seconds: float
    client_cpu_ms: float


class StandstillError(Exception):
    """Workflows were requested and do not finish."""


class Client(Protocol):
    """Who requests workflows, in a peer's script or in Tasker's own process."""

    def enqueue(self, shape: str, count: int) -> None:
        """Request workflows."""

    def progress(self) -> Progress:
        """Look what is finished by now."""


@dataclass(frozen=True)
class Script:
    """What a peer provides."""

    setup: Callable[[], None]
    work: Callable[[], None]
    connect: Callable[[], Client]


def address() -> str:
    """Return where the peer's database or broker is."""
    return os.environ["PEER_ADDRESS"]


def say(**values: object) -> None:
    """Answer; the runner reads lines with the key `peer` only."""
    sys.stdout.write(json.dumps({"peer": True, **values}) + "\n")
    sys.stdout.flush()


def say_ready() -> None:
    """Tell that a worker works, or that a client is about to begin."""
    say(ready=True)


def main(script: Script) -> None:
    """Do what the command line asks for."""
    mode, *rest = sys.argv[1:]
    if mode == "setup":
        script.setup()
        say(done=True)
    elif mode == "worker":
        script.work()
    else:
        # Before the peer starts threads of its own, which would take the signal.
        signal.pthread_sigmask(signal.SIG_BLOCK, {GO})
        answer(script.connect(), mode, rest[0], int(rest[1]))


def answer(client: Client, mode: str, shape: str, count: int) -> None:
    """Measure what was asked for, and say it."""
    if mode == "latency":
        say(latencies_ms=latencies_ms(client, shape, count))
    else:
        say(**throughput(client, shape, count, begin=wait_for_go)._asdict())


def wait_for_go() -> None:
    """Say that we are ready, and wait until the runner has noted what everybody used so far."""
    say_ready()
    signal.sigwait({GO})


def throughput(client: Client, shape: str, count: int, *, begin: Callable[[], None]) -> Spent:
    """Measure how long many workflows take, from the first request to the last end."""
    start_and_wait(client, shape, WARM_UP, look_seconds=LATENCY_LOOK_SECONDS)
    begin()
    used = time.process_time()
    seconds = start_and_wait(client, shape, count, look_seconds=LOOK_SECONDS)
    return Spent(seconds, (time.process_time() - used) * 1000)


def latencies_ms(client: Client, shape: str, count: int) -> list[float]:
    """Measure how long a workflow takes on an idle system, one by one."""
    found = []
    for _ in range(WARM_UP + count):
        time.sleep(random.uniform(0, APART_SECONDS))  # noqa: S311 - not for secrets
        seconds = start_and_wait(
            client, shape, 1, look_seconds=LATENCY_LOOK_SECONDS, rest_seconds=REST_SECONDS
        )
        found.append(seconds * 1000)
    return found[WARM_UP:]


def start_and_wait(
    client: Client, shape: str, count: int, *, look_seconds: float, rest_seconds: float = 0.0
) -> float:
    """Request workflows, wait for all, and return the seconds from the request to the last end.

    Raises `StandstillError` when they stop to finish.
    """
    before = client.progress().finished
    began = time.time()
    client.enqueue(shape, count)
    time.sleep(rest_seconds)
    seen, moved_at = before, time.monotonic()
    while True:
        progress = client.progress()
        if progress.finished >= before + count:
            return progress.last_end - began
        if progress.finished > seen:
            seen, moved_at = progress.finished, time.monotonic()
        elif time.monotonic() - moved_at > LONGEST_STILL_SECONDS:
            raise StandstillError(f"{seen - before} of {count} workflows finished, then none")
        time.sleep(look_seconds)
