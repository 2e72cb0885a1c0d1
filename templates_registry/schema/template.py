"""The shape of a task template: what YAML, after old spellings are mapped, must look like.

Attributes are the keys of the YAML. Objects are frozen and shared between threads: nobody may
change a list or map inside them. Ranges and defaults stated here are also what the JSON Schema for
editors shows. A key that is absent and has a default in the settings stays None.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from templates_registry import dag
from templates_registry.schema import fields

StepType = Literal["standard", "decision", "deferred_convergence", "batchable", "batch_worker"]
Backoff = Literal["none", "linear", "exponential", "fibonacci"]
IdentityStrategy = Literal["always_unique", "strict", "caller_provided"]
Condition = Literal["success", "failure", "retryable_failure", "permanent_failure", "always"]
DeliveryMode = Literal["durable", "fast", "broadcast"]
FailureStrategy = Literal["continue_on_failure", "fail_fast", "isolate"]

MAX_BACKOFF_MS_WITHOUT_BLOCK = 30_000
# Types that never exist right after a task is created, and whose dependents wait for them.
LATER_TYPES = frozenset(["batch_worker", "deferred_convergence"])


class Part(BaseModel):
    """Base of every part of a template: no coercion, no changes, unknown keys dropped."""

    model_config = ConfigDict(strict=True, frozen=True, populate_by_name=True)


class RetryPolicy(Part):
    """When and how soon a failed step is tried again."""

    retryable: bool = Field(
        default=True, description="Whether a failed step may be tried again at all"
    )
    max_attempts: fields.Attempts = Field(
        default=3, description="Runs including the first; 0 and 1 both mean one run"
    )
    backoff: Backoff = Field(
        default="exponential", description="How the delay grows with each attempt"
    )
    backoff_base_ms: fields.Milliseconds = Field(
        default=1000, description="Delay the growth starts from"
    )
    max_backoff_ms: fields.Milliseconds | None = Field(
        default=None, description="Longest delay; absent: the setting max_backoff_seconds"
    )


class RetryOverride(Part):
    """The keys of a retry policy that an environment changes."""

    retryable: bool | None = None
    max_attempts: fields.Attempts | None = None
    backoff: Backoff | None = None
    backoff_base_ms: fields.Milliseconds | None = None
    max_backoff_ms: fields.Milliseconds | None = None


class HandlerSpec(Part):
    """Which code runs a step; orchestration never looks inside."""

    callable: fields.Callable = Field(description="Registered name or dotted path of the handler")
    method: fields.Method = Field(default="call", description="Method to invoke")
    resolver: str | None = Field(default=None, description="Use only the resolver of this name")
    initialization: dict[str, Any] = Field(
        default={}, description="Reaches the handler as step_config"
    )


class HandlerOverride(Part):
    """What an environment may change of a handler."""

    initialization: dict[str, Any] = {}


class EventCatalogueEntry(Part):
    """A domain event whose description and schema the steps' events inherit."""

    name: fields.EventName
    description: str = ""
    payload_schema: fields.JsonSchema = Field(default={}, alias="schema")


class EventDeclaration(Part):
    """A domain event that a step publishes."""

    name: fields.EventName
    description: str = Field(default="", description="Absent: that of the catalogue entry")
    payload_schema: fields.JsonSchema = Field(
        default={},
        alias="schema",
        description="Checks the payload; absent: that of the catalogue entry",
    )
    condition: Condition = "success"
    delivery_mode: DeliveryMode = "durable"
    publisher: fields.Publisher | None = Field(
        default=None, description="Absent: the default publisher"
    )


class BatchConfig(Part):
    """How a batch worker's items are cut; advice to the analyser."""

    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 1000
    parallelism: Annotated[int, Field(ge=1, le=1000)] = 10
    cursor_field: Annotated[str, Field(min_length=1, max_length=255)] = "id"
    worker_template: str | None = Field(default=None, description="Absent: the step itself")
    failure_strategy: FailureStrategy = "continue_on_failure"


