"""`manage.py detect_stale_tasks`: a round of the staleness detector by hand."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchestration.access.principals import principal_of_command_line
from orchestration.checks import refuse_bad_settings
from orchestration.lifecycle import staleness
from orchestration.management.tasker.output import aligned
from orchestration.queries.staleness import SettledTask
from orchestration.queries.tasks import Move
from orchestration.runtime.supervisor import EXIT_BAD_CONFIGURATION

HEADINGS = ("task", "template", "state", "minutes", "limit", "reason", "action")
LARGEST_BATCH = 10_000


class Command(BaseCommand):
    """Prints each stale task with what was done, or would be."""

    help = (
        "Find tasks that stopped moving. With --apply each gets an entry in the DLQ and ends in "
        "error, as its template wants; without, nothing is changed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of a round."""
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--dry-run", action="store_true", help="only look (the default)")
        choice.add_argument("--apply", action="store_true", help="act upon what is found")
        parser.add_argument("--batch", type=_batch, help="most tasks of the round")

    def handle(self, *args: object, **options: Any) -> None:
        """Do one round with the settings of the orchestrators."""
        refuse_bad_settings(code=EXIT_BAD_CONFIGURATION)
        settled = staleness.look_for_stale_tasks(
            move=Move(principal_of_command_line().name, reason="detect_stale_tasks --apply"),
            limit=options["batch"],
            dry_run=not options["apply"],
        )
        if settled:
            for line in aligned([HEADINGS, *map(_cells, settled)]):
                self.stdout.write(line)
        done = "settled" if options["apply"] else "found; --apply acts upon them"
        self.stdout.write(f"{len(settled)} stale tasks {done}")


def _cells(task: SettledTask) -> tuple[str, ...]:
    return (
        str(task.task_uuid),
        f"{task.namespace}/{task.name}",
        task.current_state,
        str(task.time_in_state_minutes),
        str(task.threshold_minutes),
        task.reason,
        task.action_taken,
    )


def _batch(text: str) -> int:
    number = int(text)
    if not 1 <= number <= LARGEST_BATCH:
        raise argparse.ArgumentTypeError(f"{text} is not a number of tasks (1 to {LARGEST_BATCH})")
    return number
