"""The published modules, their names, and where ours are; text only, nothing is imported.

Of each module the table says from which of ours its names come; `theirs=ours` where the two are
called differently. What the published package has under the same name in several places is one
group of names here.
"""

from collections.abc import Iterator

WORKER = "bootstrap_worker stop_worker get_worker_status transition_to_graceful_shutdown "
WORKER += "is_worker_running"
OBSERVED = "get_health_check get_metrics get_worker_config"
LOGS = "log_error log_warn log_info log_debug log_trace"
DISCOVERY = "TemplatePath TemplateParser HandlerDiscovery"
VERSIONS = "__version__ get_version get_rust_version health_check"
INERT = "poll_step_events complete_step_event get_ffi_dispatch_metrics check_starvation_warnings "
INERT += "cleanup_timeouts poll_in_process_events"

PLAIN_ERRORS = "TaskerError WorkerNotInitializedError WorkerBootstrapError "
PLAIN_ERRORS += "WorkerAlreadyRunningError FFIError ConversionError"
SHARED_ERRORS = "RetryableError PermanentError NetworkError RateLimitError ServiceUnavailableError "
SHARED_ERRORS += "ResourceContentionError NotFoundError AuthenticationError AuthorizationError "
SHARED_ERRORS += "ConfigurationError BusinessLogicError"
CLASSIFIER = "ErrorClassifier get_classifier is_retryable is_permanent"

HANDLERS = "StepHandler ApiHandler ApiResponse DecisionHandler"
FUNCTIONAL = "api_handler step_handler depends_on inputs decision_handler batch_analyzer "
FUNCTIONAL += "batch_worker Decision BatchConfig FunctionalHandler HandlerDecorator"
BATCHES = "Batchable BatchAggregationScenario BatchWorkerConfig"
BASES = "BaseResolver RegistryResolver"
CHAIN = "ResolverChain ResolverNotFoundError ResolutionError"
RESOLVERS = "ExplicitMappingResolver ClassLookupResolver"
WRAPPERS = "TaskSequenceStepWrapper TaskWrapper WorkflowStepWrapper DependencyResultsWrapper "
WRAPPERS += "StepDefinitionWrapper HandlerWrapper"
EVENTS = "EventDeclaration StepResult PublishContext StepEventContext BasePublisher "
EVENTS += "BaseSubscriber InProcessDomainEventPoller"

RESULTS = "StepHandlerCallResult StepExecutionResult StepHandlerResult StepError ResultStatus "
RESULTS += "ErrorType"
RUNNING = "WorkerState BootstrapConfig BootstrapResult WorkerStatus LogContext FfiDispatchMetrics "
RUNNING += "StarvationWarning ComponentHealth HealthCheck WorkerMetrics WorkerConfig"
STEP = "FfiStepEvent StepContext"
OUTCOMES = "DecisionType DecisionPointOutcome CursorConfig BatchAnalyzerOutcome "
OUTCOMES += "BatchWorkerContext BatchWorkerOutcome"
IN_PROCESS = "DomainEventMetadata ExecutionResult InProcessDomainEvent"
TYPED_BATCHES = "FailureStrategy RustCursorConfig BatchMetadata RustBatchWorkerInputs "
TYPED_BATCHES += "NoBatchesOutcome CreateBatchesOutcome BatchProcessingOutcome no_batches "
TYPED_BATCHES += "create_batches BatchAggregationResult aggregate_batch_results"
ANSWERS = "TaskResponse TaskListResponse StepResponse StepAuditResponse HealthResponse "
ANSWERS += "PaginationInfo"
CLIENT_ANSWERS = " ".join(f"Client{name}" for name in ANSWERS.split())
NATIVE_CLIENT = "client_health_check client_create_task client_get_task client_list_tasks "
NATIVE_CLIENT += "client_cancel_task client_list_task_steps client_get_step "
NATIVE_CLIENT += "client_get_step_audit_history"
EXAMPLES = "CheckpointYieldAnalyzerHandler CheckpointYieldWorkerHandler "
EXAMPLES += "CheckpointYieldAggregatorHandler"

