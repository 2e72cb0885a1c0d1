"""Findings about templates, and the two errors of the registry.

A finding is one thing noticed about a template: a code of the table below, where it is, and a
sentence. Findings of severity `error` keep a template from being registered; they travel in a
`TemplateError`. `TemplateNotFound` is what a request for an unknown template gets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

MAX_FINDINGS = 1000  # of a template, for each severity: more would help nobody


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # the template is not registered
    WARNING = "warning"  # probably a mistake; fails `check_templates --strict`
    INFO = "info"  # worth knowing


_ERRORS = """
    INVALID_YAML NOT_A_MAPPING DUPLICATE_KEY MISSING_FIELD INVALID_TYPE INVALID_NAME
    VALUE_OUT_OF_RANGE INVALID_ENUM INVALID_SCHEMA EMPTY_CALLABLE NAMESPACE_TOO_LONG NO_STEPS
    INVALID_EVENT_NAME INVALID_PUBLISHER TOO_LARGE ALIAS_NOT_ALLOWED
    DUPLICATE_STEP_NAME SELF_DEPENDENCY MISSING_DEP_REF CYCLE_DETECTED DECISION_WITHOUT_DEPENDENCY
    UNKNOWN_WORKER_TEMPLATE INSTANCE_NAME_CLASH DUPLICATE_EVENT TOO_MANY_STEPS
"""
_WARNINGS = """
    ORPHAN_STEP SCHEMA_NOT_OBJECT UNKNOWN_OVERRIDE_STEP BATCH_WORKER_WITHOUT_BATCHABLE
    BATCHABLE_WITHOUT_WORKER DEFERRED_WITHOUT_DEPENDENCY BACKOFF_CAP_BELOW_BASE VERSION_NOT_SEMVER
    UNRESOLVED_HANDLER INITIALIZATION_MISMATCH
"""
_INFOS = "NO_RESULT_SCHEMA UNKNOWN_KEY LEGACY_KEY"

SEVERITY_OF: dict[str, Severity] = {
    **dict.fromkeys(_ERRORS.split(), Severity.ERROR),
    **dict.fromkeys(_WARNINGS.split(), Severity.WARNING),
    **dict.fromkeys(_INFOS.split(), Severity.INFO),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed about a template."""

    code: str
    severity: Severity
    message: str
    path: str = ""  # as written in the template: steps[2].retry.max_attempts
    step: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether this finding keeps the template from being registered."""
        return self.severity is Severity.ERROR

    def as_dict(self) -> dict[str, str | None]:
        """Return the finding as JSON answers show it."""
        return {**asdict(self), "severity": self.severity.value}

    def __str__(self) -> str:
        place = f" {self.path}" if self.path else ""
        return f"{self.severity.value} {self.code}{place}: {self.message}"


def finding(
    code: str,
    message: str,
    *,
    path: str = "",
    step: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """Return a finding with the severity that belongs to its code, unless one is given."""
    return Finding(code, severity or SEVERITY_OF[code], message, path, step)


class TemplateError(Exception):
    """A template has findings that keep it from being used; `findings` lists all of them."""

    def __init__(self, findings: Iterable[Finding], *, source: str = "") -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        self.source = source
        errors = [each for each in self.findings if each.is_error]
        where = f" in {source}" if source else ""
        lines = "".join(f"\n  {each}" for each in errors)
        super().__init__(f"The template{where} has {len(errors)} error(s):{lines}")


class TemplateNotFound(Exception):  # noqa: N818 the name is fixed by the design
    """No active template of this name is registered; `nearest` are similar ones."""

    def __init__(
        self, namespace: str, name: str, version: str | None, nearest: Sequence[str] = ()
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.version = version
        self.nearest = tuple(nearest)
        wanted = f"{namespace}/{name}" + (f"@{version}" if version is not None else "")
        hint = f" Did you mean {' or '.join(map(repr, self.nearest))}?" if self.nearest else ""
        super().__init__(f"Template {wanted!r} is not registered; run sync_templates.{hint}")
