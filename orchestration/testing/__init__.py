"""Factories and shapes for tests, ours and our users'.

`shapes` are templates (`linear`, `diamond`, `decision`, …) to run; `factories` build rows in any
state. Needs factory-boy, so nothing but tests may import it.
"""

from orchestration.testing.factories import LEASE, StepFactory, TaskFactory, TemplateFactory
from orchestration.testing.shapes import (
    ECHO,
    FAIL_PERMANENT,
    NAMESPACE,
    batch,
    dag,
    decision,
    diamond,
    fail_times,
    fan_in,
    linear,
    shape,
    tree,
)

__all__ = [
    "ECHO",
    "FAIL_PERMANENT",
    "LEASE",
    "NAMESPACE",
    "StepFactory",
    "TaskFactory",
    "TemplateFactory",
    "batch",
    "dag",
    "decision",
    "diamond",
    "fail_times",
    "fan_in",
    "linear",
    "shape",
    "tree",
]
