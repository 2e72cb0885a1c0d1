"""Bugs to plant into the running engine, one at a time: what the machine must find.

A bug is a piece of text of a Python function or of an SQL function, replaced by another; the
function is put back afterwards.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from orchestration import sql
from orchestration.lifecycle import (
    backoff,
    due_work,
    operator_actions,
    result_processor,
    task_finalizer,
    task_initializer,
)
from tests.properties import engine


class Bug(NamedTuple):
    """Replace `right` by `wrong` in a function of a module, or in an SQL function by its name."""

    name: str
    module: Any
    function: str
    right: str
    wrong: str


IN_SQL = None
STATE_FENCE = "        AND x.state_version = c.state_version\n"
BUGS = (
    Bug("claims are not fenced", IN_SQL, "tasker_lock_claims", STATE_FENCE, ""),
    Bug(
        "a checkpoint is not fenced",
        IN_SQL,
        "tasker_save_checkpoint",
        "    AND s.state_version = p_version",
        "",
    ),
    Bug(
        "one attempt too many",
        result_processor,
        "decide",
        "row.attempts < row.max_attempts",
        "row.attempts <= row.max_attempts",
    ),
    Bug(
        "the template's retryable: false is forgotten",
        result_processor,
        "decide",
        "row.wants_retry and row.retryable and",
        "row.wants_retry and",
    ),
    Bug(
        "the handler's word that it is permanent is forgotten",
        result_processor,
        "decide",
        "row.wants_retry and row.retryable and",
        "row.retryable and",
    ),
    Bug(
        "an operator's action is not evaluated",
        operator_actions,
        "_evaluated",
        "answers = evaluate([Question(task.task_uuid, task.state, Cause.OPERATOR)])",
        "return _Done(task, task.state)",
    ),
    Bug(
        "only the first task of a batch is evaluated",
        result_processor,
        "_process",
        "evaluate(_questions(settled))",
        "evaluate(_questions(settled)[:1])",
    ),
    Bug(
        "a failure among successes decides the cause",
        result_processor,
        "_questions",
        "succeeded[row.task_uuid] |= settlement",
        "succeeded[row.task_uuid] = settlement",
    ),
    Bug(
        "a task whose last worker died is not evaluated",
        due_work,
        "look_for_lost_claims",
        "if failed else []",
        "if not failed else []",
    ),
    Bug(
        "the reaper allows one attempt too many",
        IN_SQL,
        "tasker_reap_leases",
        "s.retryable AND s.attempts < s.max_attempts AS again",
        "s.retryable AND s.attempts <= s.max_attempts AS again",
    ),
    Bug(
        "a requeued step's message stays hidden",
        IN_SQL,
        "tasker_reap_leases",
        "  PERFORM tasker_show_messages_again(v_requeued);\n",
        "",
    ),
    Bug(
        "a lease ends too early",
        IN_SQL,
        "tasker_reap_leases",
        "        s.lease_until < v_now\n        OR",
        "        s.lease_until < v_now + interval '1 day'\n        OR",
    ),
    Bug(
        "a graceful release costs an attempt",
        IN_SQL,
        "tasker_release_steps",
        ", attempts = s.attempts - 1",
        "",
    ),
    Bug(
        "an old result message is taken for a new one",
        IN_SQL,
        "tasker_take_results",
        "AND coalesce(m.state_version, s.state_version) = s.state_version",
        "",
    ),
    Bug(
        "a result message that came twice counts twice",
        IN_SQL,
        "tasker_take_results",
        "          AND row_number() OVER (PARTITION BY m.step_uuid ORDER BY m.msg_id) = 1\n",
        "",
    ),
    Bug(
        "a resolved parent does not satisfy its children",
        IN_SQL,
        "tasker_enqueue_ready_steps",
        "NOT IN ('complete', 'resolved_manually')",
        "NOT IN ('complete')",
    ),
    Bug(
        "a cancelled parent satisfies its children",
        IN_SQL,
        "get_task_execution_contexts_batch",
        ") NOT IN ('complete', 'resolved_manually')",
        ") NOT IN ('complete', 'resolved_manually', 'cancelled')",
    ),
    Bug(
        "max_attempts 0 means never",
        IN_SQL,
        "tasker_enqueue_ready_steps",
        "(o.attempts = 0 OR (o.retryable",
        "((o.retryable",
    ),
    Bug(
        "one step more in flight than the limit says",
        IN_SQL,
        "tasker_enqueue_ready_steps",
        "greatest(p_limit - count(*), 0)",
        "greatest(p_limit - count(*) + 1, 0)",
    ),
    Bug(
        "the limit counts all tasks together",
        IN_SQL,
        "tasker_enqueue_ready_steps",
        "WHERE x.task_uuid = t.task_uuid\n            AND x.state || '' IN (\n",
        "WHERE x.state || '' IN (\n",
    ),
    Bug(
        "a due retry without room keeps the timer busy",
        IN_SQL,
        "tasker_enqueue_ready_steps",
        "IF p_limit IS NOT NULL THEN",
        "IF false THEN",
    ),
    Bug(
        "a task at its limit makes noise",
        task_finalizer,
        "_enqueue",
        "correlations.keys() - served",
        "()",
    ),
    Bug(
        "what waited for room in a large task is forgotten",
        IN_SQL,
        "tasker_enqueue_ready_steps",
        "              OR room.steps <= cardinality(p_done)\n",
        "",
    ),
    Bug(
        "a due retry of a large task is forgotten",
        IN_SQL,
        "tasker_enqueue_ready_steps",
        "              OR x.state || '' = 'waiting_for_retry'\n",
        "",
    ),
    Bug(
        "an operator leaves the message of a resolved step behind",
        operator_actions,
        "resolve_step",
        "        steps.delete_messages([step_uuid])\n",
        "",
    ),
    Bug(
        "cancelling spares failed steps",
        operator_actions,
        "cancel_task",
        "set(StepState) - TERMINAL_STEP_STATES",
        "set(StepState) - TERMINAL_STEP_STATES - {StepState.ERROR}",
    ),
    Bug(
        "a reset keeps the attempts",
        operator_actions,
        "reset_step",
        'step.record("attempts", ',
        "step.record(",
    ),
    Bug(
        "an action on a task in error does not revive it",
        operator_actions,
        "_revive",
        "if task.state == TaskState.ERROR",
        "if False",
    ),
    Bug(
        "discovery ignores that a namespace is closed",
        IN_SQL,
        "get_next_ready_tasks",
        "WHEN t.state = 'pending' THEN t.named_task_uuid <> ALL(closed_templates)",
        "WHEN t.state = 'pending' THEN true",
    ),
    Bug(
        "discovery goes by age alone",
        IN_SQL,
        "get_next_ready_tasks",
        "ORDER BY t.schedule_key DESC, t.created_at",
        "ORDER BY t.created_at",
    ),
    Bug(
        "delays grow from the second attempt on only",
        backoff,
        "_growth",
        "multiplier ** (attempt - 1)",
        "multiplier ** max(attempt - 2, 0)",
    ),
    Bug(
        "a requested delay is ignored",
        backoff,
        "delay_seconds",
        "if requested is not None",
        "if False",
    ),
    Bug(
        "a repeated key gets the first task, whatever is asked",
        task_initializer,
        "_repeated",
        "or not draft.repeats(holder.request_hash)",
        "",
    ),
    Bug(
        "a backlogged namespace starts new tasks",
        IN_SQL,
        "tasker_create_tasks",
        "    AND v_room > (jsonb_array_length(p_tasks) - 1) * v_root_count;",
        "    AND true;",
    ),
    Bug(
        "the sweep forgets lost results",
        IN_SQL,
        "tasker_repair_messages",
        "IF v_reported IS NOT NULL THEN",
        "IF false THEN",
    ),
    Bug(
        "a claim takes a step by a message that is not its own",
        IN_SQL,
        "tasker_claim_messages",
        "        AND w.queue_msg_id = m.msg_id\n",
        "",
    ),
    Bug(
        "a report leaves its step's message on the queue",
        IN_SQL,
        "tasker_report_steps",
        "ARRAY(SELECT x.id FROM unnest(v_queues, v_msg_ids) AS x (q, id) WHERE x.q = v_queue)",
        "ARRAY[]::bigint[]",
    ),
    Bug(
        "a handler sees its parents only, not all ancestors",
        IN_SQL,
        "tasker_claim_steps",
        "WHERE x.to_step_uuid = a.ancestor_uuid",
        "WHERE false AND x.to_step_uuid = a.ancestor_uuid",
    ),
)


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """Let a bug be in the engine for a while."""
    if bug.module is IN_SQL:
        text = sql.read(f"functions/{bug.function}_v01.sql").replace(
            "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
        )
        assert bug.right in text, bug
        engine.run(text.replace(bug.right, bug.wrong))
        try:
            yield
        finally:
            engine.run(text)
    else:
        right = getattr(bug.module, bug.function)
        source = inspect.getsource(right)
        assert bug.right in source, bug
        exec(source.replace(bug.right, bug.wrong), vars(bug.module))  # noqa: S102
        try:
            yield
        finally:
            setattr(bug.module, bug.function, right)
