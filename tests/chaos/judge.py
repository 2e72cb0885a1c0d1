"""What became of every task, compared with what the plan says had to.

stuck     not at rest although everything else is, or a message that nobody takes away
lost      promised to the caller, and not there
wrong     ended otherwise than planned, in any respect
doubled   a business row or an accepted result that happened twice
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from orchestration.queries.invariants import Violation
from tests.chaos.evidence import Evidence, HopRow, StepRow, TaskRow
from tests.chaos.plan import Plan, TaskPlan
from tests.chaos.tampering import Tampering
from tests.chaos.workflows import Expected, StepPlan

REST = frozenset({"complete", "blocked_by_failures", "error", "cancelled", "resolved_manually"})
REPORTED = ("enqueued_for_orchestration", "enqueued_as_error_for_orchestration")
Witnessed = tuple[str, Violation]
"""When it was seen, and what."""
KINDS = ("stuck", "lost", "wrong", "invariant_violations", "doubled_effects")


class Finding(NamedTuple):
    """Something that must not be; the task is None when it is about none."""

    kind: str
    task_uuid: UUID | None
    text: str


def judge(
    plan: Plan,
    evidence: Evidence,
    *,
    promised: Sequence[TaskPlan],
    tampering: Tampering,
    violations: Iterable[Witnessed],
) -> list[Finding]:
    """Return everything that is not as it has to be; nothing may be under way any more."""
    return [
        *_judge_promises(plan, evidence, promised),
        *_judge_tasks(plan, evidence),
        *_judge_messages(evidence, tampering),
        *_judge_results(evidence),
        *_judge_invariants(evidence, violations),
    ]


def _judge_promises(
    plan: Plan, evidence: Evidence, promised: Sequence[TaskPlan]
) -> Iterator[Finding]:
    by_key = {task.key: task for task in evidence.tasks}
    for task in promised:
        key = task.key(plan.seed)
        if key not in by_key:
            yield Finding("lost", None, f"{key} ({task.road}) was promised and does not exist")
        orders = int(task.road == "client")
        if evidence.orders[key] != orders:
            yield Finding("wrong", None, f"{key} has {evidence.orders[key]} orders, not {orders}")


def _judge_tasks(plan: Plan, evidence: Evidence) -> Iterator[Finding]:
    planned = {task.key(plan.seed): task for task in plan.tasks}
    for task in evidence.tasks:
        own = planned.get(task.key or "")
        if own is None:
            yield Finding("wrong", task.task_uuid, f"nobody asked for this task ({task.key})")
        elif own.is_rolled_back:
            yield Finding("wrong", task.task_uuid, f"{task.key} exists, its transaction did not")
        elif task.state not in REST:
            yield Finding("stuck", task.task_uuid, f"{task.template} is still {task.state}")
        else:
            yield from _judge_task(evidence, task, own)


def _judge_task(evidence: Evidence, task: TaskRow, plan: TaskPlan) -> Iterator[Finding]:
    workflow = plan.workflow
    found = {step.name: step for step in evidence.steps[task.task_uuid]}
    complaints = []
    if task.state != workflow.end_state:
        complaints.append(f"the task is {task.state}, planned {workflow.end_state}")
    if set(found) != set(workflow.expected):
        complaints.append(f"its steps are {sorted(found)}")
    for step in workflow.steps:
        if step.name in found:
            expected = workflow.expected[step.name]
            complaints += _judge_step(evidence, found[step.name], step, expected)
            yield from _judge_effects(evidence, found[step.name], step)
    if complaints:
        yield Finding("wrong", task.task_uuid, f"{workflow.name}: {'; '.join(complaints)}")


def _judge_step(
    evidence: Evidence, step: StepRow, plan: StepPlan, expected: Expected
) -> Iterator[str]:
    """Yield what is wrong with a step: state, value, number of attempts, who reported."""
    hops = evidence.hops[step.step_uuid]
    if step.state != expected.state:
        yield f"{step.name} ({plan.kind}) is {step.state}, planned {expected.state}"
    if expected.value is not None and step.value != expected.value:
        yield f"{step.name} gave {step.value}, planned {expected.value}"
    if step.attempts != (counted := _count_attempts(hops)):
        yield f"{step.name} has {step.attempts} attempts, its history {counted}"
    if (
        plan.kind == "exhausted"
        and expected.state == "error"
        and step.attempts != plan.max_attempts
    ):
        yield f"{step.name} was given up after {step.attempts} attempts"
    if step.state == "complete" and plan.stumbles and step.attempts <= plan.times:
        yield f"{step.name} succeeded in attempt {step.attempts}, planned after {plan.times}"
    if step.state == "complete" and (holder := _holder(evidence, hops)) != step.reporter:
        yield f"{step.name} was held by {holder}, and {step.reporter}'s result was accepted"


def _count_attempts(hops: Iterable[HopRow]) -> int:
    """Return the attempts that came to an end: reported, or lost with their worker."""
    return sum(hop.to_state in REPORTED or hop.event == "worker_lost" for hop in hops)


def _holder(evidence: Evidence, hops: Sequence[HopRow]) -> str | None:
    """Return the name of the worker whose claim was the last."""
    claims = [hop.worker_uuid for hop in hops if hop.to_state == "in_progress"]
    holder = evidence.by_uuid.get(claims[-1]) if claims and claims[-1] else None
    return holder.name if holder else None


def _judge_effects(evidence: Evidence, step: StepRow, plan: StepPlan) -> Iterator[Finding]:
    if not plan.is_atomic:
        return
    rows, due = evidence.effects[step.task_uuid, step.name], int(step.state == "complete")
    if rows != due:
        kind = "doubled_effects" if rows > due else "wrong"
        text = f"{step.name} ({plan.kind}) is {step.state} and wrote {rows} business rows"
        yield Finding(kind, step.task_uuid, text)


def _judge_messages(evidence: Evidence, tampering: Tampering) -> Iterator[Finding]:
    for queue, depth in evidence.left.items():
        if depth:
            yield Finding("stuck", None, f"{depth} messages are left in {queue}")
    for queue, msg_id in sorted(tampering.malformed - tampering.purged - evidence.buried):
        yield Finding("wrong", None, f"malformed message {msg_id} of {queue} has no DLQ entry")


def _judge_results(evidence: Evidence) -> Iterator[Finding]:
    """Yield steps with more than one accepted success, and results without a move."""
    for steps in evidence.steps.values():
        for step in steps:
            hops = evidence.hops[step.step_uuid]
            reached = Counter(hop.to_state for hop in hops)
            successes = evidence.accepted[step.step_uuid, True]
            if max(successes, reached["complete"]) > 1:
                text = f"{step.name}: {successes} successes, {reached['complete']} completions"
                yield Finding("doubled_effects", step.task_uuid, text)
            audited = successes + evidence.accepted[step.step_uuid, False]
            if audited != (moved := sum(reached[state] for state in REPORTED)):
                text = f"{step.name}: {audited} audit rows, {moved} reports in its history"
                yield Finding("wrong", step.task_uuid, text)


def _judge_invariants(evidence: Evidence, violations: Iterable[Witnessed]) -> Iterator[Finding]:
    tasks = {step.step_uuid: task for task, steps in evidence.steps.items() for step in steps}
    for when, each in violations:
        task = tasks.get(each.object_uuid, each.object_uuid)
        yield Finding("invariant_violations", task, f"{each.invariant} {when}: {each.detail}")
