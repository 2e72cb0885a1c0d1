"""Random templates and settings."""

from hypothesis import strategies as st

from orchestration.testing import shape
from templates_registry.schema import TaskTemplate
from tests.properties.subjects import Rules, StepPlan

BACKOFFS = ("none", "linear", "exponential", "fibonacci")
MOST_STEPS = 8
NAMES = "hcafgbed"  # a step's name says nothing of its place in the graph


@st.composite
def step_plans(draw: st.DrawFn) -> tuple[StepPlan, ...]:
    """Draw a graph of one to eight steps with random retry policies."""
    names = NAMES[: draw(st.integers(1, MOST_STEPS))]
    return tuple(
        StepPlan(
            name=name,
            parents=tuple(draw(st.sets(st.sampled_from(names[:place]), max_size=3)))
            if place
            else (),
            retryable=draw(st.sampled_from([True, True, True, False])),
            max_attempts=draw(st.integers(0, 4)),
            backoff=draw(st.sampled_from(BACKOFFS)),
            base_ms=draw(st.sampled_from([0, 1, 50, 1000, 40_000])),
            cap_ms=draw(st.sampled_from([None, 30, 60_000])),
        )
        for place, name in enumerate(names)
    )


rules = st.builds(
    Rules,
    limit=st.sampled_from([1, 2, 3, 500]),
    high_water=st.sampled_from([10, 1000]),
    batch=st.sampled_from([1, 2, 50]),
    large=st.sampled_from([0, 200]),
)


def template_of(name: str, namespace: str, plans: tuple[StepPlan, ...]) -> TaskTemplate:
    """Return the template that says what the plans say."""
    said = {
        plan.name: {
            "retry": {
                "retryable": plan.retryable,
                "max_attempts": plan.max_attempts,
                "backoff": plan.backoff,
                "backoff_base_ms": plan.base_ms,
                "max_backoff_ms": plan.cap_ms,
            }
        }
        for plan in plans
    }
    graph = {plan.name: sorted(plan.parents) for plan in plans}
    return shape(name, graph, steps=said, namespace=namespace)
