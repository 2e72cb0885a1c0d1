"""What the demo calls different from what was expected."""

import copy

import pytest

from tasker_project.demo.cases import CASES, choose
from tasker_project.demo.outcome import conclude, differences


def case_called(title):
    return next(case for case in CASES if case.title == title)


def step(name, state="complete", attempts=1, result=None, error_code=None):
    results = {"result": result or {}, "metadata": {"error_code": error_code}}
    untouched = state == "pending"
    return {
        "name": name,
        "current_state": state,
        "attempts": 0 if untouched else attempts,
        "results": None if untouched else results,
    }


DECLINED = case_called("declined payment")
DECLINED_TASK = {
    "task_uuid": "01a20e67-6226-7621-be48-6312efc6ac10",
    "status": "blocked_by_failures",
    "created_at": "2026-01-01T10:00:00.000000Z",
    "updated_at": "2026-01-01T10:00:00.250000Z",
    "completed_at": None,
}
DECLINED_STEPS = [
    step("validate_order"),
    step("reserve_inventory"),
    step("process_payment", "error", error_code="PAYMENT_DECLINED"),
    step("ship_order", "pending"),
]


def test_an_outcome_as_expected_has_no_differences():
    outcome = conclude(DECLINED, DECLINED_TASK, DECLINED_STEPS)

    assert outcome.differences == ()
    assert outcome.state == "blocked_by_failures"
    assert outcome.steps == "2/4"
    assert outcome.attempts == "1 1 1 0"
    assert outcome.seconds == 0.25
    assert outcome.facts == "process_payment: PAYMENT_DECLINED"


@pytest.mark.parametrize(
    ("position", "changed", "said"),
    [
        (0, {"attempts": 2}, "validate_order took 2 attempts, expected 1"),
        (1, {"current_state": "error"}, "reserve_inventory is error, expected complete"),
        (
            2,
            {"results": {"metadata": {"error_code": "GATEWAY_BUSY"}}},
            "process_payment failed with GATEWAY_BUSY, expected PAYMENT_DECLINED",
        ),
        (2, {"results": None}, "process_payment failed with None, expected PAYMENT_DECLINED"),
        (3, {"current_state": "complete"}, "ship_order is complete, expected pending"),
    ],
)
def test_every_difference_of_a_step_is_named(position, changed, said):
    steps = copy.deepcopy(DECLINED_STEPS)
    steps[position] |= changed

    assert said in list(differences(DECLINED, DECLINED_TASK, steps))


def test_another_state_of_the_task_is_named():
    task = DECLINED_TASK | {"status": "complete"}

    found = list(differences(DECLINED, task, DECLINED_STEPS))

    assert found == ["the task is complete, expected blocked_by_failures"]


def test_missing_steps_are_named():
    found = list(differences(DECLINED, DECLINED_TASK, DECLINED_STEPS[:3]))

    assert len(found) == 1
    assert found[0].startswith("the steps are validate_order, reserve_inventory, process_payment,")


def test_a_wrong_value_below_a_path_is_named():
    case = case_called("Ada registers")
    steps = [
        step("create_account"),
        step("setup_billing", result={"price": 19.0, "trial_days": 14}),
        step("init_preferences", result={"customised": 1, "preferences": {"theme": "light"}}),
        step("send_welcome"),
        step("activate_account", result={"status": "active", "messages_sent": 3}),
    ]
    task = DECLINED_TASK | {"status": "complete"}

    found = list(differences(case, task, steps))

    assert found == ["init_preferences: preferences.theme is 'light', expected 'dark'"]


def test_what_is_done_beside_a_failure_is_expected_before_it():
    case = case_called("a source that is gone")
    done, gone = case.steps[:4], "extract_customers"
    steps = [
        *(step(name) for name in done),
        step(gone, "error", error_code="SOURCE_GONE"),
        *(step(name, "pending") for name in case.steps[5:]),
    ]

    assert list(differences(case, DECLINED_TASK, steps)) == []
    assert set(done) == {
        *("extract_sales", "extract_inventory", "transform_sales", "transform_inventory")
    }


def test_the_cases_are_every_row_of_the_tables():
    assert [case.title for case in choose("accounts/register_user")] == [
        "Ada registers",
        "a reserved name",
    ]
    assert len(choose("order_fulfillment/process_order")) == 6
    assert len(choose("payments/process_refund")) == 6
    assert len(choose("analytics/daily_report")) == 3
    assert choose("all") == list(CASES)
    assert len({case.title for case in CASES}) == len(CASES)


def test_an_unknown_workflow_names_the_known_ones():
    with pytest.raises(ValueError, match="there are order_fulfillment/process_order, accounts/reg"):
        choose("payments/none")
