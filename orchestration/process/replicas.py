"""Several processes of one kind under a parent that does no work, and so has nothing to die of.

The processes share nothing but the name: each is the same command line, started afresh. Why not
forked: neither threads nor sockets survive that. What the parent is asked it passes on
(`orchestration.process.following`); a process that dies is replaced after a pause; one that finds
itself badly configured ends them all, since the others have the same configuration.
"""

import logging
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType

from orchestration.process.replica import Replica
from orchestration.runtime.shutdown import STOP_SIGNALS, Shutdown
from orchestration.runtime.supervisor import EXIT_ASKED, EXIT_BAD_CONFIGURATION, EXIT_DIED

log = logging.getLogger(__name__)

MOST_ASKS = 2  # the third signal is the kernel's, for the parent; its end asks too
BY_SIGNAL = frozenset(-number for number in STOP_SIGNALS)
"""How a process ends that a signal meets before it can listen to signals: it had done nothing."""


class Replicas:
    """The parent of several processes."""

    def __init__(
        self, count: int, command: Callable[[int, int], Sequence[str]], *, is_once: bool = False
    ) -> None:
        """Start nothing; `command` makes a command line of a number from 1 and a descriptor.

        Processes that run once are not replaced: whoever starts them looks at the exit code.
        """
        self.shutdown = Shutdown()
        numbers = range(1, count + 1)
        self._replicas = [Replica(number, partial(command, number)) for number in numbers]
        self._is_once = is_once
        self._passed_on = 0
        self._ends: Counter[int] = Counter()

    def run(self) -> int:
        """Live until no process is left; return the exit code."""
        self.shutdown.install()
        before = signal.signal(signal.SIGCHLD, _only_wake)
        try:
            for each in self._replicas:
                self._start(each)
            while self._look_around():
                if not self._has_more_to_pass_on:
                    self.shutdown.wait(self._seconds_until_due())
            return self._exit_code()
        finally:
            signal.signal(signal.SIGCHLD, before)
            self.shutdown.uninstall()

    @property
    def _has_more_to_pass_on(self) -> bool:
        return self._passed_on < min(self.shutdown.insistence, MOST_ASKS)

    def _seconds_until_due(self) -> float | None:
        dues = [each.seconds_until_due for each in self._replicas]
        return min((due for due in dues if due is not None), default=None)

    def _look_around(self) -> bool:
        """Pass on what was asked, note who has ended, start who is due; False: nobody is left."""
        if self.shutdown.take_status_wish():
            log.info("process.status", extra={"replicas": self._describe()})
        self._pass_on()
        for each in self._replicas:
            if (code := each.take_end()) is not None:
                self._note_end(each, code)
            elif each.pid is None and self.shutdown.is_asked:
                each.give_up()
            elif each.seconds_until_due == 0:
                self._start(each)
        return not all(each.is_over for each in self._replicas)

    def _pass_on(self) -> None:
        while self._has_more_to_pass_on:
            self._passed_on += 1
            log.info("process.stopping", extra={"because": "asked", "asks": self._passed_on})
            for each in self._replicas:
                each.ask()

    def _start(self, each: Replica) -> None:
        try:
            each.start()
        except OSError as error:  # no memory, too many processes: that passes
            each.plan_restart()
            log.error(
                "replica.start_failed",
                extra={
                    "number": each.number,
                    "error": str(error),
                    "retry_in_seconds": each.pause_seconds,
                },
            )
        else:
            log.info("replica.started", extra={"number": each.number, "pid": each.pid})

    def _note_end(self, each: Replica, code: int) -> None:
        about = {"number": each.number, "exit_code": code}
        is_asked = self.shutdown.is_asked
        if code in (EXIT_ASKED, EXIT_BAD_CONFIGURATION) or is_asked or self._is_once:
            each.give_up()
            self._ends[EXIT_ASKED if is_asked and code in BY_SIGNAL else code] += 1
            log.info("replica.ended", extra=about)
        else:
            each.plan_restart()
            log.warning("replica.died", extra={**about, "retry_in_seconds": each.pause_seconds})
        if code == EXIT_BAD_CONFIGURATION:
            self.shutdown.hear(1)

    def _exit_code(self) -> int:
        """Return what tells most about how the processes have ended."""
        if self._ends[EXIT_BAD_CONFIGURATION]:
            return EXIT_BAD_CONFIGURATION
        return EXIT_DIED if set(self._ends) - {EXIT_ASKED} else EXIT_ASKED

    def _describe(self) -> list[dict[str, int | None]]:
        return [
            {"number": each.number, "pid": each.pid, "restarts": each.restarts}
            for each in self._replicas
        ]


def _only_wake(number: int, frame: FrameType | None) -> None:
    """Do nothing: that a signal has a handler makes it end the wait (`Shutdown`)."""


def command_again(**options: object) -> list[str]:
    """Return the command line of this very process, with other values for some options.

    Of an option that is given twice the later value holds; behind `--` there are no options.
    """
    words = sys.orig_argv[1:]
    end = words.index("--") if "--" in words else len(words)
    added = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return [sys.executable, *words[:end], *added, *words[end:]]
