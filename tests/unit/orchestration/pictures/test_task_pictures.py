"""Pictures of tasks: categories, branches not taken, batches, document (handlers.md 8.3, 8.4)."""
# ruff: noqa: E501 - the document below is read as it is

import json
from datetime import timedelta
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest

from orchestration.pictures import render_task, task_picture
from orchestration.pictures.picture import Category
from orchestration.queries.task_graph import TaskGraph
from orchestration.states import StepState, TaskState
from tests.factories.graphs import CREATED_AT, graph, instances, step_row, step_uuid_of, template

CATEGORIES = {
    "pending": "pending",
    "enqueued": "in_progress",
    "in_progress": "in_progress",
    "enqueued_for_orchestration": "in_progress",
    "enqueued_as_error_for_orchestration": "error",
    "waiting_for_retry": "retrying",
    "complete": "completed",
    "error": "error",
    "cancelled": "error",
    "resolved_manually": "completed",
}
BRANCHES = template(
    {"name": "route", "type": "decision", "dependencies": ["look"]},
    {"name": "look"},
    {"name": "left", "dependencies": ["route"]},
    {"name": "right", "dependencies": ["route"]},
    {"name": "join", "type": "deferred_convergence", "dependencies": ["left", "right"]},
)
BATCH = template(
    {"name": "cut", "type": "batchable"},
    {"name": "work", "type": "batch_worker", "dependencies": ["cut"]},
    {"name": "sum", "type": "deferred_convergence", "dependencies": ["work"]},
)


def categories(found: TaskGraph) -> dict[str, Category]:
    return {node.label: node.category for node in task_picture(found).nodes}


def arrows(found: TaskGraph) -> list[str]:
    text = render_task(found, output_format="mermaid")
    return [line.strip() for line in text.splitlines() if " --> " in line or " -.-> " in line]


def branches(route: str, *others: str, state: str = "steps_in_process") -> TaskGraph:
    rows = [step_row("look"), step_row("route", route, step_type="decision")]
    return graph(BRANCHES, [*rows, *map(step_row, others)], state=state)


def test_the_whole_document() -> None:
    found = template(
        {"name": "look"},
        {"name": "route", "type": "decision", "dependencies": ["look"]},
        {"name": "left", "dependencies": ["route"]},
        {"name": "right <b>", "dependencies": ["route"]},
        name="sort | it",
    )
    done_at = CREATED_AT + timedelta(milliseconds=350)
    rows = [
        step_row("left", "error", attempts=3, error_type="Bad|Luck", completed_at=None),
        step_row("look", completed_at=done_at),
        step_row("route", step_type="decision", completed_at=done_at, last_attempted_at=done_at),
    ]
    shown = graph(
        found,
        rows,
        state="blocked_by_failures",
        completion_percentage=Decimal("66.67"),
        health_status="blocked",
        dlq_reason="manual_dlq",
    )

    text = render_task(shown, base_url="https://tasker.test/")

    task = "https://tasker.test/v1/tasks/00000000-0000-0000-0000-000000000007"
    steps = {
        name: f"{task}/workflow_steps/{step_uuid_of(name)}" for name in ("look", "route", "left")
    }
    assert text == dedent(
        rf"""
        # sort \| it

        ```mermaid
        graph TD
            classDef completed fill:#d4edda,stroke:#28a745
            classDef in_progress fill:#cce5ff,stroke:#007bff
            classDef pending fill:#e2e3e5,stroke:#6c757d
            classDef error fill:#f8d7da,stroke:#dc3545
            classDef retrying fill:#fff3cd,stroke:#ffc107
            classDef annotated fill:#fff3cd,stroke:#ffc107
            classDef untraversed fill:#f8f9fa,stroke:#dee2e6,stroke-dasharray:5
            classDef default fill:#ffffff,stroke:#333333

            look["look"]:::completed
            route{{"route"}}:::completed
            left["left"]:::error
            step_4["right #lt;b#gt;\n(untraversed)"]:::untraversed

            look --> route
            route --> left
            route -.-> step_4
        ```

        ## Step Details

        **Task**: sort \| it | **Namespace**: n | **Version**: 1.0.0
        **Status**: blocked_by_failures | **Completion**: 67% | **Health**: blocked | **Elapsed**: 1m 15s | **DLQ**: In DLQ
        [Task Detail]({task}) | [DLQ](https://tasker.test/v1/dlq/task/00000000-0000-0000-0000-000000000007)

        | Step | Type | Handler | State | Duration | Attempts | Error | Link |
        |------|------|---------|-------|----------|----------|-------|------|
        | look | standard | do.0 | complete | 350ms | 1/3 | — | [view]({steps["look"]}) |
        | route | decision | do.1 | complete | 0s | 1/3 | — | [view]({steps["route"]}) |
        | left | standard | do.2 | error | — | 3/3 | Bad\|Luck | [view]({steps["left"]}) |
        | right &lt;b> | standard | do.3 | untraversed | — | — | — | — |
        """
    ).lstrip("\n")  # fmt: skip


