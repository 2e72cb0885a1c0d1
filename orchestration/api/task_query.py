"""The query of the list of tasks (api-and-operations 1.7): its parameters, and what they mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework.request import Request

from orchestration.api import query
from orchestration.api.query import Parameter, listed
from orchestration.conf import engine_settings
from orchestration.errors import Problem
from orchestration.queries.task_list import TaskFilter
from orchestration.states import TERMINAL_TASK_STATES, TaskState

MAX_WITH_INCLUDE = 25
NEWEST_FIRST = "-created_at"
ORDERS = (NEWEST_FIRST, "created_at", "-updated_at", "updated_at", "-priority", "priority")
GROUPS: dict[str, tuple[str, ...]] = {
    "open": tuple(state for state in TaskState.values if state not in TERMINAL_TASK_STATES),
    "terminal": tuple(sorted(TERMINAL_TASK_STATES)),
    "completed": (TaskState.COMPLETE.value,),
}
STATUSES = (*TaskState.values, *GROUPS)
TIMES = ("created", "updated", "completed")


def parameters() -> list[Parameter]:
    """Return the table of the parameters; sizes of pages are settings."""
    settings = engine_settings()
    return [
        query.integer("page", "Number of the page.", least=1, greatest=1_000_000, default=1),
        query.integer(
            "per_page",
            f"Tasks on a page; at most {MAX_WITH_INCLUDE} with `include`.",
            least=1,
            greatest=settings.api_page_size_max,
            default=settings.api_page_size,
        ),
        query.uuid(
            "after",
            "The tasks that follow this one when the newest comes first: quick however far that "
            "is, and nothing is counted. Not with `page`, nor in another order.",
        ),
        *filters(),
        query.choice("order", "Order of the rows.", choices=ORDERS, default=NEWEST_FIRST),
        listed(
            query.choice(
                "include",
                "What rows shall carry that they otherwise leave out.",
                choices=("context", "steps"),
            ),
            commas=True,
        ),
    ]


def filters() -> list[Parameter]:
    """Return the parameters that say which tasks are meant."""
    priority = {"least": -100, "greatest": 100}
    return [
        listed(query.text("namespace", "Any of these namespaces.")),
        listed(query.text("name", "Any of these templates.", alias="template")),
        listed(query.text("version", "Any of these versions.")),
        listed(
            query.choice(
                "status",
                "Any of these states, also separated by commas; `open` is every state that is "
                "not terminal.",
                choices=STATUSES,
                alias="state",
            ),
            commas=True,
        ),
        listed(query.text("tag", "All of these tags.")),
        query.text("initiator", "Who asked for the task."),
        query.text("source_system", "Where the request came from."),
        query.uuid("correlation_id", "All tasks of one flow."),
        query.uuid("parent_correlation_id", "All children of a flow."),
        *(query.moment(f"{column}_after", "From this time on.") for column in TIMES),
        *(query.moment(f"{column}_before", "Before this time.") for column in TIMES),
        query.integer("priority_min", "Least priority.", **priority),
        query.integer("priority_max", "Greatest priority.", **priority),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """A checked query."""

    wanted: TaskFilter
    after: UUID | None
    page: int
    per_page: int
    order: str
    includes: tuple[str, ...]


def read_task_query(request: Request) -> TaskQuery:
    """Return the query of a request; raises `InvalidRequestError`."""
    return task_query_of(query.read_query(request, parameters()))


def task_query_of(values: dict[str, Any]) -> TaskQuery:
    """Return the query that the values of all parameters make; raises `InvalidRequestError`."""
    if values["include"] and values["per_page"] > MAX_WITH_INCLUDE:
        problem = Problem("per_page", f"must be at most {MAX_WITH_INCLUDE} with include")
        raise query.query_error([problem])
    if values["after"] is not None and (values["page"], values["order"]) != (1, NEWEST_FIRST):
        raise query.query_error([Problem("after", f"goes with order {NEWEST_FIRST} and no page")])
    return TaskQuery(
        wanted=filter_of(values),
        after=values["after"],
        page=values["page"],
        per_page=values["per_page"],
        order=values["order"],
        includes=values["include"],
    )


def filter_of(values: dict[str, Any]) -> TaskFilter:
    """Return the filter that the values of its parameters make; raises `InvalidRequestError`."""
    if problems := list(_contradictions(values)):
        raise query.query_error(problems)
    names = ("initiator", "source_system", "correlation_id", "parent_correlation_id")
    same: dict[str, Any] = {name: values[name] for name in (*names, "priority_min", "priority_max")}
    same |= {column: (values[f"{column}_after"], values[f"{column}_before"]) for column in TIMES}
    return TaskFilter(
        namespaces=values["namespace"],
        names=values["name"],
        versions=values["version"],
        states=_states(values["status"]),
        tags=values["tag"],
        **same,
    )


def _states(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(state for word in words for state in GROUPS.get(word, (word,))))


def _contradictions(values: dict[str, Any]) -> Iterator[Problem]:
    for column in TIMES:
        after, before = values[f"{column}_after"], values[f"{column}_before"]
        if after and before and after >= before:
            yield Problem(f"{column}_after", f"must be earlier than {column}_before")
    least, greatest = values["priority_min"], values["priority_max"]
    if least is not None and greatest is not None and least > greatest:
        yield Problem("priority_min", "must not be greater than priority_max")
