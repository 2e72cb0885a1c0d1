"""What a person sees of the demo: progress while it runs, then the table and what differs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tasker_project.demo.journey import Journey
from tasker_project.demo.outcome import Outcome

COLOURS = {"complete": "green", "blocked_by_failures": "red", "error": "red"}
NARROWEST = 132  # columns a file or a pipe gets, so that no cell is cut


def open_console() -> Console:
    """Return the console on standard output; wide enough for the table where nobody looks."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST)
    return console


class Progress:
    """Shows the tasks on their way: redrawn on a terminal, a line for each end elsewhere."""

    def __init__(self, console: Console, journeys: Sequence[Journey]) -> None:
        """Take what is to be shown."""
        self._console = console
        self._journeys = journeys
        self._live: Live | None = None
        self._told: set[str] = set()

    @contextmanager
    def shown(self) -> Iterator["Progress"]:
        """Keep the picture up to date while the block runs."""
        if not self._console.is_terminal:
            yield self
            return
        with Live(self._picture(), console=self._console, transient=True) as self._live:
            yield self

    def tell(self) -> None:
        """Show the present state."""
        if self._live is not None:
            self._live.update(self._picture())
            return
        for journey in self._journeys:
            outcome = journey.outcome
            if outcome is not None and outcome.task_uuid not in self._told:
                self._told.add(outcome.task_uuid)
                self._console.print(f"{outcome.title}: {outcome.state}, {outcome.seconds:.2f} s")

    def _picture(self) -> Table:
        table = Table("task", "state", "steps", "", box=None, pad_edge=False)
        for journey in self._journeys:
            task = journey.task
            done, total = task["completed_steps"], task["total_steps"]
            bar = "█" * (4 * done) + "░" * (4 * (total - done))
            table.add_row(
                journey.case.title, _coloured(task["status"]), f"{done}/{total}", Text(bar, "cyan")
            )
        return table


def show_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print the table, and every difference from what was expected below it."""
    table = Table("task", "state", "steps", "attempts", "duration", "values", "as expected")
    for each in outcomes:
        verdict = Text("no", "bold red") if each.differences else Text("yes", "green")
        duration = f"{each.seconds:.2f} s"
        row = (each.steps, each.attempts, duration, each.facts, verdict)
        table.add_row(each.title, _coloured(each.state), *row)
    console.print(table)
    for each in outcomes:
        for difference in each.differences:
            console.print(f"Not as expected: {each.title} ({each.task_uuid}): {difference}")


def _coloured(state: str) -> Text:
    return Text(state, COLOURS.get(state, "yellow"))
