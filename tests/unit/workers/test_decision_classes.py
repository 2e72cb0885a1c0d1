"""`DecisionMixin` and `DecisionHandler`, and the class form of a checkpoint."""

import pytest

from workers import (
    Batchable,
    DecisionHandler,
    DecisionMixin,
    DecisionPointOutcome,
    DecisionType,
    StepContext,
    StepHandler,
)


class Route(DecisionHandler):
    handler_name = "shop.route"

    def call(self, context):
        return self.decision_success(["a"])


class Mixed(StepHandler, DecisionMixin):
    handler_name = "shop.mixed"

    def call(self, context):
        return self.skip_branches("none")


SIGNED = {"decision_handler": "shop.route", "decision_version": "1.0.0"}


def created(names, **rest):
    return {"decision_point_outcome": {"type": "create_steps", "step_names": names}, **rest}


def skipped(reason, **rest):
    return {"decision_point_outcome": {"type": "no_branches"}, "reason": reason, **rest}


@pytest.mark.parametrize(
    ("make", "result"),
    [
        (lambda h: h.decision_success(["a"], {"k": 1}), created(["a"], routing_context={"k": 1})),
        (lambda h: h.decision_success("a"), created(["a"])),
        (lambda h: h.route_to_steps(["a", "b"]), created(["a", "b"])),
        (lambda h: h.decision_success(DecisionPointOutcome.create_steps(["x"])), created(["x"])),
        (
            lambda h: h.decision_success_with_outcome(
                DecisionPointOutcome.create_steps(["x"], [{"name": "d"}], {"k": 1})
            ),
            created(["x"], dynamic_steps=[{"name": "d"}], routing_context={"k": 1}),
        ),
        (
            lambda h: h.decision_no_branches(DecisionPointOutcome.no_branches("why", {"k": 1})),
            skipped("why", routing_context={"k": 1}),
        ),
        (lambda h: h.skip_branches("why"), skipped("why")),
    ],
)
def test_helpers_build_the_wire_format(make, result):
    found = make(Route())

    assert found.success
    assert found.result == result
    assert found.metadata == SIGNED


def test_metadata_is_added_to():
    assert Route().decision_success(["a"], metadata={"m": 1}).metadata == {"m": 1, **SIGNED}


def test_a_decision_failure_is_permanent():
    found = Route().decision_failure("no")

    assert (found.success, found.error_type, found.retryable) == (False, "decision_error", False)
    assert found.metadata == SIGNED


def test_the_mixin_works_on_either_side():
    assert Mixed().call(StepContext()).metadata["decision_handler"] == "shop.mixed"
    assert Mixed().decision_capabilities == ["decision", "routing"]
    assert Route().capabilities == ["process", "decision", "routing"]
    assert Route().call(StepContext()).success


def test_outcomes_say_their_type():
    outcome = DecisionPointOutcome.create_steps(["a"])

    assert (outcome.decision_type, outcome.next_step_names) == (DecisionType.CREATE_STEPS, ["a"])
    assert DecisionPointOutcome.no_branches("x").decision_type == "no_branches"


def test_a_class_yields_a_checkpoint():
    found = Batchable().checkpoint_yield(5, 10, {"sum": 1})

    assert found.metadata == {"checkpoint_yield": True}
    assert (found.result or {})["cursor"] == 5
    assert Batchable().get_batch_context(StepContext()) is None
