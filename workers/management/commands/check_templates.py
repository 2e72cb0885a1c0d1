"""`check_templates [PATH…]`: what is wrong with template files, without a database.

Belongs to workers because it also tells which handlers cannot be found here. Exit codes: 0 valid,
1 errors (with --strict warnings too), 2 usage.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from templates_registry.errors import Finding, Severity, finding
from templates_registry.registry.sources import template_files, template_sources
from templates_registry.schema import Inspected, Report, inspect_file
from workers.registry import (
    HandlerDefinition,
    HandlerRegistry,
    ResolutionError,
    initialization_problem,
)


class Command(BaseCommand):
    """Parse, look at every template, print the findings."""

    help = "Check task templates (all sources when no path is given); needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare paths, environment, strictness and form of the answer."""
        parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders")
        parser.add_argument("--env", metavar="E", help="overrides of this environment only")
        parser.add_argument(
            "--strict", action="store_true", help="warnings fail; so do unknown keys"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and exit 1 when something is wrong."""
        if missing := [path for path in options["paths"] if not Path(path).exists()]:
            raise CommandError(f"No such file or folder: {', '.join(missing)}.", returncode=2)
        sources = [Path(path) for path in options["paths"]] or template_sources()
        environments = [options["env"]] if options["env"] else None
        found = [
            _checked(each, strict=options["strict"])
            for path in template_files(sources)
            for each in inspect_file(path, environments=environments)
        ]
        self._print(found, as_json=options["json"], verbosity=options["verbosity"])
        if any(_has_failed(each, strict=options["strict"]) for each in found):
            raise SystemExit(1)

    def _print(self, found: list[Inspected], *, as_json: bool, verbosity: int) -> None:
        if as_json:
            answer = [
                {"source": each.source, "template": str(each), **each.report.as_dict()}
                for each in found
            ]
            self.stdout.write(json.dumps(answer, indent=2))
            return
        for each in found:
            state = "valid" if each.report.valid else "has errors"
            self.stdout.write(f"{each.source}: {each} {state}, {each.report.step_count} steps")
            for one in each.report.findings:
                if verbosity > 1 or one.severity is not Severity.INFO:
                    self.stdout.write(f"  {one}")
        bad = sum(not each.report.valid for each in found)
        self.stdout.write(f"{len(found)} templates, {bad} with errors")


def _checked(inspected: Inspected, *, strict: bool) -> Inspected:
    """Return the template with handlers looked up and, when strict, unknown keys as warnings."""
    findings = [*inspected.report.findings, *_about_handlers(inspected)]
    if strict:
        findings = [_sharpened(each) for each in findings]
    return replace(inspected, report=Report(tuple(findings), inspected.report.step_count))


def _sharpened(each: Finding) -> Finding:
    return replace(each, severity=Severity.WARNING) if each.code == "UNKNOWN_KEY" else each


def _about_handlers(inspected: Inspected) -> Iterator[Finding]:
    if inspected.template is None:
        return
    registry = HandlerRegistry.instance()
    for index, step in enumerate(inspected.template.steps):
        definition = HandlerDefinition.from_step(step)
        path = f"steps[{index}].handler"
        try:
            handler = registry.locate(definition)
        except ResolutionError as error:
            path = f"{path}.callable"
            yield finding("UNRESOLVED_HANDLER", str(error), path=path, step=step.name)
            continue
        if why := initialization_problem(handler, definition):
            path = f"{path}.initialization"
            yield finding("INITIALIZATION_MISMATCH", why, path=path, step=step.name)


def _has_failed(inspected: Inspected, *, strict: bool) -> bool:
    """Say whether a template fails the check."""
    warned = any(each.severity is Severity.WARNING for each in inspected.report.findings)
    return not inspected.report.valid or (strict and warned)
