"""The public door to the tables of orchestration: `from orchestration.models import Task`."""

from orchestration.models.annotation import (
    AnnotationType,
    DependentSystemObjectMap,
    TaskAnnotation,
)
from orchestration.models.api_key import Access, ApiKey, KeyState
from orchestration.models.audit import StepResultAudit
from orchestration.models.dlq import DlqEntry, DlqReason, DlqResolution
from orchestration.models.operator_record import OperatorRecord
from orchestration.models.process import ProcessKind, ProcessStatus, TaskerProcess
from orchestration.models.step import WorkflowStep, WorkflowStepEdge
from orchestration.models.task import Task
from orchestration.models.transition import StepTransition, TaskTransition

__all__ = [
    "Access",
    "AnnotationType",
    "ApiKey",
    "DependentSystemObjectMap",
    "DlqEntry",
    "DlqReason",
    "DlqResolution",
    "KeyState",
    "OperatorRecord",
    "ProcessKind",
    "ProcessStatus",
    "StepResultAudit",
    "StepTransition",
    "Task",
    "TaskAnnotation",
    "TaskTransition",
    "TaskerProcess",
    "WorkflowStep",
    "WorkflowStepEdge",
]
