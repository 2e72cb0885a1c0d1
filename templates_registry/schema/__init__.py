"""What a template must look like: the models, and the way from YAML text to them.

`reading` (text to plain data) → `spelling` (old spellings, unknown keys) → `shapes` and `template`
(the models) → `rules` (graph) and `content` (oddities); `loading` runs them in that order.
`overrides` and `canonical` make the content of a revision. No database, no handler.
"""

from templates_registry.schema.canonical import canonical, digest, digest_of
from templates_registry.schema.json_schema import validator_of
from templates_registry.schema.loading import (
    Inspected,
    Report,
    inspect_data,
    inspect_file,
    inspect_text,
    load_file,
    load_text,
    validate,
)
from templates_registry.schema.overrides import resolve
from templates_registry.schema.template import (
    BatchConfig,
    EventDeclaration,
    HandlerSpec,
    Lifecycle,
    RetryPolicy,
    StepTemplate,
    TaskTemplate,
)

__all__ = [
    "BatchConfig",
    "EventDeclaration",
    "HandlerSpec",
    "Inspected",
    "Lifecycle",
    "Report",
    "RetryPolicy",
    "StepTemplate",
    "TaskTemplate",
    "canonical",
    "digest",
    "digest_of",
    "inspect_data",
    "inspect_file",
    "inspect_text",
    "load_file",
    "load_text",
    "resolve",
    "validate",
    "validator_of",
]