# what `workers` exports under the same name
TOP = f"""{VERSIONS} version {WORKER} Worker {LOGS} {OBSERVED} {INERT} {DISCOVERY}
    {PLAIN_ERRORS} {SHARED_ERRORS} StepTimeoutError StepValidationError {CLASSIFIER}
    StepExecutionSubscriber StepExecutionError EventPoller EventBridge EventNames
    HandlerRegistry {HANDLERS} HandlerDefinition MethodDispatchWrapper {BASES} {CHAIN} {RESOLVERS}
    {BATCHES} {WRAPPERS} {EVENTS} {RUNNING} {RESULTS} {STEP} {OUTCOMES} {IN_PROCESS}
    TaskerClient {CLIENT_ANSWERS}"""

# module below tasker_core -> {module of ours: names}
_TABLE: dict[str, dict[str, str]] = {
    "": {"workers": TOP},
    "types": {
        "workers": f"{RUNNING} {RESULTS} {STEP} {OUTCOMES} {IN_PROCESS} {TYPED_BATCHES}",
        "workers.published.client_models": f"{CLIENT_ANSWERS} ClientStepReadiness",
    },
    "errors": {
        "workers": SHARED_ERRORS,
        "workers.errors": "TaskerError TimeoutError ValidationError FFIError",
    },
    "errors.error_classifier": {"workers": CLASSIFIER},
    "exceptions": {"workers": PLAIN_ERRORS},
    "step_handler": {"workers": f"{HANDLERS} {FUNCTIONAL}"},
    "step_handler.functional": {"workers": FUNCTIONAL},
    "step_handler.base": {
        "workers": "StepHandler",
        "workers.handlers.base": "StepHandlerCallResult",  # a type alias; not the model of `types`
    },
    "step_handler.api": {"workers": "ApiHandler ApiResponse"},
    "step_handler.decision": {"workers": "DecisionHandler"},
    "step_handler.mixins": {"workers": "APIMixin ApiResponse DecisionMixin"},
    "step_handler.mixins.api": {"workers": "APIMixin ApiResponse"},
    "step_handler.mixins.decision": {"workers": "DecisionMixin"},
    "batch_processing": {"workers": BATCHES},
    "batch_processing.batchable": {"workers": BATCHES},
    "handler": {"workers": "StepHandler HandlerRegistry"},
    "registry": {"workers": f"HandlerDefinition MethodDispatchWrapper {BASES} {CHAIN} {RESOLVERS}"},
    "registry.base_resolver": {"workers": "BaseResolver"},
    "registry.handler_definition": {"workers": "HandlerDefinition"},
    "registry.method_dispatch_wrapper": {"workers": "MethodDispatchWrapper"},
    "registry.registry_resolver": {"workers": "RegistryResolver"},
    "registry.resolver_chain": {"workers": CHAIN},
    "registry.resolvers": {"workers": RESOLVERS},
    "registry.resolvers.class_lookup": {"workers": "ClassLookupResolver"},
    "registry.resolvers.explicit_mapping": {"workers": "ExplicitMappingResolver"},
    "models": {"workers": WRAPPERS},
    "domain_events": {"workers": f"{EVENTS} DefaultPublisher PublisherRegistry SubscriberRegistry"},
    "event_bridge": {"workers": "EventBridge EventNames"},
    "event_poller": {"workers": "EventPoller"},
    "step_execution_subscriber": {"workers": "StepExecutionSubscriber StepExecutionError"},
    "client": {"workers.published.client_answers": ANSWERS, "workers": "TaskerClient"},
    "worker": {"workers": "Worker"},
    "bootstrap": {"workers": WORKER},
    "observability": {"workers": OBSERVED},
    "logging": {"workers": LOGS},
    "template_discovery": {"workers": DISCOVERY},
    "_tasker_core": {
        "workers": f"{VERSIONS} {INERT} {LOGS}",
        "workers.published.native": f"{WORKER} {OBSERVED} checkpoint_yield_step_event "
        f"{NATIVE_CLIENT}",
    },
    "examples": {"workers.published.checkpoint_yield": EXAMPLES},
    "examples.checkpoint_yield": {"workers.published.checkpoint_yield": EXAMPLES},
    "examples.checkpoint_yield.handlers": {"workers.published.checkpoint_yield": EXAMPLES},
}


def published_modules() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each module's path below the package, parents first, and its names with their module.

    Examples: `("", {"StepHandler": "workers", …})`, `("step_handler.base", {…})`.
    """
    for path in sorted(_TABLE):
        sources = _TABLE[path]
        yield path, {name: source for source, names in sources.items() for name in names.split()}
