"""The permissions of Tasker: the seventeen, what grants stand for, the roles, and who holds one.

A permission `tasks:create` is Django's `orchestration.tasks_create`; superusers hold all of them.
Django's own add/change/delete/view permissions of the engine's models open nothing.
"""

import difflib
from collections.abc import Iterable, Mapping
from enum import StrEnum

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from orchestration.errors import TaskerError

EVERY_PERMISSION = "*"


class Permission(StrEnum):
    """What a principal may be allowed to do."""

    TASKS_CREATE = "tasks:create"
    TASKS_READ = "tasks:read"
    TASKS_LIST = "tasks:list"
    TASKS_CANCEL = "tasks:cancel"
    TASKS_CONTEXT_READ = "tasks:context_read"
    STEPS_READ = "steps:read"
    STEPS_RESOLVE = "steps:resolve"
    DLQ_READ = "dlq:read"
    DLQ_STATS = "dlq:stats"
    DLQ_UPDATE = "dlq:update"
    TEMPLATES_READ = "templates:read"
    TEMPLATES_VALIDATE = "templates:validate"
    SYSTEM_CONFIG_READ = "system:config_read"
    SYSTEM_HANDLERS_READ = "system:handlers_read"
    SYSTEM_ANALYTICS_READ = "system:analytics_read"
    WORKER_CONFIG_READ = "worker:config_read"
    WORKER_TEMPLATES_READ = "worker:templates_read"

    @property
    def codename(self) -> str:
        """Codename of Django's permission."""
        return self.value.replace(":", "_")

    @property
    def opens(self) -> str:
        """What it opens, in words."""
        return OPENS[self]


OPENS: Mapping[Permission, str] = {
    Permission.TASKS_CREATE: "create tasks",
    Permission.TASKS_READ: "one task, its summary, history and events",
    Permission.TASKS_LIST: "the list of tasks",
    Permission.TASKS_CANCEL: "cancel a task, give it up, close it by hand",
    Permission.TASKS_CONTEXT_READ: "the context of tasks, wherever it is shown",
    Permission.STEPS_READ: "steps, their results, audit and graph",
    Permission.STEPS_RESOLVE: "act on steps, retry failed ones, reset a task",
    Permission.DLQ_READ: "entries of the DLQ, its queue, staleness",
    Permission.DLQ_STATS: "the DLQ in numbers",
    Permission.DLQ_UPDATE: "open, annotate and close entries of the DLQ",
    Permission.TEMPLATES_READ: "templates",
    Permission.TEMPLATES_VALIDATE: "validate a template",
    Permission.SYSTEM_CONFIG_READ: "configuration of web and orchestrators",
    Permission.SYSTEM_HANDLERS_READ: "handlers, workers and queues",
    Permission.SYSTEM_ANALYTICS_READ: "analytics and dashboard",
    Permission.WORKER_CONFIG_READ: "configuration of a worker",
    Permission.WORKER_TEMPLATES_READ: "templates of a worker",
}
_VIEWER = frozenset(
    {
        Permission.TASKS_READ,
        Permission.TASKS_LIST,
        Permission.STEPS_READ,
        Permission.DLQ_READ,
        Permission.DLQ_STATS,
        Permission.TEMPLATES_READ,
        Permission.SYSTEM_ANALYTICS_READ,
        Permission.WORKER_TEMPLATES_READ,
    }
)
ROLES: Mapping[str, frozenset[Permission]] = {
    "viewer": _VIEWER,
    "submitter": frozenset(
        {
            Permission.TASKS_CREATE,
            Permission.TASKS_READ,
            Permission.TASKS_LIST,
            Permission.STEPS_READ,
            Permission.TEMPLATES_READ,
            Permission.TEMPLATES_VALIDATE,
        }
    ),
    "operator": _VIEWER
    | {
        Permission.TASKS_CANCEL,
        Permission.TASKS_CONTEXT_READ,
        Permission.STEPS_RESOLVE,
        Permission.DLQ_UPDATE,
        Permission.TEMPLATES_VALIDATE,
        Permission.SYSTEM_HANDLERS_READ,
    },
    "admin": frozenset(Permission),
}
"""Each is a group of Django as well: `tasker-viewer` and so on."""


class PermissionMissingError(TaskerError):
    """The principal lacks a permission; `required` names it."""

    code = "FORBIDDEN"

    def __init__(self, required: Permission, *, principal: str) -> None:
        """Say who wanted to do what."""
        super().__init__(
            f"'{principal}' may not do this: the permission '{required.value}' is missing; ask an "
            "administrator for it"
        )
        self.required = required


def expand(grants: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions that grants stand for: names, `tasks:*` and `*`.

    A wildcard covers permissions that are added later; a word that is no grant opens nothing.
    """
    found: set[Permission] = set()
    for grant in grants:
        found.update(each for each in Permission if _covers(grant, each))
    return frozenset(found)


def is_wildcard(grant: str) -> bool:
    """Tell whether a grant covers permissions to come."""
    return grant.endswith("*")


def refusal_of_grant(grant: object) -> str | None:
    """Return what is wrong with a grant, None for a good one."""
    if isinstance(grant, str) and expand([grant]):
        return None
    wildcards = [f"{each.value.partition(':')[0]}:*" for each in Permission]
    known = [*Permission, *dict.fromkeys(wildcards), EVERY_PERMISSION]
    near = difflib.get_close_matches(str(grant), known, n=1)
    return f"{grant!r} is no permission" + (f"; did you mean {str(near[0])!r}?" if near else "")


def user_may(user: AbstractBaseUser | AnonymousUser, permission: Permission) -> bool:
    """Tell whether a user of Django holds a permission; only active staff can."""
    if not is_active_staff(user):
        return False
    has_perm = getattr(user, "has_perm", None)
    return bool(has_perm and has_perm(f"orchestration.{permission.codename}"))


def permissions_of_user(user: AbstractBaseUser | AnonymousUser) -> frozenset[Permission]:
    """Return everything that a user of Django may do; only active staff may anything."""
    if not is_active_staff(user):
        return frozenset()
    return frozenset(each for each in Permission if user_may(user, each))


def is_active_staff(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Tell whether a user may use any of the doors."""
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False))


def _covers(grant: str, permission: Permission) -> bool:
    resource = permission.value.partition(":")[0]
    return grant in (EVERY_PERMISSION, f"{resource}:*", permission.value)
