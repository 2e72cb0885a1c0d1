"""One action on many tasks: those named, or those that a filter keeps and `--yes` confirms.

Each task is a transaction of its own, and what is refused stops nothing; the answer tells about
each of them (api-and-operations 3.1).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from orchestration.access.principals import principal_of_command_line
from orchestration.api.task_query import filter_of, filters
from orchestration.api.tasks import told_reason
from orchestration.errors import InvalidRequestError, TaskerError
from orchestration.fsm import ConcurrentTransition
from orchestration.http.errors import answer_of, message_of
from orchestration.lifecycle.operator_actions import Acted
from orchestration.management.tasker.arguments import (
    add_limit,
    add_query,
    add_reason,
    given_texts,
    query_values,
    uuid,
)
from orchestration.management.tasker.verb import Answer, Exit, Verb, exit_of
from orchestration.queries.scope import EVERYTHING
from orchestration.queries.task_list import TaskPage, find_tasks

MOST_TASKS = 1000
ITEM = ("task_uuid", "done", "state", "message")
PREVIEW = ("task_uuid", "namespace", "name", "status", "created_at")


@dataclass(frozen=True, slots=True)
class BulkAction:
    """What a verb does to each task: a function of `operator_actions`, and how it is told."""

    done: str  # "cancelled"
    act: Callable[..., Acted]

    def verb(self, text: str) -> Verb:
        """Return the verb."""
        return Verb(help=text, run=self.run, arguments=_arguments)

    def run(self, options: dict[str, Any]) -> Answer:
        """Act on the named tasks, on those of the filter, or only show the latter."""
        is_filtered = bool(given_texts(options, filters()))
        if bool(options["task"]) == is_filtered:
            raise InvalidRequestError("Name tasks by uuid, or give filters of `task list`")
        if not is_filtered:
            return self._answer(options["task"], options)
        found = _found(options)
        uuids = [row.task_uuid for row in found.rows]
        more = []
        if found.has_next and found.total is not None:
            rest = found.total._replace(number=max(1, found.total.number - len(uuids)))
            more = [f"{rest} more match; --limit is {options['limit']}."]
        if options["yes"]:
            return self._answer(uuids, options, notes=more)
        body = [{name: getattr(row, name) for name in PREVIEW} for row in found.rows]
        would = f"{len(body)} tasks would be {self.done}; nothing was changed. Add --yes to act."
        return Answer(body=body, notes=[would, *more])

    def _answer(
        self, uuids: Iterable[UUID], options: Mapping[str, Any], notes: Iterable[str] = ()
    ) -> Answer:
        actor = principal_of_command_line().name
        why = told_reason({"reason": options["reason"], "acted_by": options["by"]}, "acted_by")
        items, codes = [], set[Exit]()
        for each in dict.fromkeys(uuids):
            item, code = self._item(each, actor=actor, reason=why)
            items.append(item)
            codes.add(code)
        done = sum(item["done"] for item in items)
        told = f"{done} of {len(items)} tasks {self.done}."
        return Answer(body=items, columns=ITEM, notes=[told, *notes], exit_code=_exit_of(codes))

    def _item(self, task: UUID, *, actor: str, reason: str) -> tuple[dict[str, Any], Exit]:
        item: dict[str, Any] = {"task_uuid": task, "done": False, "state": None}
        try:
            acted = self.act(task, actor=actor, reason=reason)
        except (TaskerError, ConcurrentTransition) as error:
            refusal = {"code": answer_of(error)[0], "message": message_of(error)}
            return item | refusal, exit_of(error)
        return item | {"done": True, "state": acted.state, "code": None, "message": None}, Exit.DONE


def _arguments(parser: CommandParser) -> None:
    parser.add_argument("task", nargs="*", type=uuid, metavar="UUID", help="tasks to act on")
    add_reason(parser)
    parser.add_argument("--yes", action="store_true", help="act on what the filters keep")
    add_limit(parser, default=MOST_TASKS, greatest=MOST_TASKS)
    add_query(parser, filters(), names={"version": "template_version"})


def _found(options: Mapping[str, Any]) -> TaskPage:
    """Return the tasks that the filters keep, the oldest first."""
    wanted = filter_of(query_values(options, filters()))
    return find_tasks(wanted, EVERYTHING, order="created_at", page=1, per_page=options["limit"])


def _exit_of(codes: set[Exit]) -> Exit:
    """Return the code on which all failures agree; whoever waits for it need not read the items."""
    failures = codes - {Exit.DONE}
    if len(failures) > 1:
        return Exit.FAILED
    return failures.pop() if failures else Exit.DONE
