"""The engine does what the model says, whatever happens in which order (issue 3, part 9).

`TASKER_PROPERTY_EXAMPLES=5000 pytest tests/properties` looks for new ways through; without it a few
examples run, always the same.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from orchestration.testing import linear
from templates_registry import registry
from tests.properties.engine import NAMESPACES
from tests.properties.machine import EngineAndModel

EXAMPLES = int(os.environ.get("TASKER_PROPERTY_EXAMPLES", "0"))
FEW = settings(
    max_examples=20,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a failure is shown as it is: making it smaller takes minutes
)
MANY = settings(max_examples=EXAMPLES or 1, stateful_step_count=60, print_blob=True)


@pytest.mark.timeout(0 if EXAMPLES else 120)
@pytest.mark.django_db(transaction=True)
def test_engine_and_model_agree_on_every_state():
    for namespace in NAMESPACES:
        registry.register(linear(1, namespace=namespace))
    run_state_machine_as_test(
        EngineAndModel,
        settings=settings(
            MANY if EXAMPLES else FEW, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
