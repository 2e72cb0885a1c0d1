"""Slots: how many claims may be taken, and which claims are still held."""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from orchestration.runtime.pool_size import PoolSize
from workers.context import Progress
from workers.executor import Execution
from workers.worker.slots import Slots


class Claimed(NamedTuple):
    """As much of a claim as slots look at."""

    workflow_step_uuid: UUID


def execution(step_uuid: UUID | None = None) -> Execution:
    claim: Any = Claimed(step_uuid or uuid4())
    claim_with_checkpoint: Any = type("C", (), {**claim._asdict(), "checkpoint": None})
    return Execution(claim_with_checkpoint, progress=Progress(), timeout_seconds=1)


@pytest.fixture
def slots() -> Slots:
    return Slots(PoolSize("handlers", minimum=2, maximum=2, database_share=lambda: 0.0))


def test_a_claim_takes_a_slot_until_its_thread_is_free(slots):
    first = execution()
    slots.take(first)
    assert (slots.free, slots.running) == (1, 1)

    slots.free_slot(first)

    assert (slots.free, slots.running) == (2, 0)
    assert slots.held() == [first]


def test_unreported_results_keep_their_slots_while_reports_fail(slots):
    for _ in range(2):
        each = execution()
        slots.take(each)
        slots.free_slot(each)
    assert slots.free == 2

    slots.are_reports_failing = True

    assert slots.free == 0


def test_results_waiting_for_their_report_are_bounded(slots):
    for _ in range(4):
        each = execution()
        slots.take(each)
        slots.free_slot(each)

    assert slots.free == 0


def test_settling_ends_the_claim_and_idle_means_nothing_is_left(slots):
    first = execution()
    slots.take(first)
    assert not slots.is_idle

    slots.free_slot(first)
    assert not slots.is_idle
    slots.settle(first)

    assert slots.is_idle
    assert slots.held() == []


def test_nobody_waits_for_an_overdue_handler_but_it_keeps_its_slot(slots):
    first = execution()
    slots.take(first)
    first.is_overdue = True

    slots.settle(first)

    assert slots.is_idle
    assert (slots.free, slots.overdue) == (1, 1)


def test_a_new_claim_of_a_step_makes_the_older_one_lost(slots):
    step_uuid = uuid4()
    older, newer = execution(step_uuid), execution(step_uuid)
    slots.take(older)

    slots.take(newer)
    slots.settle(older)

    assert older.is_cancelled
    assert slots.held() == [newer]
