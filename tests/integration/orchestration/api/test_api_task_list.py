"""GET /v1/tasks: filters, order, pages, what rows carry, and how many queries it takes."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orchestration.models import WorkflowStep
from orchestration.queries import task_list
from orchestration.states import TERMINAL_TASK_STATES, TaskState
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, diamond, linear

pytestmark = pytest.mark.django_db
NOBODY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def names(api):
    """Return a function that lists tasks and returns the names given as first tags."""

    def ask(query: str) -> list[str]:
        answer = api.get(f"/v1/tasks?{query}")
        assert answer.status_code == 200, answer.content
        return [task["tags"][0] for task in answer.json()["tasks"]]

    return ask


def test_an_empty_list_is_a_page(api):
    body = api.get("/v1/tasks").json()

    assert body == {
        "tasks": [],
        "pagination": {
            "page": 1,
            "per_page": 25,
            "total_count": 0,
            "total_pages": 0,
            "total_is_estimate": False,
            "has_next": False,
            "has_previous": False,
        },
    }


def test_pages_follow_one_another_without_gap(names, api):
    now = timezone.now()
    template = TemplateFactory()
    for n in range(5):
        TaskFactory(named_task=template, tags=[f"t{n}"], created_at=now + timedelta(seconds=n // 2))

    pages = [names(f"per_page=2&page={page}") for page in (1, 2, 3, 4)]

    assert sorted(pages[0] + pages[1] + pages[2]) == ["t0", "t1", "t2", "t3", "t4"]
    assert (pages[0][0], pages[3]) == ("t4", [])
    assert api.get("/v1/tasks?per_page=2&page=2").json()["pagination"] == {
        "page": 2,
        "per_page": 2,
        "total_count": 5,
        "total_pages": 3,
        "total_is_estimate": False,
        "has_next": True,
        "has_previous": True,
    }


def test_tasks_behind_a_task_follow_it_without_gap_and_without_totals(names, api):
    moment = timezone.now()
    template = TemplateFactory()
    for n in range(5):
        at = moment + timedelta(seconds=n // 2)
        TaskFactory(named_task=template, tags=[f"t{n}"], created_at=at, priority=n)
    everything = api.get("/v1/tasks?per_page=5").json()["tasks"]

    pages, query = [], "per_page=2"
    while query:
        body = api.get(f"/v1/tasks?{query}").json()
        pages.append([task["tags"][0] for task in body["tasks"]])
        more = body["pagination"]["has_next"]
        query = f"per_page=2&after={body['tasks'][-1]['task_uuid']}" if more else ""

    assert [tag for page in pages for tag in page] == [task["tags"][0] for task in everything]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert body["pagination"] == {
        "page": None,
        "per_page": 2,
        "total_count": None,
        "total_pages": None,
        "total_is_estimate": False,
        "has_next": False,
        "has_previous": True,
    }
    newest = everything[0]["task_uuid"]
    assert set(names(f"after={newest}&priority_min=2")) == {"t2", "t3"}


def test_many_tasks_are_guessed_and_the_pages_still_end_where_they_end(api, monkeypatch):
    monkeypatch.setattr(task_list, "MOST_COUNTED", 3)
    template = TemplateFactory()
    for n in range(5):
        TaskFactory(named_task=template, tags=[f"t{n}"])

    pages = [api.get(f"/v1/tasks?per_page=2&page={page}").json() for page in (1, 3, 4)]

    assert [len(page["tasks"]) for page in pages] == [2, 1, 0]
    told = [page["pagination"] for page in pages]
    assert [each["has_next"] for each in told] == [True, False, False]
    assert all(each["total_is_estimate"] and each["total_count"] > 3 for each in told)


@pytest.mark.parametrize("state", TaskState.values)
def test_every_state_is_found_under_its_name_and_its_group(names, state):
    TaskFactory(state=state, tags=["it"])
    group, other = ("terminal", "open") if state in TERMINAL_TASK_STATES else ("open", "terminal")
    pascal = "".join(word.title() for word in state.split("_"))

    for word in (state, pascal, group, f"{other},{state}"):
        assert names(f"status={word}") == ["it"], word
    assert names(f"state={other}") == []
    assert names("status=completed") == (["it"] if state == "complete" else [])


def test_filters_narrow_the_list(names):
    flow, parent = uuid4(), uuid4()
    here = TemplateFactory(template=linear(1))
    there = TemplateFactory(template=diamond(namespace="other", version="2.0.0"))
    TaskFactory(
        named_task=here,
        tags=["a", "x", "y"],
        initiator="ann",
        source_system="shop",
        correlation_id=flow,
        priority=5,
        created_at="2026-01-01T00:00:00Z",
        updated_at="2026-01-02T00:00:00Z",
    )
    TaskFactory(
        named_task=there,
        tags=["b", "x"],
        parent_correlation_id=parent,
        state="complete",
        completed_at="2026-02-03T00:00:00Z",
        created_at="2026-02-01T00:00:00Z",
        updated_at="2026-02-02T00:00:00Z",
    )
    expected = {
        "namespace=test": ["a"],
        "namespace=test&namespace=other": ["b", "a"],
        "namespace=nowhere": [],
        "name=diamond": ["b"],
        "template=linear_1": ["a"],
        "version=2.0.0": ["b"],
        "tag=x": ["b", "a"],
        "tag=x&tag=y": ["a"],
        "initiator=ann": ["a"],
        "source_system=shop": ["a"],
        f"correlation_id={flow}": ["a"],
        f"parent_correlation_id={parent}": ["b"],
        "created_after=2026-02-01T00:00:00Z": ["b"],
        "created_before=2026-02-01T00:00:00Z": ["a"],
        "created_after=2026-01-01T01:00:00%2B01:00": ["b", "a"],
        "updated_after=2026-01-03T00:00:00Z": ["b"],
        "completed_after=2026-01-01T00:00:00Z": ["b"],
        "completed_before=2026-01-01T00:00:00Z": [],
        "priority_min=1": ["a"],
        "priority_max=0": ["b"],
        "order=created_at": ["a", "b"],
        "order=-priority": ["a", "b"],
        "order=priority": ["b", "a"],
        "order=updated_at": ["a", "b"],
    }

    found = {query: names(query) for query in expected}

    assert found == expected


BAD_QUERIES = {
    "stat=open": "stat",
    "format=json": "format",
    "status=nope": "status",
    "status=": "status",
    "page=0": "page",
    "page=1000001": "page",
    "page=x": "page",
    "page=99999999999999999999": "page",
    "page=1&page=2": "page",
    "per_page=101": "per_page",
    "per_page=26&include=steps": "per_page",
    "include=results": "include",
    "order=name": "order",
    "name=": "name",
    "correlation_id=x": "correlation_id",
    "created_after=yesterday": "created_after",
    "created_after=2026-01-01T00:00:00": "created_after",
    "created_after=2026-13-01T00:00:00Z": "created_after",
    "created_after=0001-01-01T00:00:00%2B23:59": "created_after",
    "created_after=2026-02-01T00:00:00Z&created_before=2026-02-01T00:00:00Z": "created_after",
    "priority_min=-101": "priority_min",
    "priority_min=2&priority_max=1": "priority_min",
    "after=x": "after",
    f"after={NOBODY}": "after",
    f"after={NOBODY}&page=2": "after",
    f"after={NOBODY}&order=created_at": "after",
}


@pytest.mark.parametrize(("query", "named"), BAD_QUERIES.items())
def test_a_bad_query_is_refused_by_name(api, query, named):
    answer = api.get(f"/v1/tasks?{query}")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "BAD_REQUEST")
    assert [each["path"] for each in error["details"]] == [named]


def test_rows_carry_contexts_and_steps_only_when_asked(api, create):
    create(context={"a": 1})

    (plain,) = api.get("/v1/tasks").json()["tasks"]
    (full,) = api.get("/v1/tasks?include=context,steps").json()["tasks"]

    assert (plain["context"], plain["steps"]) == (None, [])
    assert (full["context"], len(full["steps"])) == ({"a": 1}, 2)
    assert plain["total_steps"] == 2


@pytest.mark.parametrize("rows", [1, 10])
def test_a_page_takes_the_same_few_queries_for_any_number_of_rows(
    api, django_assert_num_queries, rows
):
    template = TemplateFactory()
    for _ in range(rows):
        StepFactory(task=TaskFactory(named_task=template))

    with django_assert_num_queries(3):
        api.get("/v1/tasks")
    with django_assert_num_queries(4):
        api.get("/v1/tasks?include=steps,context")


def test_a_task_takes_three_queries(api, create, django_assert_num_queries):
    uuid = create()["task_uuid"]

    with django_assert_num_queries(3):
        api.get(f"/v1/tasks/{uuid}")


def test_more_than_a_thousand_steps_are_cut_and_said_so(api):
    task = TaskFactory.create()
    first = StepFactory.create(task=task)
    WorkflowStep.objects.bulk_create(
        WorkflowStep(task=task, name=f"s{n}", named_step=first.named_step) for n in range(1000)
    )

    body = api.get(f"/v1/tasks/{task.pk}").json()

    assert (body["total_steps"], len(body["steps"]), body["steps_truncated"]) == (1001, 1000, True)


def test_revision_grows_with_every_move(api, create):
    uuid = create()["task_uuid"]
    before = api.get(f"/v1/tasks/{uuid}").json()["revision"]

    after = api.delete(f"/v1/tasks/{uuid}").json()["revision"]

    assert after > before
