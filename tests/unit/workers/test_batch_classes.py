"""`Batchable`: analysers, workers and aggregators, and the models of batches."""

import pytest
from pydantic import ValidationError

from workers import (
    Batchable,
    BatchAggregationScenario,
    BatchAnalyzerOutcome,
    BatchWorkerContext,
    BatchWorkerOutcome,
    CursorConfig,
    FailureStrategy,
    RustCursorConfig,
    StepContext,
    StepHandler,
    aggregate_batch_results,
    create_batches,
    no_batches,
)


class Handler(StepHandler, Batchable):
    handler_name = "shop.batches"

    def call(self, context):
        """Is not called here."""


class Turned(Batchable, StepHandler):
    def call(self, context):
        """Is not called here."""


class Alone(Batchable):
    """No handler at all."""


@pytest.fixture
def batch() -> Handler:
    return Handler()


def pairs(cursors):
    return [(each.start_cursor, each.end_cursor) for each in cursors]


@pytest.mark.parametrize(
    ("made", "name"), [(Handler(), "shop.batches"), (Turned(), "Turned"), (Alone(), "Alone")]
)
def test_results_bear_the_name_of_the_handler_on_either_side(made, name):
    found = made.no_batches_outcome("nothing new")

    assert found.metadata == {"batch_analyzer": name, "no_batches": True}


# --- analyser


@pytest.mark.parametrize(
    ("total", "size", "limit", "ranges"),
    [
        (0, 10, None, []),
        (-5, 10, None, []),
        (10, 10, None, [(0, 10)]),
        (25, 10, None, [(0, 10), (10, 20), (20, 25)]),
        (25, 10, 3, [(0, 10), (10, 20), (20, 25)]),
        (25, 1, 4, [(0, 7), (7, 14), (14, 21), (21, 25)]),
        (3, 1, 1, [(0, 3)]),
    ],
)
def test_items_are_split_into_half_open_ranges(batch, total, size, limit, ranges):
    assert pairs(batch.create_cursor_ranges(total, size, max_batches=limit)) == ranges


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_is_refused(batch, size):
    with pytest.raises(ValueError, match="at least 1"):
        batch.create_cursor_ranges(10, size)
    with pytest.raises(ValueError, match="at least 1"):
        batch.create_cursor_configs(10, size)


@pytest.mark.parametrize(
    ("total", "count", "shares"),
    [
        (0, 3, []),
        (10, 3, [("001", 0, 4, 4, 0), ("002", 4, 8, 4, 1), ("003", 8, 10, 2, 2)]),
        (2, 5, [("001", 0, 1, 1, 0), ("002", 1, 2, 1, 1)]),
    ],
)
def test_items_are_shared_among_workers(batch, total, count, shares):
    found = batch.create_cursor_configs(total, count)

    assert [
        (each.batch_id, each.cursor_start, each.cursor_end, each.row_count, each.worker_index)
        for each in found
    ] == shares
    assert all(each.total_workers == len(shares) for each in found)
    assert [each.to_dict()["batch_id"] for each in found] == [share[0] for share in shares]


def test_an_outcome_becomes_the_wire_format(batch):
    outcome = batch.create_batch_outcome(25, 20, step_size=5, batch_metadata={"file": "x"})

    found = batch.batch_analyzer_success(outcome, {"own": 1}, worker_template_name="work")

    assert found.result == {
        "batch_processing_outcome": {
            "type": "create_batches",
            "worker_template_name": "work",
            "worker_count": 2,
            "cursor_configs": [
                cursor("001", 0, 20, 20, step_size=5),
                cursor("002", 20, 25, 5, step_size=5),
            ],
            "total_items": 25,
        },
        "worker_count": 2,
        "total_items": 25,
        "batch_metadata": {"file": "x"},
    }
    assert found.metadata == {"own": 1, "batch_analyzer": "shop.batches"}


def cursor(batch_id, start, end, size, **more):
    return {
        "batch_id": batch_id,
        "start_cursor": start,
        "end_cursor": end,
        "batch_size": size,
        **more,
    }


def test_cursors_may_be_any_json(batch):
    outcome = batch.create_batch_outcome_from_ranges(
        [("a", "m"), ({"id": 5}, None)], step_size=50, total_items=90
    )

    found = batch.batch_analyzer_success(outcome).result["batch_processing_outcome"]

    assert found["worker_template_name"] == "batch_worker"
    assert found["total_items"] == 90
    assert found["cursor_configs"] == [
        cursor("001", "a", "m", 50, step_size=50),
        cursor("002", {"id": 5}, None, 50, step_size=50),
    ]


