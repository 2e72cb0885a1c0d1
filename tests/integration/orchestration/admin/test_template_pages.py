"""Templates: the list, one version with its picture and figures, and the form that runs it."""

import pytest

from orchestration.models import Task, TaskerProcess
from orchestration.testing import TemplateFactory, linear, shape
from templates_registry.models import NamedTask, TaskerNow
from tests.factories.scenes import worker
from tests.factories.ticks import blocked, start

pytestmark = pytest.mark.django_db
TEMPLATES = "/admin/templates_registry/namedtask/"
SCHEMA = {
    "type": "object",
    "required": ["order_id", "size"],
    "properties": {
        "order_id": {"type": "integer", "description": "its number"},
        "size": {"enum": ["small", "large"]},
        "gift": {"type": "boolean"},
        "items": {"type": "array", "items": {"type": "string"}},
    },
}


def ordering(**rest) -> NamedTask:
    template = shape("order", {"charge": [], "ship": ["charge"]}, input_schema=SCHEMA, **rest)
    return TemplateFactory.create(template=template)


def page_of(row: NamedTask) -> str:
    return f"{TEMPLATES}{row.pk}/change/"


def test_the_list_has_one_row_for_all_versions(boss):
    for version in ("1.0.0", "1.10.0", "1.9.0"):
        TemplateFactory.create(template=linear(2, version=version))
    blocked(linear(3, name="other"))

    page = boss.get(TEMPLATES).content.decode()

    assert page.count("linear_2") == 1
    assert "1.10.0" in page
    assert "100.0 %" in page
    assert "no worker serves the namespace" in page


def test_handlers_are_compared_with_those_of_live_workers(boss):
    TemplateFactory.create(template=linear(2))
    running = worker(namespaces=["test"], handlers=["other"])

    missing = boss.get(TEMPLATES).content.decode()
    TaskerProcess.objects.filter(pk=running.pk).update(handlers=["test.echo"])
    there = boss.get(TEMPLATES).content.decode()

    assert "✕ 1 missing" in missing
    assert "✓ all" in there


def test_retired_templates_are_shown_when_asked_for(boss):
    row = TemplateFactory.create(template=linear(2))
    NamedTask.objects.update(retired_at=TaskerNow())

    assert "linear_2" not in boss.get(TEMPLATES).content.decode()
    assert "linear_2" in boss.get(TEMPLATES, {"retired": "on"}).content.decode()
    assert boss.get(f"{page_of(row)}run/").status_code == 404
    assert f"{page_of(row)}run/" not in boss.get(page_of(row)).content.decode()


def test_the_list_is_narrowed(boss):
    TemplateFactory.create(template=linear(2))
    TemplateFactory.create(template=linear(3, namespace="billing"))

    assert "linear_3" not in boss.get(TEMPLATES, {"q": "R_2"}).content.decode()
    assert "linear_2" not in boss.get(TEMPLATES, {"namespace": "billing"}).content.decode()
    assert "No template fits" in boss.get(TEMPLATES, {"q": "zzz"}).content.decode()


def test_a_version_shows_its_picture_its_steps_and_the_others(boss):
    blocked(linear(2))
    other = TemplateFactory.create(template=linear(2, version="2.0.0"))
    row = NamedTask.objects.get(version="1.0.0")

    page = boss.get(page_of(row)).content.decode()

    for text in (
        'class="tasker-graph"',
        "test.echo",
        "graph TD",
        "namespace_name: test",
        "100.0 %",
        page_of(other),
    ):
        assert text in page, text


def test_the_form_has_a_field_for_each_property(boss):
    page = boss.get(f"{page_of(ordering())}run/").content.decode()

    for name in ("order_id", "size", "gift", "items"):
        assert f'name="context_{name}"' in page
    assert "its number" in page
    assert (
        'name="context"'
        in boss.get(f"{page_of(NamedTask.objects.get())}run/?json=1").content.decode()
    )


def run(client, row: NamedTask, query: str = "", **given: str):
    body = {"priority": "0", "reason": "asked by phone", **given}
    return client.post(f"{page_of(row)}run/{query}", body)


def test_a_filled_in_form_makes_a_task(boss):
    row = ordering()
    given = {"context_order_id": "7", "context_size": '"large"', "context_items": '["a"]'}

    answer = run(boss, row, **given, tags="vip, eu,", priority="5")

    task = Task.objects.get()
    assert answer.headers["Location"] == f"/admin/orchestration/task/{task.pk}/change/"
    assert task.context == {"order_id": 7, "size": "large", "gift": False, "items": ["a"]}
    assert (task.tags, task.priority, task.state) == (["vip", "eu"], 5, "steps_in_process")


def test_what_is_wrong_is_told_and_makes_no_task(boss):
    row = ordering(validate_input=True)

    of_field = run(boss, row, context_order_id="x").content.decode()
    of_schema = run(boss, row, "?json=1", context='{"order_id": "x"}').content.decode()
    of_json = run(boss, row, "?json=1", context="{").content.decode()

    assert "Enter a whole number" in of_field
    assert "context.order_id" in of_schema
    assert "Enter a valid JSON" in of_json
    assert Task.objects.count() == 0


def test_the_same_key_leads_to_the_same_task(boss):
    row = TemplateFactory.create(template=linear(1))

    answers = [run(boss, row, context="{}", idempotency_key="k-1") for _ in range(2)]

    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert Task.objects.count() == 1


def test_a_task_is_created_again_from_its_request(boss):
    created = start(linear(2), {"order": 4711}, tags=["vip"], priority=7)
    task = Task.objects.get(pk=created.task_uuid)
    again = f"{page_of(task.named_task)}run/?again={task.pk}"

    linked = boss.get(f"/admin/orchestration/task/{task.pk}/change/").content.decode()
    page = boss.get(again).content.decode()

    assert f'href="{again}"' in linked
    for text in ("&quot;order&quot;: 4711", 'value="vip"', 'value="7"'):
        assert text in page, text


def test_a_context_that_may_not_be_read_is_not_prefilled(client, grant):
    created = start(linear(2), {"secret": 4711})
    task = Task.objects.get(pk=created.task_uuid)
    client.force_login(grant("templates_read", "tasks_create", "tasks_read"))

    for key in (task.pk, "nonsense", "00000000-0000-0000-0000-000000000000"):
        page = client.get(f"{page_of(task.named_task)}run/?again={key}").content.decode()
        assert "4711" not in page