def test_a_task_outside_the_dlq_says_nothing_of_it() -> None:
    text = render_task(graph(template({"name": "a"}), [step_row("a")]))

    assert (
        "**Elapsed**: 1m 15s\n[Task Detail](/v1/tasks/00000000-0000-0000-0000-000000000007)\n"
        in text
    )


def test_every_state_of_a_step_has_its_category() -> None:
    assert CATEGORIES.keys() == set(StepState.values)
    for state, category in CATEGORIES.items():
        found = graph(template({"name": "a"}), [step_row("a", state)])

        assert categories(found) == {"a": category}
        assert f'    a["a"]:::{category}\n' in render_task(found)


@pytest.mark.parametrize("route", ["pending", "in_progress", "waiting_for_retry", "error"])
def test_what_an_unfinished_decision_may_bring_is_pending(route: str) -> None:
    found = categories(branches(route))

    assert {found[name] for name in ("left", "right", "join")} == {Category.PENDING}


@pytest.mark.parametrize("route", ["complete", "resolved_manually"])
def test_what_a_finished_decision_left_out_is_untraversed(route: str) -> None:
    found = categories(branches(route, "left", "join"))

    assert found["right"] is Category.UNTRAVERSED
    assert found["left"] is Category.COMPLETED


@pytest.mark.parametrize("state", TaskState.values)
def test_in_a_task_that_has_ended_nothing_appears_any_more(state: str) -> None:
    has_ended = state in ("complete", "error", "cancelled", "resolved_manually")

    found = categories(branches("cancelled", state=state))

    assert found["left"] is (Category.UNTRAVERSED if has_ended else Category.PENDING)


def test_a_convergence_below_two_decisions_waits_for_both() -> None:
    two = template(
        {"name": "start"},
        {"name": "one", "type": "decision", "dependencies": ["start"]},
        {"name": "two", "type": "decision", "dependencies": ["start"]},
        {"name": "a", "dependencies": ["one"]},
        {"name": "b", "dependencies": ["two"]},
        {"name": "join", "type": "deferred_convergence", "dependencies": ["a", "b"]},
    )
    rows = [step_row("start"), step_row("one", step_type="decision")]

    found = categories(graph(two, [*rows, step_row("two", "enqueued", step_type="decision")]))

    assert (found["a"], found["b"]) == (Category.UNTRAVERSED, Category.PENDING)
    assert found["join"] is Category.PENDING


def test_edges_are_sorted_and_dashed_where_nothing_went() -> None:
    assert arrows(branches("complete", "left", "join")) == [
        "left --> join",
        "look --> route",
        "right -.-> join",
        "route --> left",
        "route -.-> right",
    ]
    assert arrows(branches("in_progress")) == [
        "left -.-> join",
        "look --> route",
        "right -.-> join",
        "route -.-> left",
        "route -.-> right",
    ]


def test_instances_replace_their_batch_worker() -> None:
    rows = [step_row("cut", step_type="batchable"), *instances("work", "complete", "error")]

    found = graph(BATCH, [*rows, step_row("sum", "pending", step_type="deferred_convergence")])

    text = render_task(found)
    assert '    work_001[["work_001"]]:::completed\n    work_002[["work_002"]]:::error\n' in text
    assert arrows(found) == [
        "cut --> work_001",
        "cut --> work_002",
        "work_001 --> sum",
        "work_002 -.-> sum",
    ]
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")] == [
        "| Step", "| cut", "| work_001", "| work_002", "| sum",
    ]  # fmt: skip