def test_an_outcome_may_be_given_in_parts(batch):
    cursors = [
        batch.create_cursor_config(0, 4, metadata={"shard": 1}),
        CursorConfig(start_cursor=4, end_cursor=6),
    ]

    found = batch.batch_analyzer_success(cursor_configs=cursors).result

    assert found["total_items"] == 6
    assert found["batch_processing_outcome"]["cursor_configs"][0]["metadata"] == {"shard": 1}
    assert "batch_metadata" not in found


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"outcome": BatchAnalyzerOutcome()}, "empty_dataset"),
        ({"outcome": BatchAnalyzerOutcome(batch_metadata={"reason": "old"})}, "old"),
        ({"cursor_configs": []}, "empty_dataset"),
        ({}, "no_cursor_configs_provided"),
    ],
)
def test_no_cursors_are_no_batches(batch, given, reason):
    found = batch.batch_analyzer_success(**given)

    assert found.is_success
    assert found.result["batch_processing_outcome"] == {"type": "no_batches"}
    assert found.result["reason"] == reason
    assert found.metadata["no_batches"] is True


def test_details_of_no_batches_stand_beside_the_reason(batch):
    found = batch.no_batches_outcome("nothing new", {"since": "monday"})

    assert found.result == {
        "batch_processing_outcome": {"type": "no_batches"},
        "reason": "nothing new",
        "since": "monday",
    }


# --- worker

INPUTS = {
    "cursor": cursor("007", 10, 20, 10),
    "batch_metadata": {
        "cursor_field": "id",
        "failure_strategy": "fail_fast",
        "batch_index": 3,
        "total_batches": 5,
    },
    "is_no_op": False,
}


def test_a_worker_reads_its_batch(batch):
    found = batch.get_batch_context(StepContext(step_inputs=INPUTS, checkpoint={"cursor": 15}))

    assert (found.batch_id, found.start_cursor, found.end_cursor) == ("007", 10, 20)
    assert (found.batch_index, found.total_batches, found.step_size) == (3, 5, 10)
    assert found.has_checkpoint()
    assert found.checkpoint_cursor == 15
    assert batch.get_batch_context(StepContext()) is None


@pytest.mark.parametrize(
    "inputs",
    [
        {"cursor": {}},
        {"cursor": {"batch_id": None, "batch_size": "many"}, "batch_metadata": "none"},
        {"cursor": {"step_size": True}, "batch_metadata": {"batch_index": "first"}},
    ],
)
def test_strange_inputs_give_defaults(inputs):
    found = BatchWorkerContext.from_step_context(StepContext(step_inputs=inputs))

    assert found is not None
    assert (found.batch_id, found.step_size) == ("", 1)
    assert (found.batch_index, found.total_batches) == (0, 1)


def test_a_batch_by_hand(batch):
    one = batch.create_batch_context(CursorConfig(start_cursor=0, end_cursor=5), 1, 2, {"a": 1})
    other = batch.create_batch_context(CursorConfig(start_cursor=0, end_cursor=5), 1, 2)

    assert (one.end_cursor, one.batch_index, one.total_batches) == (5, 1, 2)
    assert one.batch_metadata == {"a": 1}
    assert one.batch_id != other.batch_id


def test_typed_inputs(batch):
    found = batch.get_batch_worker_inputs(StepContext(step_inputs=INPUTS))

    assert found.cursor == RustCursorConfig(
        batch_id="007", start_cursor=10, end_cursor=20, batch_size=10
    )
    assert found.batch_metadata.failure_strategy is FailureStrategy.FAIL_FAST
    assert found.is_no_op is False


@pytest.mark.parametrize("inputs", [{}, {"cursor": 1}, {**INPUTS, "batch_metadata": {}}])
def test_inputs_that_do_not_fit_are_none(batch, inputs):
    assert batch.get_batch_worker_inputs(StepContext(step_inputs=inputs)) is None


def test_a_placeholder_does_nothing(batch):
    found = batch.handle_no_op_worker(StepContext(step_inputs={**INPUTS, "is_no_op": True}))

    assert found.result.pop("processed_at")
    assert found.result.pop("message")
    assert found.result == {"batch_id": "007", "no_op": True, "processed_count": 0}
    assert batch.handle_no_op_worker(StepContext(step_inputs=INPUTS)) is None
    assert batch.handle_no_op_worker(StepContext()) is None


@pytest.mark.parametrize(("given", "succeeded"), [(None, 7), (0, 0), (5, 5)])
def test_what_was_processed_has_succeeded_unless_told_otherwise(batch, given, succeeded):
    assert batch.create_worker_outcome(7, given).items_succeeded == succeeded
    found = batch.batch_worker_success(items_processed=7, items_succeeded=given)
    assert found.result["items_succeeded"] == succeeded


def test_a_workers_success(batch):
    outcome = batch.create_worker_outcome(3, 2, 1, last_cursor=9, errors=[{"id": 4}])

    found = batch.batch_worker_success(outcome, {"own": 1})

    assert found.result == {
        "items_processed": 3,
        "items_succeeded": 2,
        "items_failed": 1,
        "items_skipped": 0,
        "last_cursor": 9,
        "batch_metadata": {},
        "errors": [{"id": 4}],
    }
    assert found.metadata == {"own": 1, "batch_worker": "shop.batches"}


