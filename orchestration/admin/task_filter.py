"""What the list of tasks is narrowed to: the fields above it, and the condition they make."""

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.datastructures import MultiValueDict

from orchestration.models import DlqEntry, DlqResolution, WorkflowStep
from orchestration.queries.task_list import TaskFilter, condition_of
from orchestration.states import TERMINAL_TASK_STATES, StepState, TaskState

GROUPS = {
    "open": tuple(state for state in TaskState if state not in TERMINAL_TASK_STATES),
    "terminal": tuple(TERMINAL_TASK_STATES),
}


def _moment(label: str) -> forms.DateTimeField:
    picker = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})
    return forms.DateTimeField(label=label, required=False, widget=picker)


def _text(label: str, *, longest: int, **attrs: str) -> forms.CharField:
    words = forms.TextInput(attrs=attrs)
    return forms.CharField(label=label, required=False, max_length=longest, widget=words)


class TaskFilterForm(forms.Form):
    """The fields; an empty one narrows nothing. States are chosen by the chips beside it."""

    state = forms.MultipleChoiceField(
        choices=TaskState.choices, required=False, widget=forms.MultipleHiddenInput
    )
    group = forms.ChoiceField(
        label="open or ended",
        choices=[("", "all"), ("open", "open"), ("terminal", "ended")],
        required=False,
    )
    namespace = _text("namespace", longest=64, list="tk-namespaces")
    template = _text("template", longest=255)
    version = _text("version", longest=50)
    tag = _text("tag", longest=128)
    initiator = _text("initiator", longest=255)
    source = _text("source system", longest=255)
    created_from = _moment("created from (UTC)")
    created_until = _moment("created before (UTC)")
    updated_from = _moment("changed from (UTC)")
    updated_until = _moment("changed before (UTC)")
    dlq = forms.BooleanField(label="in the DLQ", required=False)
    failed = forms.BooleanField(label="has failed steps", required=False)

    def __init__(self, parameters: MultiValueDict[str, str]) -> None:
        """Read the parameters of an address."""
        super().__init__(parameters, prefix=None)

    @property
    def chosen(self) -> dict[str, Any]:
        """The fields that narrow the list; what cannot be read narrows nothing and is shown."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def condition(self, *, with_states: bool = True) -> Any:
        """Return the condition on tasks; without the states for the counts of the chips."""
        chosen = self.chosen
        kept: Any = condition_of(
            TaskFilter(
                namespaces=_some(chosen.get("namespace")),
                names=_some(chosen.get("template")),
                versions=_some(chosen.get("version")),
                tags=_some(chosen.get("tag")),
                initiator=chosen.get("initiator"),
                source_system=chosen.get("source"),
                created=(chosen.get("created_from"), chosen.get("created_until")),
                updated=(chosen.get("updated_from"), chosen.get("updated_until")),
                states=tuple(chosen.get("state", ())) if with_states else (),
            )
        )
        if group := chosen.get("group"):
            kept &= Q(state__in=GROUPS[group])
        if chosen.get("dlq"):
            entries = DlqEntry.objects.filter(task=OuterRef("pk"))
            kept &= Exists(entries.filter(resolution_status=DlqResolution.PENDING))
        if chosen.get("failed"):
            steps = WorkflowStep.objects.filter(task=OuterRef("pk"))
            kept &= Exists(steps.filter(state=StepState.ERROR))
        return kept


def _some(word: str | None) -> tuple[str, ...]:
    return (word,) if word else ()
