"""`sync_templates [PATH…]`: registers what template files contain."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from templates_registry.registry import Outcome, SyncReport, SyncResult, sync


class Command(BaseCommand):
    """Parse, synchronise, print one line for each template."""

    help = "Load, check and register task templates (all sources when no path is given)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the paths and the three ways to be careful or thorough."""
        parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders")
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing; exit 1 if the registry would change",
        )
        parser.add_argument(
            "--prune", action="store_true", help="retire what no source contains any more"
        )
        parser.add_argument(
            "--strict", action="store_true", help="refuse changed content under a known version"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Synchronise and exit 1 when something was refused or, with --check, would change."""
        paths, check, prune = options["paths"], options["check"], options["prune"]
        if prune and paths:
            raise CommandError("--prune looks at all sources; name no PATH with it.", returncode=2)
        if missing := [path for path in paths if not Path(path).exists()]:
            raise CommandError(f"No such file or folder: {', '.join(missing)}.", returncode=2)
        report = sync(*paths, check=check, prune=prune, strict=options["strict"])
        self._print(report, verbosity=options["verbosity"])
        if report.has_failed or (check and report.has_changes):
            raise SystemExit(1)

    def _print(self, report: SyncReport, *, verbosity: int) -> None:
        for result in report.results:
            if verbosity > 1 or result.outcome is not Outcome.UNCHANGED:
                self.stdout.write(_line(result))
        for name in report.retired:
            self.stdout.write(f"retired    {name}")
        if report.message:
            self.stderr.write(report.message)
        counts = dict.fromkeys(Outcome, 0)
        for result in report.results:
            counts[result.outcome] += 1
        summary = ", ".join(f"{number} {each.value}" for each, number in counts.items() if number)
        self.stdout.write(f"{len(report.results)} templates: {summary or 'none found'}")


def _line(result: SyncResult) -> str:
    """Return outcome, template and file, and below them why it was refused."""
    lines = [f"{result.outcome.value:<10} {result.template}  ({', '.join(result.sources)})"]
    if result.message:
        lines.append(f"  {result.message}")
    if result.outcome is Outcome.REJECTED:
        lines += [f"  {each}" for each in result.findings if each.is_error]
    return "\n".join(lines)
