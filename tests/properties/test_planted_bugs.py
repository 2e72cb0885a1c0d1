"""The machine finds bugs: each of these, planted into the engine, makes it fail.

Two run by default, all of them with `pytest -m benchmark tests/properties`.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from orchestration.testing import linear
from templates_registry import registry
from tests.properties.engine import NAMESPACES
from tests.properties.machine import EngineAndModel
from tests.properties.planted_bugs import BUGS, planted

QUICK = ("one attempt too many", "an operator's action is not evaluated")


@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "bug",
    [
        pytest.param(bug, id=bug.name, marks=() if bug.name in QUICK else (pytest.mark.benchmark,))
        for bug in BUGS
    ],
)
def test_machine_finds(bug):
    for namespace in NAMESPACES:
        registry.register(linear(1, namespace=namespace))
    search = settings(
        max_examples=150,
        stateful_step_count=40,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    failure = None
    with planted(bug):
        try:
            run_state_machine_as_test(EngineAndModel, settings=search)
        except Exception as error:  # noqa: BLE001 - whatever shows the bug
            failure = error
    assert failure is not None
    assert not isinstance(failure, NameError | SyntaxError | TypeError)
    print(f"{bug.name}: {type(failure).__name__}", str(failure))  # noqa: T201