def test_instances_are_numbered_by_name_where_names_are_no_ids() -> None:
    found = template(
        {"name": "cut", "type": "batchable"},
        {"name": "do it", "type": "batch_worker", "dependencies": ["cut"]},
    )
    rows = [
        step_row(f"do it_{batch}", step_type="batch_worker", batch_id=batch)
        for batch in ("b_2", "10", "9")
    ]

    ids = {node.label: node.id for node in task_picture(graph(found, rows)).nodes}

    assert ids == {
        "cut": "cut",
        "do it_10": "step_2_1",
        "do it_9": "step_2_2",
        "do it_b_2": "step_2_3",
    }


def test_an_uncut_batch_is_one_node() -> None:
    cut = step_row("cut", "in_progress", step_type="batchable")

    assert categories(graph(BATCH, [cut])) == {
        "cut": Category.IN_PROGRESS,
        "work": Category.PENDING,
        "sum": Category.PENDING,
    }


def test_fifty_instances_are_shown_and_one_more_is_a_stack() -> None:
    cut = step_row("cut", step_type="batchable")
    many = instances("work", *["complete"] * 50)

    assert len(task_picture(graph(BATCH, [cut, *many])).nodes) == 52
    found = graph(BATCH, [cut, *instances("work", *["complete"] * 51)])
    assert '    work[["work x51"]]:::completed\n' in render_task(found)
    assert arrows(found) == ["cut --> work", "work -.-> sum"]
    assert sum("| batch_worker |" in line for line in render_task(found).splitlines()) == 51


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        (["complete", "error", "waiting_for_retry"], "error"),
        (["complete", "waiting_for_retry", "pending"], "retrying"),
        (["complete", "pending", "in_progress"], "pending"),
        (["complete", "in_progress"], "in_progress"),
        (["complete", "resolved_manually"], "completed"),
    ],
)
def test_a_stack_shows_its_worst_instance(states: list[str], worst: str) -> None:
    rows = instances("work", *states, *["complete"] * 50)

    [stack] = [node for node in task_picture(graph(BATCH, rows)).nodes if node.name == "work"]

    assert stack.category == worst
    assert stack.step_uuid is None
    assert f"{len(rows)}" in stack.label


def test_a_stack_counts_its_instances_by_category() -> None:
    rows = instances("work", "error", *["complete"] * 50)

    [stack] = [node for node in task_picture(graph(BATCH, rows)).nodes if node.name == "work"]

    assert stack.caption == "✕ 50 completed, 1 error"


def test_json_tells_the_same_with_paths_and_the_dlq() -> None:
    found = branches("complete", "left")
    found = found._replace(task=found.task._replace(dlq_reason="staleness_timeout"))

    told = json.loads(render_task(found, output_format="json", base_url="https://tasker.test"))

    nodes = {node["id"]: node for node in told["graph"]["nodes"]}
    path = "/v1/tasks/00000000-0000-0000-0000-000000000007/workflow_steps"
    assert nodes["left"] == {
        "id": "left",
        "label": "left",
        "visual_category": "completed",
        "node_shape": "rectangle",
        "resource_path": f"{path}/{step_uuid_of('left')}",
    }
    assert nodes["join"]["label"] == "join\n(untraversed)"
    assert nodes["join"]["node_shape"] == "trapezoid"
    assert nodes["join"]["resource_path"] is None
    assert {"from": "route", "to": "right", "edge_style": "dashed"} in told["graph"]["edges"]
    assert told["table"]["header"][:2] == ["Step", "Type"]
    look = ["look", "standard", "do.1", "complete", "—", "1/3", "—"]
    assert told["table"]["rows"][0][:7] == look
    assert told["warnings"] == ["Task is in DLQ: staleness_timeout"]


def test_a_table_says_nothing_of_a_step_that_may_still_come() -> None:
    rows = json.loads(render_task(branches("pending"), output_format="json"))["table"]["rows"]

    assert ["left", "standard", "do.2", "—", "—", "—", "—", "—"] in rows


@pytest.mark.parametrize(
    ("percent", "shown"), [("0.00", "0%"), ("33.33", "33%"), ("66.67", "67%"), ("100.00", "100%")]
)
def test_completion_has_no_decimals(percent: str, shown: str) -> None:
    found: Any = graph(template({"name": "a"}), [], completion_percentage=Decimal(percent))

    assert f"**Completion**: {shown} |" in render_task(found)
