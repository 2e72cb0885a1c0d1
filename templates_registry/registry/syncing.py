"""Synchronising the registry with template files.

Every file is read and checked first, so that two files which disagree about a version are seen
before either is written; then each template is registered in its own transaction. A bad template is
reported and left out, the rest goes on. Nothing is retired unless that is asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from templates_registry.errors import Finding
from templates_registry.models import NamedTask
from templates_registry.registry.sources import template_files, template_sources
from templates_registry.registry.storing import Outcome, Registration, preview, retire, store
from templates_registry.schema import Inspected, digest, inspect_file

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What became of one template, or of one file that holds none."""

    outcome: Outcome
    template: str
    sources: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of everything that was found."""

    results: tuple[SyncResult, ...]
    retired: tuple[str, ...] = ()
    message: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether something was not registered."""
        return any(r.outcome in (Outcome.REJECTED, Outcome.CONFLICT) for r in self.results)

    @property
    def has_changes(self) -> bool:
        """Whether the registry is, or would be, different afterwards."""
        changes = (Outcome.CREATED, Outcome.REVISED)
        return bool(self.retired) or any(r.outcome in changes for r in self.results)


def sync(
    *paths: str | Path, check: bool = False, prune: bool = False, strict: bool = False
) -> SyncReport:
    """Register what the paths, or else all sources, contain.

    `check` writes nothing and tells what would happen; `strict` refuses changed content under a
    known version; `prune` retires what no source contains any more. Raises `ValueError` when
    `prune` comes with paths.
    """
    if prune and paths:
        raise ValueError("Pruning looks at all sources; name no path together with it.")
    sources = [Path(path) for path in paths] or template_sources()
    found = [each for path in template_files(sources) for each in inspect_file(path)]
    policy = "reject" if strict else None
    results = [_rejected(each) for each in found if each.key is None]
    for group in _by_key(found).values():
        results.append(_synchronised(group, check=check, policy=policy))
    if not prune:
        return SyncReport(tuple(results))
    if any(each.key is None for each in found):
        text = "Nothing was retired, because a file could not be read; repair it first."
        return SyncReport(tuple(results), message=text)
    return SyncReport(tuple(results), tuple(_retired(_by_key(found), check=check)))


def _by_key(found: Iterable[Inspected]) -> dict[Key, list[Inspected]]:
    groups: dict[Key, list[Inspected]] = {}
    for each in found:
        if each.key is not None:
            groups.setdefault(each.key, []).append(each)
    return groups


def _rejected(inspected: Inspected) -> SyncResult:
    return SyncResult(
        Outcome.REJECTED,
        str(inspected),
        (inspected.source,),
        inspected.report.findings,
        "The template has errors.",
    )


def _synchronised(group: list[Inspected], *, check: bool, policy: str | None) -> SyncResult:
    """Register the templates of one key, if they agree and have no errors."""
    for each in group:
        if each.template is None or not each.report.valid:
            return _rejected(each)
    templates = [each.template for each in group if each.template is not None]
    sources = tuple(each.source for each in group)
    if len({digest(template) for template in templates}) > 1:
        text = f"These files give it different contents: {', '.join(sources)}."
        return SyncResult(Outcome.CONFLICT, str(group[0]), sources, message=text)
    act = preview if check else store
    done: Registration = act(templates[0], policy=policy)
    return SyncResult(done.outcome, str(group[0]), sources, group[0].report.findings, done.message)


def _retired(kept: Iterable[Key], *, check: bool) -> list[str]:
    """Retire every active template that is not kept; return their names."""
    rows = NamedTask.objects.filter(retired_at__isnull=True).select_related("task_namespace")
    wanted = set(kept)
    gone = [row for row in rows if (row.task_namespace.name, row.name, row.version) not in wanted]
    for row in () if check else gone:
        retire(row)
    return sorted(str(row) for row in gone)
