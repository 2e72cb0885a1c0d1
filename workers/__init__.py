"""What runs a step: handlers, their registry, the executor and the worker process.

Everything a handler's author needs can be imported from here, the names of the published package
included (the last group; `workers.compat` has them under their own module names too). Names are
kept as text and imported on first use: `import workers` needs neither Django nor a database, and
crosses no floor.
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
        "workers.published.bootstrap": "bootstrap_worker stop_worker get_worker_status "
        "transition_to_graceful_shutdown is_worker_running",
        "workers.published.client": "TaskerClient",
        "workers.published.client_answers": "ClientTaskResponse ClientTaskListResponse "
        "ClientStepResponse ClientStepAuditResponse ClientHealthResponse ClientPaginationInfo",
        "workers.published.event_bridge": "EventBridge EventNames",
        "workers.published.inert": "EventPoller StepExecutionSubscriber poll_step_events "
        "complete_step_event get_ffi_dispatch_metrics check_starvation_warnings cleanup_timeouts",
        "workers.published.event_polling": "poll_in_process_events",
        "workers.published.log": "log_error log_warn log_info log_debug log_trace",
        "workers.published.models": "WorkerState BootstrapConfig BootstrapResult WorkerStatus "
        "LogContext FfiDispatchMetrics StarvationWarning ComponentHealth HealthCheck "
        "WorkerMetrics WorkerConfig",
        "workers.published.observability": "get_health_check get_metrics get_worker_config",
        "workers.published.template_discovery": "TemplatePath TemplateParser HandlerDiscovery",
        "workers.published.version": "__version__ get_version get_rust_version health_check "
        "version",
        "workers.published.worker": "Worker",
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