def _without_repeats(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


class StepTemplate(Part):
    """One step of a template."""

    name: fields.StepName = Field(description="Unique in the template")
    description: str | None = None
    type: StepType = "standard"
    handler: HandlerSpec
    dependencies: Annotated[list[str], AfterValidator(_without_repeats)] = Field(
        default=[], description="Names of the steps that must be complete first"
    )
    retry: RetryPolicy = Field(
        default_factory=lambda: RetryPolicy(max_backoff_ms=MAX_BACKOFF_MS_WITHOUT_BLOCK)
    )
    timeout_seconds: fields.TimeoutSeconds | None = Field(
        default=None, description="Per dispatch; absent: the setting default_step_timeout_seconds"
    )
    publishes_events: list[EventDeclaration] = []
    batch_config: BatchConfig | None = Field(default=None, description="Only on a batch_worker")
    result_schema: fields.JsonSchema | None = None
    validate_result: bool | None = Field(
        default=None,
        description="Whether a result must match; absent: the setting validate_results",
    )
    system_dependency: fields.SystemName | None = Field(
        default=None, description="System the step talks to; shown, no effect"
    )


class StepOverride(Part):
    """What an environment changes of one step, or of ALL."""

    name: str = Field(description="Name of a step, or ALL")
    handler: HandlerOverride | None = None
    timeout_seconds: fields.TimeoutSeconds | None = None
    retry: RetryOverride | None = None


class EnvironmentOverrides(Part):
    """What is different in one environment; later entries win key by key."""

    steps: list[StepOverride] = []


class Metadata(Part):
    """Who wrote a template and where it is described; other keys are kept as they are."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    author: str | None = None
    tags: list[str] = []
    documentation_url: str | None = None
    created_at: fields.TimeText | None = None
    updated_at: fields.TimeText | None = None


class Lifecycle(Part):
    """When a task counts as stale, and what happens then."""

    max_duration_minutes: Annotated[int, Field(ge=1, le=43_200)] | None = None
    max_waiting_for_dependencies_minutes: fields.WaitingMinutes | None = None
    max_waiting_for_retry_minutes: fields.WaitingMinutes | None = None
    max_steps_in_process_minutes: fields.WaitingMinutes | None = None
    staleness_action: Literal["dlq", "error", "none"] = "dlq"
    auto_fail_on_timeout: bool | None = Field(
        default=None, description="Overrides staleness_action"
    )
    auto_dlq_on_timeout: bool | None = Field(default=None, description="Overrides staleness_action")


class SystemDependencies(Part):
    """Systems that the steps talk to; stored, shown, no effect."""

    primary: fields.SystemName = "default"
    secondary: list[fields.SystemName] = []


class TaskTemplate(Part):
    """A workflow: its identity, its steps, and what is different in which environment."""

    name: fields.Name
    namespace_name: fields.Namespace
    version: fields.Version = Field(description="Three-part SemVer recommended")
    description: str | None = None
    metadata: Metadata = Field(default_factory=Metadata)
    identity_strategy: IdentityStrategy = Field(
        default="always_unique", description="How a second request for the same work is recognised"
    )
    input_schema: fields.JsonSchema | None = Field(
        default=None, description="JSON Schema (Draft 2020-12) of a task's context"
    )
    validate_input: bool | None = Field(
        default=None,
        description="Refuse a context that does not match; absent: setting validate_inputs",
    )
    steps: list[StepTemplate] = Field(json_schema_extra={"minItems": 1})
    lifecycle: Lifecycle | None = None
    domain_events: list[EventCatalogueEntry] = []
    environments: dict[str, EnvironmentOverrides] = {}
    system_dependencies: SystemDependencies = Field(default_factory=SystemDependencies)

    def __str__(self) -> str:
        return f"{self.namespace_name}/{self.name}@{self.version}"

    @cached_property
    def steps_by_name(self) -> dict[str, StepTemplate]:
        """The steps by their names."""
        return {step.name: step for step in self.steps}

    def with_steps(self, steps: Sequence[StepTemplate]) -> "TaskTemplate":
        """Return the template with other steps, and without the overrides that made them."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return self.model_construct(**{**kept, "steps": list(steps), "environments": {}})

    def step(self, name: str) -> StepTemplate:
        """Return the step of this name; raises `KeyError` when there is none."""
        return self.steps_by_name[name]

    def dependencies(self) -> dict[str, Sequence[str]]:
        """Return the graph: every step with the names of its dependencies."""
        return {step.name: step.dependencies for step in self.steps}

    @cached_property
    def running_order(self) -> tuple[StepTemplate, ...]:
        """The steps, each behind all of its dependencies."""
        return tuple(map(self.step, dag.topological_order(self.dependencies())))

    def system_of(self, step: StepTemplate) -> str:
        """Return the name of the system that a step talks to; it is part of its step type."""
        return step.system_dependency or self.system_dependencies.primary

    def all_callables(self) -> list[str]:
        """Return every callable once, in the order of the steps."""
        return list(dict.fromkeys(step.handler.callable for step in self.steps))

    def initial_steps(self) -> list[StepTemplate]:
        """Return the steps that exist right after a task is created (engine.md 10.1)."""
        return list(self.steps_at_creation)

    @cached_property
    def steps_at_creation(self) -> tuple[StepTemplate, ...]:
        """What `initial_steps` returns, worked out once."""
        gates = [s.name for s in self.steps if s.type == "decision" or s.type in LATER_TYPES]
        later = dag.descendants(self.dependencies(), gates) if gates else set()
        return tuple(s for s in self.steps if s.type not in LATER_TYPES and s.name not in later)
