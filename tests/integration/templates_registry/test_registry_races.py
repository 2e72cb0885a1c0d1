"""Several processes register at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from templates_registry.models import (
    DependentSystem,
    NamedStep,
    NamedTask,
    NamedTaskStep,
    TaskNamespace,
    TemplateRevision,
)
from templates_registry.registry import Outcome, find, register
from templates_registry.schema import TaskTemplate, inspect_data

pytestmark = pytest.mark.django_db(transaction=True)


def template(namespace: str, name: str, *, backwards: bool = False) -> TaskTemplate:
    names = [f"step_{number}" for number in range(20)]
    found = inspect_data(
        {
            "name": name,
            "namespace_name": namespace,
            "version": "1.0.0",
            "steps": [
                {"name": each, "handler": "x", "system_dependency": f"system_{each[-1]}"}
                for each in (reversed(names) if backwards else names)
            ],
        }
    )
    assert found.template is not None
    return found.template


def at_once(templates: list[TaskTemplate]) -> list[Outcome]:
    barrier = Barrier(len(templates))

    def run(each: TaskTemplate) -> Outcome:
        try:
            barrier.wait(10)
            return register(each).outcome
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(len(templates)) as pool:
        return list(pool.map(run, templates))


def test_one_creates_and_the_others_find_it_unchanged() -> None:
    outcomes = at_once([template("shop", "buy")] * 6)

    assert sorted(outcomes) == ["created", *["unchanged"] * 5]
    assert NamedTask.objects.count() == TemplateRevision.objects.count() == 1
    assert TaskNamespace.objects.filter(name="shop").count() == 1
    assert NamedTaskStep.objects.count() == 20
    assert find("shop", "buy").version == "1.0.0"


def test_namespaces_that_share_step_types_do_not_block_each_other_for_good() -> None:
    outcomes = at_once(
        [template(f"shop_{number}", "buy", backwards=bool(number % 2)) for number in range(6)]
    )

    assert outcomes == [Outcome.CREATED] * 6
    assert NamedStep.objects.count() == 20
    assert DependentSystem.objects.filter(name__startswith="system_").count() == 10


def test_contents_that_race_end_with_one_of_them() -> None:
    contents = [template("shop", "buy"), template("shop", "buy", backwards=True)]

    outcomes = at_once(contents)

    assert sorted(outcomes) == ["created", "revised"]
    last = contents[outcomes.index(Outcome.REVISED)]
    assert [s.name for s in find("shop", "buy").template.steps] == [s.name for s in last.steps]
    assert TemplateRevision.objects.count() == 2
