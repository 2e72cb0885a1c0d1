"""What happened when: the moves of steps as spans of waiting, running and back-off. Pure.

From rows of history to rows of a timeline; `timeline_svg` draws them. The critical path is the
chain of steps that ended last: who wants the task faster begins there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from orchestration.states import StepState


class SpanKind(StrEnum):
    """What a step does for a while; between the spans it waits for other steps."""

    QUEUE = "queue"
    RUN = "run"
    BACKOFF = "backoff"
    RESULT = "result"


KIND_OF: Mapping[str, SpanKind] = {
    StepState.ENQUEUED: SpanKind.QUEUE,
    StepState.IN_PROGRESS: SpanKind.RUN,
    StepState.WAITING_FOR_RETRY: SpanKind.BACKOFF,
    StepState.ENQUEUED_FOR_ORCHESTRATION: SpanKind.RESULT,
    StepState.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION: SpanKind.RESULT,
}
WORD_OF: Mapping[SpanKind, str] = {
    SpanKind.QUEUE: "waiting in the queue",
    SpanKind.RUN: "running",
    SpanKind.BACKOFF: "back-off",
    SpanKind.RESULT: "result waiting for the orchestrator",
}


class StateChange(NamedTuple):
    """One move of a step: when it came into which state."""

    step: str
    at: datetime
    to_state: str
    attempt: int


class Span(NamedTuple):
    """A step did one thing from `begin` to `end`; open when it still does."""

    kind: SpanKind
    begin: datetime
    end: datetime
    attempt: int
    is_open: bool

    @property
    def duration(self) -> timedelta:
        """How long it took, or has taken so far."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One step with its spans, in order; empty for a step that nothing happened to yet."""

    step: str
    state: str
    spans: tuple[Span, ...]

    def total(self, kind: SpanKind) -> timedelta:
        """How long the step did one thing in all its attempts."""
        return sum((span.duration for span in self.spans if span.kind is kind), timedelta())


def timeline_rows(changes: Iterable[StateChange], *, now: datetime) -> list[TimelineRow]:
    """Return one row for each step, in the order in which the steps first left `pending`.

    `changes` are in order for each step. What has no end yet lasts until `now`.
    """
    by_step: dict[str, list[StateChange]] = {}
    for change in changes:
        by_step.setdefault(change.step, []).append(change)
    rows = [
        TimelineRow(step, found[-1].to_state, tuple(_spans(found, now)))
        for step, found in by_step.items()
    ]
    return sorted(rows, key=lambda row: (row.spans[0].begin if row.spans else now, row.step))


def _spans(changes: Sequence[StateChange], now: datetime) -> Iterable[Span]:
    for place, change in enumerate(changes):
        kind = KIND_OF.get(change.to_state)
        if kind is None:
            continue
        is_open = place + 1 == len(changes)
        end = now if is_open else changes[place + 1].at
        # the attempt of a queued step is the one to come
        attempt = change.attempt + (kind is SpanKind.QUEUE)
        yield Span(kind, change.at, max(end, change.at), attempt, is_open)


def critical_path(rows: Sequence[TimelineRow], parents: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the steps on the way to the step that ended last, each the latest of its siblings."""
    ends = {row.step: row.spans[-1].end for row in rows if row.spans}
    path: set[str] = set()
    step = max(ends, key=lambda name: (ends[name], name), default=None)
    while step is not None and step not in path:
        path.add(step)
        before = [name for name in parents.get(step, ()) if name in ends]
        step = max(before, key=lambda name: (ends[name], name), default=None)
    return path
