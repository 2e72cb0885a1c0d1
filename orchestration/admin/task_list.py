"""The list of tasks: what it is narrowed to, how many there are, and the progress of each.

The count costs no statement of its own where the chips, which count by state, have seen every row;
progress and last error of a page's tasks are asked for together.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest

from orchestration.admin.display import state_badge
from orchestration.admin.task_filter import TaskFilterForm
from orchestration.queries.counting import (
    AT_LEAST,
    Count,
    Grouped,
    count_by,
    count_some,
    guess_rows,
)
from orchestration.queries.task_table import progress_of
from orchestration.states import HOP_TASK_STATES, TaskState

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
else:
    from unfold.views import ChangeList

RESTING_STATES = tuple(state for state in TaskState if state not in HOP_TASK_STATES)


class TaskList(ChangeList):
    """Django's list with a filter of our own and counts at a bounded price."""

    by_state: Grouped
    count: Count

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Read the filter before anything is asked for."""
        self.form = TaskFilterForm(request.GET)
        super().__init__(request, *args, **kwargs)

    def get_filters(self, request: HttpRequest) -> Any:
        """Leave nothing to Django's filters; a parameter that nobody knows is refused."""
        unknown = set(self.get_filters_params()) - set(self.form.fields)
        if unknown:
            raise IncorrectLookupParameters(f"Unknown: {', '.join(sorted(unknown))}")
        return [], False, {}, False, bool(self.form.chosen)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Return the tasks that search and filter keep, in the order asked for."""
        found = super().get_queryset(request, exclude_parameters)
        self._of_every_state = found.filter(self.form.condition(with_states=False))
        return found.filter(self.form.condition())

    def get_results(self, request: HttpRequest) -> None:
        """Read one page, and what its tasks' steps add up to."""
        newest = self._of_every_state.select_related(None).order_by("-created_at")
        self.by_state = count_by(newest, "state")
        self.count = self._count()
        self.result_list = self._rows()
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        paginator.count = self._reachable()
        self.paginator = paginator
        self.result_count = paginator.count
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(self.result_count)
        self.can_show_all = False
        self.multi_page = self.result_count > self.list_per_page

    def _count(self) -> Count:
        """Return how many tasks there are, for one statement more at most, for none in a search."""
        states = self.form.chosen.get("state")
        counted = self.by_state.by_value
        seen = sum(counted.get(each, 0) for each in states) if states else self.by_state.total
        if self.by_state.is_all:
            return Count(seen)
        if self.query:
            return Count(seen, AT_LEAST)
        return count_some(self.queryset) if states else guess_rows(self.queryset)

    @property
    def _first(self) -> int:
        """The place of the first row of the page."""
        return (self.page_num - 1) * self.list_per_page

    @property
    def _may_exist(self) -> bool:
        """Whether there may be a row at the beginning of the page."""
        return not self.count.is_exact or self._first < self.count.number

    def _reachable(self) -> int:
        """Return how many rows the pages lead to; where that is a guess, one page more at least."""
        seen = self._first + len(self.result_list)
        is_full = len(self.result_list) == self.list_per_page
        return self.count.number if self.count.is_exact else max(self.count.number, seen + is_full)

    def _rows(self) -> Any:
        if self.page_num < 1 or (self.page_num > 1 and not self._may_exist):
            raise IncorrectLookupParameters(f"There is no page {self.page_num}")
        # the ids first: else everything is joined to the rows before the page as well
        ids = self.queryset.select_related(None).values("pk")
        tasks = self.root_queryset.filter(
            pk__in=ids[self._first : self._first + self.list_per_page]
        )
        related: Any = self.model_admin.list_select_related
        ordered = tasks.select_related(*related).order_by(*self.queryset.query.order_by)
        shown: list[Any] = list(ordered)
        progress = progress_of(task.pk for task in shown)
        for task in shown:
            task.progress = progress.get(task.pk)
        return shown

    def chips(self) -> list[dict[str, Any]]:
        """Return one chip for each state: its number, and the list with it chosen or not."""
        chosen = set(self.form.chosen.get("state", ()))
        return [
            {
                "state": state.value,
                "badge": state_badge(
                    state.value, suffix=f" {self.by_state.by_value.get(state.value, 0)}"
                ),
                "count": self.by_state.by_value.get(state.value, 0),
                "is_chosen": state.value in chosen,
                "address": self._with_states(chosen ^ {state.value}),
            }
            for state in RESTING_STATES
        ]

    @property
    def kept_parameters(self) -> list[tuple[str, Any]]:
        """The search and the order, which a new filter keeps."""
        kept = (SEARCH_VAR, ORDER_VAR)
        return [(name, self.filter_params[name]) for name in kept if name in self.filter_params]

    def _with_states(self, states: set[str]) -> str:
        return self.get_query_string({"state": sorted(states)} if states else {}, ["state"])
