"""Registering one template: rows, outcomes, policy."""

from typing import Any

import pytest
from django.test import override_settings

from templates_registry.models import (
    NamedStep,
    NamedTask,
    NamedTaskStep,
    TaskNamespace,
    TemplateRevision,
)
from templates_registry.registry import Outcome, register, revision
from templates_registry.registry.storing import preview, retire
from templates_registry.schema import TaskTemplate, digest, inspect_data, resolve

pytestmark = pytest.mark.django_db


def template(*, version: str = "1.0.0", timeout: int | None = None, **rest: Any) -> TaskTemplate:
    found = inspect_data(
        {
            "name": "buy",
            "namespace_name": "shop",
            "version": version,
            "steps": [
                {"name": "a", "handler": {"callable": "x"}, "timeout_seconds": timeout},
                {
                    "name": "b",
                    "handler": {"callable": "y"},
                    "dependencies": ["a"],
                    "system_dependency": "bank",
                    "description": "é" * 300,
                    "retry": {"max_attempts": 7, "retryable": False},
                },
            ],
            "environments": {
                "test": {"steps": [{"name": "a", "handler": {"initialization": {"t": 1}}}]}
            },
            **rest,
        }
    )
    assert found.template is not None, found.report
    return found.template


def test_everything_is_written_at_once() -> None:
    wanted = template(description="Buy things", identity_strategy="strict")

    done = register(wanted)

    row = NamedTask.objects.get()
    assert row.pk == done.named_task_uuid
    assert (done.outcome, str(row)) == (Outcome.CREATED, "shop/buy@1.0.0")
    assert (row.description, row.identity_strategy) == ("Buy things", "strict")
    assert row.configuration["environments"]["test"]["steps"][0]["name"] == "a"
    links = NamedTaskStep.objects.filter(named_task=row).order_by("named_step__name")
    assert list(
        links.values_list(
            "named_step__name",
            "named_step__dependent_system__name",
            "named_step__description",
            "default_retryable",
            "default_max_attempts",
            "skippable",
        )
    ) == [("a", "default", None, True, 3, False), ("b", "bank", "é" * 255, False, 7, False)]


def test_the_revision_of_the_running_environment_is_made() -> None:
    wanted = template()

    done = register(wanted)

    row = TemplateRevision.objects.get()
    resolved = resolve(wanted, "test")
    assert row.digest == digest(resolved)
    assert row.configuration["steps"][0]["handler"]["initialization"] == {"t": 1}
    assert row.configuration["environments"] == {}
    assert row.named_task_id == done.named_task_uuid
    assert revision(row.named_task_id, row.digest) == resolved


def test_registering_twice_changes_nothing() -> None:
    first = register(template())
    before = NamedTask.objects.get().updated_at

    second = register(template())

    assert (second.outcome, second.named_task_uuid) == (Outcome.UNCHANGED, first.named_task_uuid)
    assert NamedTask.objects.get().updated_at == before
    assert TemplateRevision.objects.count() == 1


def test_changed_content_makes_another_revision_and_keeps_the_first() -> None:
    first = register(template(timeout=1))
    digests = set(TemplateRevision.objects.values_list("digest", flat=True))

    done = register(template(timeout=2))

    assert (done.outcome, done.named_task_uuid) == (Outcome.REVISED, first.named_task_uuid)
    assert digests < set(TemplateRevision.objects.values_list("digest", flat=True))
    assert TemplateRevision.objects.count() == 2


def test_going_back_finds_the_first_revision_again() -> None:
    register(template(timeout=1))
    register(template(timeout=2))

    done = register(template(timeout=1))

    assert done.outcome is Outcome.REVISED
    assert TemplateRevision.objects.count() == 2


def test_the_time_of_a_change_moves_even_when_the_clock_rests(clock: Any) -> None:
    register(template(timeout=1))
    before = NamedTask.objects.get().updated_at

    register(template(timeout=2))

    assert NamedTask.objects.get().updated_at > before


def test_versions_stand_side_by_side() -> None:
    register(template(version="1.0.0"))

    done = register(template(version="1.1.0"))

    assert done.outcome is Outcome.CREATED
    assert NamedTask.objects.count() == 2
    assert TaskNamespace.objects.filter(name="shop").count() == 1


def test_a_step_that_is_gone_leaves_the_template_but_not_its_type() -> None:
    register(template())

    register(template(steps=[{"name": "a", "handler": "x", "retry": {"max_attempts": 9}}]))

    assert list(NamedTaskStep.objects.values_list("named_step__name", "default_max_attempts")) == [
        ("a", 9)
    ]
    assert NamedStep.objects.filter(name="b").exists()


def test_the_system_of_a_step_is_its_own_or_the_templates() -> None:
    register(template(system_dependencies={"primary": "erp"}))

    named = NamedStep.objects.values_list("name", "dependent_system__name")
    assert set(named) == {("a", "erp"), ("b", "bank")}


def test_the_policy_reject_refuses_changed_content_only() -> None:
    register(template(timeout=1))

    with override_settings(TASKER={"template_change_policy": "reject"}):
        same = register(template(timeout=1))
        changed = register(template(timeout=2))
        new = register(template(timeout=2, version="1.0.1"))

    assert (same.outcome, new.outcome) == (Outcome.UNCHANGED, Outcome.CREATED)
    assert changed.outcome is Outcome.REJECTED
    assert "shop/buy@1.0.0 is registered with other content" in changed.message
    row = NamedTask.objects.get(version="1.0.0")
    assert row.configuration["steps"][0]["timeout_seconds"] == 1


def test_a_template_with_errors_is_refused_and_nothing_is_written() -> None:
    wrong = template()
    broken = wrong.with_steps([wrong.steps[1]])

    done = register(broken)

    assert done.outcome is Outcome.REJECTED
    assert [f.code for f in done.findings if f.is_error] == ["MISSING_DEP_REF"]
    assert not TaskNamespace.objects.filter(name="shop").exists()


def test_a_preview_writes_nothing() -> None:
    assert preview(template()).outcome is Outcome.CREATED
    assert NamedTask.objects.count() == 0

    register(template(timeout=1))

    assert preview(template(timeout=1)).outcome is Outcome.UNCHANGED
    assert preview(template(timeout=2)).outcome is Outcome.REVISED
    assert preview(template(timeout=2), policy="reject").outcome is Outcome.REJECTED
    assert NamedTask.objects.get().configuration["steps"][0]["timeout_seconds"] == 1


@pytest.mark.parametrize(("timeout", "policy"), [(1, "reject"), (1, "revise"), (2, "revise")])
def test_registering_revives_a_retired_version(timeout: int, policy: str) -> None:
    register(template(timeout=1))
    retire(NamedTask.objects.get())
    assert NamedTask.objects.get().retired_at is not None

    done = register(template(timeout=timeout), policy=policy)

    assert done.outcome in (Outcome.CREATED, Outcome.REVISED)
    assert NamedTask.objects.get().retired_at is None


def test_numbers_survive_the_database() -> None:
    numbers = [1.0, 1e16, 1e-7, -0.0, 0.1, 12345678901234567890, 1e22]
    steps = [{"name": "a", "handler": {"callable": "x", "initialization": {"n": numbers}}}]

    register(template(steps=steps))

    assert register(template(steps=steps)).outcome is Outcome.UNCHANGED


def test_a_revision_that_does_not_exist_is_told() -> None:
    done = register(template())
    assert done.named_task_uuid is not None

    with pytest.raises(TemplateRevision.DoesNotExist):
        revision(done.named_task_uuid, "0" * 64)
