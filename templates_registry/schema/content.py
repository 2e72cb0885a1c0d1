"""Rules about values that fit their type but are probably not meant, in a well-shaped template.

Warnings and information, and one error: overrides that make far too much of a template. It is
looked at as written, and once more as resolved for each environment it mentions, since an override
can make a value odd that was fine before.
"""

import re
from collections.abc import Iterable, Iterator

from templates_registry.errors import Finding, finding
from templates_registry.schema.overrides import ALL, resolve, resolved_size
from templates_registry.schema.template import RetryPolicy, StepTemplate, TaskTemplate

# The default of the setting max_backoff_seconds, which caps what a template leaves open.
DEFAULT_MAX_BACKOFF_MS = 300_000
MAX_RESOLVED_SIZE = 1_000_000
SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)


def check_content(template: TaskTemplate, environments: Iterable[str]) -> list[Finding]:
    """Return what is odd about a template, as written and in the given environments."""
    return [
        *_version(template),
        *_schemas(template),
        *_backoff(template, ""),
        *_overridden_steps(template),
        *_in_environments(template, environments),
    ]


def _version(template: TaskTemplate) -> Iterator[Finding]:
    if not SEMVER.fullmatch(template.version):
        text = f"{template.version!r} is no version like 1.4.0; it ranks below all that are."
        yield finding("VERSION_NOT_SEMVER", text, path="version")


def _schemas(template: TaskTemplate) -> Iterator[Finding]:
    for index, step in enumerate(template.steps):
        if step.result_schema is None:
            text = f"{step.name!r} does not say what its result looks like."
            yield finding("NO_RESULT_SCHEMA", text, path=f"steps[{index}]", step=step.name)
        elif step.result_schema.get("type") != "object":
            text = "Results are objects; write type: object."
            path = f"steps[{index}].result_schema"
            yield finding("SCHEMA_NOT_OBJECT", text, path=path, step=step.name)


def _backoff(template: TaskTemplate, place: str) -> Iterator[Finding]:
    for index, step in enumerate(template.steps):
        if text := _capped(step.retry):
            path = place or f"steps[{index}].retry"
            yield finding("BACKOFF_CAP_BELOW_BASE", text, path=path, step=step.name)


def _capped(retry: RetryPolicy) -> str | None:
    """Return what to say of a policy whose first delay is cut already."""
    cap = DEFAULT_MAX_BACKOFF_MS if retry.max_backoff_ms is None else retry.max_backoff_ms
    if retry.backoff == "none" or retry.backoff_base_ms <= cap:
        return None
    return f"Every delay is {cap} ms, since that is below the base of {retry.backoff_base_ms} ms."


def _overridden_steps(template: TaskTemplate) -> Iterator[Finding]:
    names = {ALL, *(step.name for step in template.steps)}
    for environment, overrides in template.environments.items():
        for index, override in enumerate(overrides.steps):
            if override.name not in names:
                path = f"environments.{environment}.steps[{index}].name"
                text = f"{override.name!r} is no step of this template; the entry is ignored."
                yield finding("UNKNOWN_OVERRIDE_STEP", text, path=path)


def _in_environments(template: TaskTemplate, names: Iterable[str]) -> Iterator[Finding]:
    """Yield what is odd only after an environment's overrides, or that these are too many."""
    if (size := resolved_size(template)) > MAX_RESOLVED_SIZE:
        text = (
            f"Resolved for all environments these are {size:,} values, {MAX_RESOLVED_SIZE:,} "
            "are allowed; override fewer keys of ALL, or split the template."
        )
        yield finding("TOO_LARGE", text, path="environments")
        return
    for name in names:
        if name not in template.environments:
            continue
        resolved = resolve(template, name)
        before: dict[str, StepTemplate] = template.steps_by_name
        for found in _backoff(resolved, f"environments.{name}"):
            if found.step is not None and not _capped(before[found.step].retry):
                yield found
