"""What a handler may ask about its step: `StepContext`, and the raw event in the published shape.

Nothing here needs Django or the database.
"""

from workers.context.ancestors import Ancestors
from workers.context.progress import Progress
from workers.context.raw_event import (
    DependencyResultsWrapper,
    FfiStepEvent,
    HandlerWrapper,
    StepDefinitionWrapper,
    TaskSequenceStepWrapper,
    TaskWrapper,
    WorkflowStepWrapper,
)
from workers.context.step_context import StepContext, unwrap_result

__all__ = [
    "Ancestors",
    "DependencyResultsWrapper",
    "FfiStepEvent",
    "HandlerWrapper",
    "Progress",
    "StepContext",
    "StepDefinitionWrapper",
    "TaskSequenceStepWrapper",
    "TaskWrapper",
    "WorkflowStepWrapper",
    "unwrap_result",
]
