"""What the commands of long-running processes share: options, settings checks, exit codes.

Why the checks run here and not by Django: a bad setting must end the process with code 2, which
tells a service manager that starting again is no use; Django's own way ends with 1.
"""

import argparse
import logging
import os
import sys
import threading
from abc import ABC, abstractmethod
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchestration.checks import refuse_bad_settings
from orchestration.conf import MODES
from orchestration.runtime.supervisor import EXIT_BAD_CONFIGURATION

log = logging.getLogger(__name__)

MOST_NAMED = 10


class ProcessCommand(BaseCommand, ABC):
    """A command that runs until it is asked to stop."""

    requires_system_checks: list[str] = []
    is_own_process = False

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as the process that was started for it; `call_command` runs inside of another."""
        self.is_own_process = True
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options every process has."""
        parser.add_argument("--mode", choices=MODES, help="what wakes the process up")
        parser.add_argument("--http-port", type=port, help="status server; 0 = none")
        parser.add_argument(
            "--idle-seconds", type=seconds, help="pause between two looks at an empty queue"
        )
        parser.add_argument(
            "--grace-seconds", type=seconds, help="time to finish after the first SIGTERM"
        )
        parser.add_argument("--once", action="store_true", help="work off what is there, then exit")

    def handle(self, *args: object, **options: Any) -> None:
        """Refuse bad settings, live, and end with the exit code of the process."""
        refuse_bad_settings(code=EXIT_BAD_CONFIGURATION)
        code = self.run(options)
        if self.is_own_process:
            leave_foreign_threads(code)
        sys.exit(code)

    @abstractmethod
    def run(self, options: dict[str, Any]) -> int:
        """Run the process; return its exit code."""


def leave_foreign_threads(code: int) -> None:
    """End the process at once where somebody's threads would keep it alive.

    The interpreter waits for every thread that is no daemon; one that a handler has left running
    would turn a stopped worker into one that is killed.
    """
    left = [
        each.name
        for each in threading.enumerate()
        if not each.daemon and each is not threading.current_thread()
    ]
    if not left:
        return
    log.warning("process.threads_left", extra={"threads": left[:MOST_NAMED], "count": len(left)})
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def port(text: str) -> int:
    """Read a port number."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to 65535)")
    return number


def seconds(text: str) -> float:
    """Read a duration."""
    number = float(text)
    if not 0 <= number <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not a duration in seconds (0 to 86400)")
    return number


def chosen(option: Any, setting: Any) -> Any:
    """Return the option where it was given, else the setting."""
    return setting if option is None else option
