"""`new_workflow NAME [--app APP] [-n NAMESPACE]`: a workflow that works, to be made yours."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from templates_registry.errors import TemplateError
from workers.codegen.files import FileRefusedError, write_all
from workers.codegen.new_workflow import plan_workflow, workflow_files


class Command(BaseCommand):
    """Write template, handlers and test, and say what comes next."""

    help = "Write a new workflow of two steps, its handlers and its test into an app."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the names of workflow, app and namespace."""
        parser.add_argument("name", metavar="NAME", help="name of the workflow")
        parser.add_argument("--app", metavar="APP", help="app to write into; default: NAMESPACE")
        parser.add_argument(
            "-n", "--namespace", metavar="NAMESPACE", help="its namespace; default: APP or NAME"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files, or nothing when one of them is in the way."""
        try:
            workflow = plan_workflow(
                options["name"], app=options["app"], namespace=options["namespace"]
            )
            files = workflow_files(workflow)
            write_all(files)
        except (FileRefusedError, TemplateError) as error:
            raise CommandError(str(error)) from error
        for each in files:
            self.stdout.write(f"wrote {each.path}")
        app = workflow.app
        if not app.is_installed:
            where = settings.SETTINGS_MODULE or "your settings"
            self.stdout.write(f'Add this line to INSTALLED_APPS in {where}:\n    "{app.name}",')
        self.stdout.write(f"Try it: pytest {app.folder / 'tests'}")
