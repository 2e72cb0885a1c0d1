"""From a file, a text or plain data to a template and everything noticed about it.

`inspect_*` never raise over what is wrong with a template: they return all findings together.
`load_*` want exactly one good template. This module writes nothing and imports no handler.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from templates_registry.conf import registry_settings
from templates_registry.errors import MAX_FINDINGS, Finding, Severity, TemplateError, finding
from templates_registry.schema.canonical import canonical
from templates_registry.schema.content import check_content
from templates_registry.schema.documents import MAX_BYTES, Document, UnreadableError, read_data
from templates_registry.schema.reading import read_documents
from templates_registry.schema.rules import Outlines, check_steps, outline
from templates_registry.schema.shapes import build
from templates_registry.schema.sizes import MAX_SCHEMA_VALUES, has_too_many_schemas
from templates_registry.schema.spelling import spell
from templates_registry.schema.template import TaskTemplate


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of looking at one template."""

    findings: tuple[Finding, ...]
    step_count: int = 0

    @property
    def valid(self) -> bool:
        """Whether the template may be registered."""
        return not any(each.is_error for each in self.findings)

    @property
    def has_cycles(self) -> bool:
        """Whether steps wait for each other or for themselves."""
        return any(each.code in ("CYCLE_DETECTED", "SELF_DEPENDENCY") for each in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON answers show it."""
        return {
            "valid": self.valid,
            "findings": [each.as_dict() for each in self.findings],
            "step_count": self.step_count,
            "has_cycles": self.has_cycles,
        }


@dataclass(frozen=True, slots=True)
class Inspected:
    """One template as found in a source; `template` is None when its shape is wrong."""

    template: TaskTemplate | None
    report: Report
    source: str = ""
    key: tuple[str, str, str] | None = None  # namespace, name, version as far as they are readable

    def __str__(self) -> str:
        return "{}/{}@{}".format(*self.key) if self.key else "unnamed template"


def load_file(path: str | Path) -> TaskTemplate:
    """Return the only template of a file; raises `TemplateError` with all findings."""
    return _only(inspect_file(path, single=True), str(path))


def load_text(text: str | bytes) -> TaskTemplate:
    """Return the only template of a YAML text; raises `TemplateError` with all findings."""
    return _only(inspect_text(text, single=True), "")


def _only(found: list[Inspected], source: str) -> TaskTemplate:
    if len(found) != 1:
        text = f"One template is wanted, {len(found)} found."
        raise TemplateError([finding("NOT_A_MAPPING", text)], source=source)
    [inspected] = found
    if inspected.template is None or not inspected.report.valid:
        raise TemplateError(inspected.report.findings, source=source)
    return inspected.template


def inspect_file(
    path: str | Path, *, single: bool = False, environments: Iterable[str] | None = None
) -> list[Inspected]:
    """Return every template of a file, good or bad."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        text = f"The file cannot be read: {error.strerror or error}."
        return [_unreadable(finding("INVALID_YAML", text), str(path))]
    return inspect_text(raw, source=str(path), single=single, environments=environments)


def inspect_text(
    text: str | bytes,
    *,
    source: str = "",
    single: bool = False,
    environments: Iterable[str] | None = None,
) -> list[Inspected]:
    """Return every template of a YAML text; `single`: a lone mapping counts as one anyhow."""
    try:
        documents = read_documents(text)
    except UnreadableError as error:
        return [_unreadable(error.finding, source)]
    wanted = [each for each in documents if _is_template(each)]
    if single and len(documents) == 1:
        wanted = documents
    return [
        _inspect(each, source if len(documents) == 1 else f"{source}:{each.line}", environments)
        for each in wanted
    ]


def inspect_data(data: Any, *, environments: Iterable[str] | None = None) -> Inspected:
    """Return what is to be said about a template given as plain data, as from JSON."""
    try:
        return _inspect(read_data(data), "", environments)
    except UnreadableError as error:
        return _unreadable(error.finding, "")


def validate(template: TaskTemplate, *, environment: str | None = None) -> Report:
    """Return the findings about a well-shaped template, in one or all of its environments."""
    steps = outline(canonical(template))
    names = template.environments if environment is None else [environment]
    findings = [*_check_steps(template.steps, steps), *check_content(template, names)]
    return Report(tuple(findings), len(template.steps))


def _is_template(document: Document) -> bool:
    """Say whether a document is meant to be a template; what is no mapping is a mistake."""
    keys = document.data
    if not isinstance(keys, dict):
        return True
    return "steps" in keys or ("name" in keys and not keys.keys().isdisjoint(_NAMESPACE_KEYS))


_NAMESPACE_KEYS = frozenset(["namespace", "namespace_name"])


def _unreadable(found: Finding, source: str) -> Inspected:
    return Inspected(None, Report((found,)), source)


def _inspect(document: Document, source: str, environments: Iterable[str] | None) -> Inspected:
    if not isinstance(document.data, dict):
        text = "A template is a mapping with name, namespace_name, version and steps."
        found = (*document.findings, finding("NOT_A_MAPPING", text))
        return Inspected(None, Report(found), source)
    data, spelled = spell(document.data)
    if has_too_many_schemas(data):
        text = f"Its schemas have more than {MAX_SCHEMA_VALUES:,} values together; shorten them."
        return Inspected(None, Report((finding("TOO_LARGE", text),)), source, _key(data))
    template, shape = build(data, spelled)
    steps = outline(data, as_written=spelled.as_written)
    listed = data.get("steps")
    findings = [
        *document.findings,
        *(each for each in shape if not _is_under(each.path, document.unread)),
        *_check_steps(listed, steps),
    ]
    if template is not None:
        names = template.environments if environments is None else environments
        findings += check_content(template, names)
    findings = _limited([*findings, *spelled.findings])
    count = len(listed) if isinstance(listed, list) else 0
    return Inspected(template, Report(tuple(findings), count), source, _key(data))


def _limited(findings: Iterable[Finding]) -> list[Finding]:
    """Return the first findings of each severity, so that many warnings hide no error."""
    seen: Counter[Severity] = Counter()
    kept: list[Finding] = []
    for each in findings:
        seen[each.severity] += 1
        if seen[each.severity] <= MAX_FINDINGS:
            kept.append(each)
    return kept


def _check_steps(listed: Any, steps: Outlines) -> list[Finding]:
    if isinstance(listed, list) and not listed:
        return [finding("NO_STEPS", "A template needs at least one step.", path="steps")]
    return check_steps(steps, max_steps=registry_settings().max_steps_per_task)


def _is_under(path: str, unread: frozenset[str]) -> bool:
    """Say whether a place was refused while reading, so that more about it says nothing new."""
    ends = [place for place, letter in enumerate(path) if letter in ".["]
    return path in unread or any(path[:end] in unread for end in ends)


def _key(data: dict[str, Any]) -> tuple[str, str, str] | None:
    """Return what identifies the template, if it can be read."""
    parts = [data.get(key) for key in ("namespace_name", "name", "version")]
    namespace, name, version = parts
    if isinstance(namespace, str) and isinstance(name, str) and isinstance(version, str):
        return namespace, name, version
    return None
