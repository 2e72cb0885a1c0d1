"""The door of whoever has a shell: verbs of `manage.py tasker`, and the other commands of ours."""

from collections.abc import Callable
from importlib import import_module
from io import StringIO

from django.core.management import call_command, get_commands

from orchestration.management.tasker import GROUPS
from tests.hand_actions import NAMESPACE, TEMPLATE, WHY, Action, World
from tests.hand_actions.in_admin import have_key

OURS = ("tasker_project", "templates_registry", "orchestration", "workers")
LOOKS = {
    *("auth list-keys", "auth show-permissions"),
    *("task list", "task get", "task wait", "task steps", "task step"),
    *("task history", "task step-audit"),
    *("dlq list", "dlq get", "dlq stats", "dlq queue", "queue list", "queue show"),
    *("worker list", "worker status", "worker health", "system health", "system info"),
    *("config show", "config explain", "config validate", "config env"),
    *("handler list", "handler resolve", "analytics performance", "analytics bottlenecks"),
    *("template list", "template info", "template check"),
    # what the commands of the same names do
    *("template sync", "dlq detect"),
}
OTHER_COMMANDS = {
    # processes, and what starts them
    *("run_orchestrator", "run_worker", "dev", "demo", "bench", "pg", "tasker"),
    "bench_peers",
    # releases: what they change is code or schema
    *("migrate", "migrate_and_sync", "sync_templates", "upgrade_pgmq"),
    # work off what is due by age; `detect_stale_tasks` names its caller in the history
    *("purge", "detect_stale_tasks"),
    # write files, or only look
    *("check_templates", "check_schemas", "template_schema", "visualize_states"),
    *("visualize_task", "visualize_template", "new_workflow"),
    *("generate_handlers", "generate_scaffold", "generate_types"),
}
HARMLESS = LOOKS | OTHER_COMMANDS


def offered() -> set[str]:
    """Return every verb of every group, and every command of our packages."""
    verbs = {
        f"{group} {verb}" for group, path in GROUPS.items() for verb in import_module(path).VERBS
    }
    return verbs | {name for name, app in get_commands().items() if app in OURS}


def tasker(*arguments: str, why: str = "--reason") -> Callable[[World], object]:
    """Return how a verb is run; words in angle brackets are filled in from the world."""

    def do(world: World) -> None:
        known = {
            "<task>": lambda: str(world.task.pk),
            "<step>": lambda: str(world.step.pk),
            "<entry>": lambda: str(world.entry().pk),
            "<prefix>": lambda: world.prefix,
        }
        given = [known[each]() if each in known else each for each in arguments]
        call_command("tasker", *given, why, WHY, stdout=StringIO(), stderr=StringIO())

    return do


ROWS = {
    "auth create-key": Action(
        tasker("auth", "create-key", "--name", "x", "--permission", "tasks:read")
    ),
    "auth revoke-key": Action(tasker("auth", "revoke-key", "<prefix>"), have_key),
    "auth expire-key": Action(
        tasker("auth", "expire-key", "<prefix>", "--expires", "7d"), have_key
    ),
    "task create": Action(tasker("task", "create", "--name", TEMPLATE, "-n", NAMESPACE)),
    "task cancel": Action(tasker("task", "cancel", "<task>")),
    "task retry": Action(tasker("task", "retry", "<task>")),
    "task reset": Action(tasker("task", "reset", "<task>"), tasker("task", "give-up", "<task>")),
    "task resolve": Action(tasker("task", "resolve", "<task>")),
    "task give-up": Action(tasker("task", "give-up", "<task>")),
    "task reset-step": Action(tasker("task", "reset-step", "<task>", "<step>")),
    "task resolve-step": Action(tasker("task", "resolve-step", "<task>", "<step>")),
    "task complete-step": Action(
        tasker("task", "complete-step", "<task>", "<step>", "--result", "{}")
    ),
    "dlq add": Action(tasker("dlq", "add", "<task>", why="--notes")),
    "dlq update": Action(
        tasker("dlq", "update", "<entry>", "-s", "cancelled", why="--notes"), World.entry
    ),
}
ACTIONS = {name: row for name, row in ROWS.items() if name in offered()}
"""Groups are registered by name; one that is not registered is not walked."""
