"""What runs a step: handlers, their registry, the executor and the worker process.

Everything a handler's author needs can be imported from here. Names are kept as text and imported
on first use: `import workers` needs neither Django nor a database, and crosses no floor.
"""

from importlib import import_module
from typing import Any

# public name → module, or module:name where it is called differently there
_EXPORTS = {
    name: module
    for module, names in {
        "workers.context": "StepContext FfiStepEvent TaskSequenceStepWrapper TaskWrapper "
        "WorkflowStepWrapper DependencyResultsWrapper StepDefinitionWrapper HandlerWrapper",
        "workers.errors": "RetryableError PermanentError StepTimeoutError NetworkError "
        "RateLimitError ServiceUnavailableError ResourceContentionError StepValidationError "
        "NotFoundError AuthenticationError AuthorizationError ConfigurationError "
        "BusinessLogicError StepExecutionError ErrorClassifier get_classifier is_retryable "
        "is_permanent",
        "workers.errors.runtime": "TaskerError FFIError WorkerNotInitializedError "
        "WorkerBootstrapError WorkerAlreadyRunningError ConversionError",
        "workers.results": "StepHandlerResult ErrorType StepExecutionResult StepError "
        "ResultStatus StepHandlerCallResult",
        "workers.handlers.base": "StepHandler",
        "workers.handlers.functional": "step_handler decision_handler batch_analyzer "
        "batch_worker depends_on inputs FunctionalHandler HandlerDecorator",
        "workers.handlers.decision": "Decision DecisionHandler DecisionMixin "
        "DecisionPointOutcome DecisionType",
        "workers.handlers.batch": "BatchAggregationResult BatchAggregationScenario "
        "BatchAnalyzerOutcome BatchConfig BatchMetadata BatchProcessingOutcome BatchWorkerConfig "
        "BatchWorkerContext BatchWorkerOutcome Batchable CreateBatchesOutcome "
        "CursorConfig FailureStrategy NoBatchesOutcome RustBatchWorkerInputs "
        "RustCursorConfig aggregate_batch_results create_batches no_batches",
        "workers.handlers.checkpoint": "Checkpoint",
        "workers.handlers.api": "APIMixin ApiHandler ApiResponse api_handler",
        "workers.domain_events": "BasePublisher BaseSubscriber DefaultPublisher "
        "DomainEventMetadata EventDeclaration ExecutionResult InProcessDomainEvent "
        "InProcessDomainEventPoller PublishContext PublisherRegistry StepEventContext StepResult "
        "SubscriberRegistry",
        "workers.registry": "HandlerRegistry HandlerDefinition ResolverChain BaseResolver "
        "RegistryResolver ExplicitMappingResolver ClassLookupResolver DottedPathResolver "
        "MethodDispatchWrapper ResolutionError ResolverNotFoundError",
    }.items()
    for name in names.split()
}
_MODULES = {"signals"}

__all__ = sorted([*_EXPORTS, *_MODULES])


def __getattr__(name: str) -> Any:
    """Import an exported name on its first use."""
    if name in _MODULES:
        return import_module(f"workers.{name}")
    if name not in _EXPORTS:
        raise AttributeError(f"module 'workers' has no attribute '{name}'")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the exported names too."""
    return sorted({*globals(), *__all__})
