"""Analytics: what a period was like, and what is slow in it."""

from typing import Any

from django.core.management.base import CommandParser

from orchestration import analytics
from orchestration.analytics import Bottlenecks
from orchestration.api.analytics import BOTTLENECKS, PERIOD
from orchestration.api.analytics_bodies import BottlenecksSerializer, PerformanceSerializer
from orchestration.api.query import Parameter, read_texts
from orchestration.management.tasker.verb import Answer, Verb
from orchestration.queries.analytics import SlowStepGroup, SlowTaskGroup
from orchestration.queries.scope import EVERYTHING

LETTERS = {"namespace": "-n", "limit": "-l"}
SHOWN = (
    "average_duration_seconds",
    "max_duration_seconds",
    "execution_count",
    "error_rate",
    "last_executed_at",
)


def performance(options: dict[str, Any]) -> Answer:
    """Sum a period up."""
    found = analytics.performance(EVERYTHING, **_asked(options, PERIOD))
    return Answer(body=PerformanceSerializer(found).data)


def bottlenecks(options: dict[str, Any]) -> Answer:
    """Show the slowest steps and templates; advice goes to stderr."""
    found = analytics.bottlenecks(EVERYTHING, **_asked(options, BOTTLENECKS))
    return Answer(
        body=BottlenecksSerializer(found).data,
        table=_rows(found),
        columns=("template", "step", *SHOWN),
        notes=found.recommendations,
    )


def _rows(found: Bottlenecks) -> list[dict[str, Any]]:
    """Return steps, then whole templates, as one table."""
    groups: list[SlowStepGroup | SlowTaskGroup] = [*found.slow_steps, *found.slow_tasks]
    return [
        {
            **each._asdict(),
            "template": f"{each.namespace_name}/{each.task_name}@{each.version}",
            "step": getattr(each, "step_name", ""),
        }
        for each in groups
    ]


def _arguments(parser: CommandParser, parameters: list[Parameter]) -> None:
    """Declare the parameters of the API's call as options."""
    for each in parameters:
        letters = [LETTERS[each.name]] if each.name in LETTERS else []
        option = f"--{each.name.replace('_', '-')}"
        default = "" if each.default is None else f" (default: {each.default})"
        parser.add_argument(*letters, option, help=f"{each.help}{default}")


def _asked(options: dict[str, Any], parameters: list[Parameter]) -> dict[str, Any]:
    """Return the values of the options, read as the API reads its parameters."""
    given = {each.name: [options[each.name]] for each in parameters if options[each.name]}
    return read_texts(given, parameters)


VERBS = {
    "performance": Verb(
        help="Sum a period up: tasks, rates, durations.",
        run=performance,
        arguments=lambda parser: _arguments(parser, PERIOD),
    ),
    "bottlenecks": Verb(
        help="Show the slowest steps and templates.",
        run=bottlenecks,
        arguments=lambda parser: _arguments(parser, BOTTLENECKS),
    ),
}
