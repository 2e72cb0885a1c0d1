"""The differences between the published package and ours that are meant.

Key: where; value: what differs. A difference that is not here fails the test, and so does an entry
that is no difference any more. Numbers are rows of the table in handlers.md 12.
"""

BATCHABLE = "tasker_core.batch_processing.batchable.Batchable"
CONTEXT = "tasker_core.types.StepContext"
STEP = "tasker_core.models.WorkflowStepWrapper"

# row 7: the published 0 of succeeded items becomes "all of them"; here 0 stays 0
INTENDED = {f"{BATCHABLE}.create_worker_outcome(items_succeeded)": "is by default None, not 0"}

# handlers.md 3.9: what a context and its raw event say here beyond the published fields
ADDITIONS = {
    f"{owner}.{name}": "is an additional field"
    for owner, names in {
        CONTEXT: "checkpoint step_name template_step_name namespace task_name task_version "
        "timeout_seconds",
        STEP: "checkpoint template_step_name",
    }.items()
    for name in names.split()
}