def test_a_worker_that_says_nothing_has_failed(batch):
    found = batch.batch_worker_success()

    assert (found.is_success, found.error_type, found.retryable) == (False, "invalid_args", False)


@pytest.mark.parametrize(
    ("message", "said"), [(None, "1 of 3 items failed."), ("Half of it", "Half of it")]
)
def test_a_partial_failure_is_a_success_that_says_so(batch, message, said):
    found = batch.batch_worker_partial_failure(
        BatchWorkerOutcome(items_processed=3, items_failed=1), message
    )

    assert found.is_success
    assert found.result["partial_failure"] is True
    assert found.result["partial_failure_message"] == said
    assert found.metadata["had_failures"] is True


def test_a_checkpoint_is_yielded(batch):
    found = batch.checkpoint_yield(5, 5, {"sum": 15})

    assert found.metadata == {"checkpoint_yield": True}
    assert found.result["accumulated_results"] == {"sum": 15}


# --- aggregator


def executed(result):
    return {"success": True, "result": result}


CREATED = executed({"batch_processing_outcome": {"type": "create_batches"}})
NOTHING = executed({"batch_processing_outcome": {"type": "no_batches"}, "reason": "x"})


def test_there_were_batches(batch):
    results = {
        "analyse": CREATED,
        "work_001": executed({"items_processed": 2}),
        "work_002": executed({"items_processed": 3}),
        "other": executed({}),
    }

    found = batch.detect_aggregation_scenario(results, "analyse", "work_")

    assert not found.is_no_batches
    assert not found.no_batches()
    assert found.worker_count == 2
    assert found.batch_results == {
        "work_001": {"items_processed": 2},
        "work_002": {"items_processed": 3},
    }
    assert batch.aggregate_batch_worker_results(found).result == {
        "batch_results": found.batch_results,
        "worker_count": 2,
        "scenario": "with_batches",
    }
    added = batch.aggregate_batch_worker_results(
        found, aggregation_fn=lambda each: {"n": len(each)}
    )
    assert added.result == {"n": 2, "worker_count": 2, "scenario": "with_batches"}


def test_there_were_none(batch):
    found = BatchAggregationScenario.detect(
        {"analyse": NOTHING, "work_000": executed({})}, "analyse", "work_"
    )

    assert found.no_batches()
    assert found.worker_count == 0
    assert batch.aggregate_batch_worker_results(found, {"total": 0}).result == {
        "worker_count": 0,
        "scenario": "no_batches",
        "total": 0,
    }


@pytest.mark.parametrize(
    ("results", "message"),
    [({}, "no result of the batchable step"), ({"analyse": CREATED}, "no step's name begins")],
)
def test_what_is_no_batch_at_all_is_refused(results, message):
    with pytest.raises(ValueError, match=message):
        BatchAggregationScenario.detect(results, "analyse", "work_")


def test_results_of_workers_are_added_up(batch):
    results = [
        {"items_processed": 4, "items_succeeded": 3, "items_failed": 1, "errors": ["e"] * 150},
        None,
        {"items_processed": 4, "items_succeeded": 3, "items_skipped": 1, "errors": None},
    ]

    found = batch.aggregate_worker_results(results)

    assert found == aggregate_batch_results(results).model_dump()
    assert len(found.pop("errors")) == 100
    assert found == {
        "total_processed": 8,
        "total_succeeded": 6,
        "total_failed": 1,
        "total_skipped": 1,
        "batch_count": 3,
        "success_rate": 0.75,
        "error_count": 150,
    }
    assert aggregate_batch_results([]).success_rate == 0.0
    assert len(aggregate_batch_results(results, max_errors=5).errors) == 5


# --- functions and types


def test_outcomes_by_function():
    assert no_batches().model_dump() == {"type": "no_batches"}
    made = create_batches("work", 1, [cursor("001", 0, 5, 5)], 5)
    assert made.model_dump() == {
        "type": "create_batches",
        "worker_template_name": "work",
        "worker_count": 1,
        "cursor_configs": [cursor("001", 0, 5, 5)],
        "total_items": 5,
    }
    assert create_batches("work", 1, [cursor(7, 0, 5, 5)], 5).cursor_configs[0].batch_id == "7"
    with pytest.raises(ValueError, match="worker_count is 2"):
        create_batches("work", 2, [cursor("001", 0, 5, 5)], 5)
    with pytest.raises(ValidationError):
        create_batches("work", 1, [{"batch_id": "001"}], 5)


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("continue_on_failure", FailureStrategy.CONTINUE_ON_FAILURE),
        ("ContinueOnFailure", FailureStrategy.CONTINUE_ON_FAILURE),
        ("FailFast", FailureStrategy.FAIL_FAST),
        ("ISOLATE", FailureStrategy.ISOLATE),
    ],
)
def test_failure_strategies_are_read_in_both_spellings(text, strategy):
    assert FailureStrategy(text) is strategy


def test_an_unknown_failure_strategy_is_refused():
    with pytest.raises(ValueError, match="hope"):
        FailureStrategy("hope")
