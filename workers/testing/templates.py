"""Templates as a test names them: an object, a path, YAML text, or `namespace/name[:version]`.

A name means what is registered; where nothing is, as in a database that a test found empty, it
means what the template files of this installation say.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from templates_registry import registry
from templates_registry.errors import TemplateNotFound
from templates_registry.registry import FoundTemplate, TemplateName
from templates_registry.registry.sources import template_files, template_sources
from templates_registry.registry.versions import precedence
from templates_registry.schema import (
    Inspected,
    TaskTemplate,
    digest,
    inspect_file,
    load_file,
    load_text,
    resolve,
)
from workers.registry import unresolved_steps
from workers.testing.handlers import Handlers
from workers.testing.outcome import InlineRunError

Source = TaskTemplate | Path | str
SOME_TIME = datetime(2020, 1, 1, tzinfo=UTC)  # files of one name differ by their versions alone


def assert_resolvable(template: Source) -> None:
    """Fail, naming each step, unless every callable, method and resolver hint resolves."""
    loaded = load_template(template)
    problems = [
        f"step '{each.step.name}': {each.error}" for each in unresolved_steps(loaded, Handlers())
    ]
    if problems:
        raise AssertionError("\n  ".join([f"Handlers of {loaded} do not resolve:", *problems]))


def load_template(source: Source) -> TaskTemplate:
    """Return a template; raises `TemplateError` with its findings, or `TemplateNotFound`."""
    if isinstance(source, TaskTemplate):
        return source
    if key := _key(source):
        try:
            return registry.find(*key).template
        except TemplateNotFound:
            return _from_files(key)
    return load_text(source) if isinstance(source, str) and "\n" in source else load_file(source)


def find_or_register(source: Source, *, environment: str) -> FoundTemplate:
    """Return a template as a new task of this environment gets it; register it if need be.

    Raises what loading it raises, and `InlineRunError` when it cannot be registered.
    """
    if key := _key(source):
        found = _found(key, environment)
        if found is not None:
            return found
        template = _from_files(key)
    else:
        template = load_template(source)
        key = TemplateName(template.namespace_name, template.name, template.version)
        found = _found(key, environment)
        if found is not None and found.digest == digest(resolve(template, environment)):
            return found  # as it would be after registering it again, which takes longer
    done = registry.register(template)
    if done.outcome is registry.Outcome.REJECTED:
        findings = "".join(f"\n  {each}" for each in done.findings if each.is_error)
        raise InlineRunError(f"Cannot run {template}: {done.message}{findings}")
    return registry.find(
        template.namespace_name, template.name, template.version, environment=environment
    )


def _found(key: TemplateName, environment: str) -> FoundTemplate | None:
    try:
        return registry.find(*key, environment=environment)
    except TemplateNotFound:
        return None


def _key(source: Source) -> TemplateName | None:
    """Return namespace, name and version where the source is such a name."""
    return registry.parse_name(source) if isinstance(source, str) else None


def _from_files(key: TemplateName) -> TaskTemplate:
    """Return the latest template of this name among the files; raises `TemplateNotFound`."""
    found = [template for template in _templates_of_files() if _is_wanted(template, key)]
    if not found:
        raise TemplateNotFound(*key)
    return max(found, key=lambda each: precedence(each.version, registered_at=SOME_TIME))


def _is_wanted(template: TaskTemplate, key: TemplateName) -> bool:
    namespace, name, version = key
    return (template.namespace_name, template.name) == (namespace, name) and (
        version in (None, template.version)
    )


def _templates_of_files() -> Iterable[TaskTemplate]:
    for path in template_files(template_sources()):
        for each in _inspected(path, path.stat().st_mtime_ns):
            if each.template is not None:
                yield each.template


@lru_cache(maxsize=1000)
def _inspected(path: Path, changed_at_ns: int) -> list[Inspected]:
    """Read a file once for each time that it was changed."""
    return inspect_file(path)
