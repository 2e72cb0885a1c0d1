"""Which content a new task gets, at what price, and never a stale one."""

from typing import Any

import pytest
from django.db import connections, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from templates_registry.errors import TemplateError, TemplateNotFound
from templates_registry.models import NamedTask, TemplateRevision
from templates_registry.registry import find, register, revision
from templates_registry.registry.finding import forget_found
from templates_registry.registry.revisions import forget_revisions
from templates_registry.registry.storing import retire
from templates_registry.schema import TaskTemplate, inspect_data


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    forget_found()
    forget_revisions()


def template(
    name: str = "buy", *, namespace: str = "shop", version: str = "1.0.0", **step: Any
) -> TaskTemplate:
    found = inspect_data(
        {
            "name": name,
            "namespace_name": namespace,
            "version": version,
            "steps": [{"name": "a", "handler": "x", **step}],
            "environments": {
                "test": {"steps": [{"name": "ALL", "retry": {"max_attempts": 9}}]},
                "production": {"steps": [{"name": "ALL", "retry": {"max_attempts": 2}}]},
            },
        }
    )
    assert found.template is not None, found.report
    return found.template


@pytest.mark.django_db
def test_the_resolved_content_is_found() -> None:
    register(template())

    found = find("shop", "buy")

    row = TemplateRevision.objects.get()
    assert (found.namespace, found.name, found.version) == ("shop", "buy", "1.0.0")
    assert (found.revision_uuid, found.digest) == (row.pk, row.digest)
    assert found.named_task_uuid == row.named_task_id
    assert found.identity_strategy == "always_unique"
    assert found.template.step("a").retry.max_attempts == 9
    assert revision(found.named_task_uuid, found.digest) == found.template


@pytest.mark.django_db
def test_a_revision_is_read_from_its_row_by_who_does_not_know_it_yet() -> None:
    register(template())
    row = TemplateRevision.objects.get()
    forget_revisions()

    first = revision(row.named_task_id, row.digest)
    again = revision(row.named_task_id, row.digest)

    assert first.step("a").retry.max_attempts == 9
    assert again is first


@pytest.mark.django_db
def test_without_a_version_the_highest_is_found() -> None:
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1", "zzz"):
        register(template(version=version))

    assert find("shop", "buy").version == "1.10.0"
    assert find("shop", "buy", "1.9.0").version == "1.9.0"
    assert find("shop", "buy", "2.0.0-rc.1").version == "2.0.0-rc.1"


@pytest.mark.django_db
def test_a_retired_version_is_not_found() -> None:
    register(template(version="1.0.0"))
    register(template(version="2.0.0"))
    retire(NamedTask.objects.get(version="2.0.0"))

    assert find("shop", "buy").version == "1.0.0"
    with pytest.raises(TemplateNotFound):
        find("shop", "buy", "2.0.0")


@pytest.mark.django_db(transaction=True)
def test_finding_again_costs_one_query() -> None:
    register(template())
    first = find("shop", "buy")

    with CaptureQueriesContext(connections["default"]) as queries:
        again = find("shop", "buy")
        template_again = revision(again.named_task_uuid, again.digest)

    assert len(queries) == 1
    assert again is first
    assert template_again is first.template


@pytest.mark.django_db(transaction=True)
def test_what_another_process_registers_is_seen_at_once() -> None:
    register(template(timeout_seconds=1))
    before = find("shop", "buy")

    # Another process writes rows and knows nothing of what is remembered here.
    register(template(timeout_seconds=2))
    after = find("shop", "buy")
    register(template(timeout_seconds=1))
    back = find("shop", "buy")

    assert [f.template.step("a").timeout_seconds for f in (before, after, back)] == [1, 2, 1]
    assert before.digest == back.digest
    assert before.revision_uuid == back.revision_uuid != after.revision_uuid


@pytest.mark.django_db(transaction=True)
def test_each_environment_has_its_own_revision() -> None:
    register(template())
    here = find("shop", "buy")

    with override_settings(TASKER={"environment": "production"}):
        there = find("shop", "buy")
        again = find("shop", "buy")

    assert there is again
    assert there.template.step("a").retry.max_attempts == 2
    assert here.revision_uuid != there.revision_uuid
    assert TemplateRevision.objects.filter(named_task=here.named_task_uuid).count() == 2
    assert find("shop", "buy") is here


@pytest.mark.django_db(transaction=True)
def test_a_revision_that_was_rolled_back_is_not_remembered() -> None:
    register(template())
    with (
        override_settings(TASKER={"environment": "production"}),
        transaction.atomic(),
    ):
        rolled_back = find("shop", "buy").revision_uuid
        transaction.set_rollback(True)

    with override_settings(TASKER={"environment": "production"}):
        found = find("shop", "buy")

    assert found.revision_uuid != rolled_back
    assert TemplateRevision.objects.filter(pk=found.revision_uuid).exists()


@pytest.mark.django_db
def test_an_unknown_template_is_told_with_those_that_are_near() -> None:
    register(template("process_order", namespace="shop"))
    register(template("refund", namespace="bank"))
    register(template("buy", version="1.2.0"))
    register(template("buy", version="3.0.0"))

    def nearest(*wanted: Any, **rest: Any) -> list[str]:
        with pytest.raises(TemplateNotFound) as caught:
            find(*wanted, **rest)
        return list(caught.value.nearest)

    assert nearest("shop", "proces_order") == ["shop/process_order"]
    assert nearest("shop", "refund")[0] == "bank/refund"
    assert nearest("shop", "buy", "1.2.1")[0] == "shop/buy@1.2.0"
    assert nearest("nowhere", "nothing_like_it") == []
    assert "bank/refund" not in nearest("shop", "refund", suggest_from=["shop"])


@pytest.mark.django_db
def test_the_message_tells_what_to_do() -> None:
    register(template())

    with pytest.raises(
        TemplateNotFound,
        match=r"Template 'shop/byu@1\.0\.0' is not registered; run sync_templates\. "
        r"Did you mean 'shop/buy'\?",
    ):
        find("shop", "byu", "1.0.0")


@pytest.mark.django_db
def test_stored_content_that_is_no_template_is_told() -> None:
    register(template())
    NamedTask.objects.update(configuration={"name": "buy"})

    with pytest.raises(TemplateError, match="in the database"):
        find("shop", "buy")
