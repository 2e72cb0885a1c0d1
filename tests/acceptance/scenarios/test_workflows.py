"""Workflows that succeed, with one process of each kind: scenarios A1 to A4, A12, A13."""

import pytest
from django.db import connections, transaction

from orchestration.models import StepTransition, Task, TaskTransition, WorkflowStep
from orchestration.testing import dag, diamond, linear, shape, tree
from tests.clusters import Cluster, execution, result
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, RAN_ONCE, step_histories, task_history

pytestmark = pytest.mark.acceptance
WAIT = {"handler": {"callable": "test.wait"}}


def entered(task_uuid, name, state):
    """Return when a step entered a state for the first time."""
    rows = StepTransition.objects.filter(
        workflow_step__task_id=task_uuid, workflow_step__name=name, to_state=state
    )
    return rows.order_by("sort_key")[0].created_at


def transactions_that_enqueued(task_uuid, *names):
    """Return by how many transactions steps were enqueued."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT h.xmin::text) FROM tasker_workflow_step_transitions AS h "
            "JOIN tasker_workflow_steps AS s USING (workflow_step_uuid) "
            "WHERE s.task_uuid = %s AND s.name = ANY(%s) AND h.to_state = 'enqueued'",
            [task_uuid, list(names)],
        )
        return cursor.fetchone()[0]


def assert_no_child_ran_before_its_parents(task_uuid):
    for child in WorkflowStep.objects.filter(task_id=task_uuid):
        for edge in child.incoming_edges.select_related("from_step"):
            done = entered(task_uuid, edge.from_step.name, "complete")
            assert done <= entered(task_uuid, child.name, "enqueued")


def test_chain_of_four_leaves_fifteen_rows(engine: Cluster):
    task_uuid = engine.run(linear(4))

    assert task_history(task_uuid) == LINEAR_4
    assert TaskTransition.objects.filter(task_id=task_uuid).count() == 15
    assert step_histories(task_uuid) == {f"step_{n}": RAN_ONCE for n in range(1, 5)}
    assert [result(task_uuid, f"step_{n}")["saw"] for n in (1, 2, 3, 4)] == [
        [],
        ["step_1"],
        ["step_1", "step_2"],
        ["step_1", "step_2", "step_3"],
    ]
    attempts = WorkflowStep.objects.filter(task_id=task_uuid).values_list("attempts", flat=True)
    assert list(attempts) == [1, 1, 1, 1]
    assert Task.objects.get(pk=task_uuid).completed_at is not None


def test_branches_of_a_diamond_run_at_the_same_time(engine: Cluster, gate):
    template = diamond(name="slow_diamond", steps={"left": WAIT, "right": WAIT})
    created = ticks.start(template, {"gate": str(gate)})
    engine.waits(lambda: (gate / "left.1").exists() and (gate / "right.1").exists())

    (gate / "go").touch()
    engine.settles(created.task_uuid)

    assert task_history(created.task_uuid) in (
        "P I Q S E Q S E S E Q S E C",
        "P I Q S E Q S E Q S E C",  # both results in one batch
    )
    assert set(step_histories(created.task_uuid).values()) == {RAN_ONCE}
    assert transactions_that_enqueued(created.task_uuid, "left", "right") == 1


@pytest.mark.parametrize(("template", "steps"), [(tree(3), 8), (dag(), 7)], ids=["tree", "dag"])
def test_every_step_of_a_graph_runs_once_after_its_parents(engine: Cluster, template, steps):
    task_uuid = engine.run(template)

    history = task_history(task_uuid)
    assert history.startswith("P I Q S")
    assert history.endswith("E C")
    assert set(history.split()) == set("PIQSEC")
    histories = step_histories(task_uuid)
    assert len(histories) == steps
    assert set(histories.values()) == {RAN_ONCE}
    assert_no_child_ran_before_its_parents(task_uuid)


def squares(name, graph):
    """Return a template in which each step squares the result of its first parent."""
    steps = {
        step_name: {
            "handler": {"callable": "test.square", "initialization": {"of": (parents or [None])[0]}}
        }
        for step_name, parents in graph.items()
    }
    return shape(name, graph, steps=steps)


def test_results_travel_down_a_chain(engine: Cluster):
    chain = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}

    task_uuid = engine.run(squares("squares", chain), {"number": 6})

    assert task_history(task_uuid) == LINEAR_4
    values = [result(task_uuid, name)["value"] for name in "abcd"]
    assert values == [36, 1296, 1679616, 2821109907456]


def test_join_sees_the_results_of_all_its_ancestors(engine: Cluster):
    graph = {"a": [], "b": ["a"], "c": ["a"], "join": ["b", "c"]}

    task_uuid = engine.run(squares("square_diamond", graph), {"number": 2})

    assert result(task_uuid, "join") == {"value": 16**2, "saw": ["a", "b", "c"]}


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "x" * 1_000_000},
        {"ünïcödé": '日本語 🎉 \u2028 \\u0041 "quoted"', "esc": "\t\n\x7f"},
        {"nothing": None, "deep": [{"a": [None, 1.5, -0.0, 2**53 + 1, True]}]},
    ],
    ids=["megabyte", "unicode", "nulls"],
)
def test_result_is_read_back_as_it_was_given(engine: Cluster, payload):
    give = {"handler": {"callable": "test.give"}}
    see = {"handler": {"callable": "test.see", "initialization": {"of": "step_1"}}}
    template = linear(2, name="payload", steps={"step_1": give, "step_2": see})

    task_uuid = engine.run(template, {"payload": payload})

    assert task_history(task_uuid) == "P I Q S E Q S E C"
    assert result(task_uuid, "step_1") == payload
    assert result(task_uuid, "step_2") == {"seen": payload}
    assert Task.objects.get(pk=task_uuid).context == {"payload": payload}


def test_handler_that_returns_nothing_succeeds(engine: Cluster):
    give = {"handler": {"callable": "test.give"}}

    task_uuid = engine.run(linear(1, name="nothing", steps={"step_1": give}))

    assert task_history(task_uuid) == "P I Q S E C"
    assert execution(task_uuid, "step_1")["success"] is True
    assert result(task_uuid, "step_1") == {}


def test_task_runs_only_when_the_callers_transaction_commits(engine: Cluster):
    def create(*, fail: bool) -> None:
        with transaction.atomic():
            ticks.start(linear(4), {"fail": fail}, tags=["A13"])
            if fail:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        create(fail=True)
    create(fail=False)

    tasks = Task.objects.filter(tags__contains=["A13"])
    engine.waits(lambda: [task.state for task in tasks.all()] == ["complete"])
    task = tasks.get()
    assert task.context == {"fail": False}
    assert task_history(task.pk) == LINEAR_4
