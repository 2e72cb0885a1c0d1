"""Batches: an analyser splits a data set, workers run one cursor each, a last step adds it all up.

Everything here builds results or reads inputs; instances are created by the engine (`engine.md`
chapter 10). `analyzer`, `worker` and `aggregation` are the three roles, `models` their shapes.
"""

from typing import Any

from workers.handlers.batch.aggregation import (
    AggregatorMixin,
    BatchAggregationResult,
    BatchAggregationScenario,
    aggregate_batch_results,
)
from workers.handlers.batch.analyzer import AnalyzerMixin
from workers.handlers.batch.models import (
    BatchAnalyzerOutcome,
    BatchConfig,
    BatchMetadata,
    BatchProcessingOutcome,
    BatchWorkerConfig,
    BatchWorkerOutcome,
    CreateBatchesOutcome,
    CursorConfig,
    FailureStrategy,
    NoBatchesOutcome,
    RustBatchWorkerInputs,
    RustCursorConfig,
    create_batches,
    no_batches,
)
from workers.handlers.batch.worker import WorkerMixin
from workers.handlers.batch.worker_context import BatchWorkerContext


class Batchable(AnalyzerMixin, WorkerMixin, AggregatorMixin):
    """Helpers of a class in any of the three roles; works on either side of `StepHandler`."""

    @property
    def name(self) -> Any:
        """The handler's registered name; the class name where there is no handler."""
        return getattr(self, "handler_name", "") or type(self).__name__


__all__ = [
    "BatchAggregationResult",
    "BatchAggregationScenario",
    "BatchAnalyzerOutcome",
    "BatchConfig",
    "BatchMetadata",
    "BatchProcessingOutcome",
    "BatchWorkerConfig",
    "BatchWorkerContext",
    "BatchWorkerOutcome",
    "Batchable",
    "CreateBatchesOutcome",
    "CursorConfig",
    "FailureStrategy",
    "NoBatchesOutcome",
    "RustBatchWorkerInputs",
    "RustCursorConfig",
    "aggregate_batch_results",
    "create_batches",
    "no_batches",
]
