"""The permissions of Tasker, and who of Django's users holds one.

A permission `tasks:create` is Django's `orchestration.tasks_create`; superusers hold all of them.
Django's own add/change/delete/view permissions of the engine's models open nothing.
"""

from enum import StrEnum

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from orchestration.errors import TaskerError


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


def user_may(user: AbstractBaseUser | AnonymousUser, permission: Permission) -> bool:
    """Tell whether a user of Django holds a permission; only active staff can."""
    if not (getattr(user, "is_active", False) and getattr(user, "is_staff", False)):
        return False
    has_perm = getattr(user, "has_perm", None)
    return bool(has_perm and has_perm(f"orchestration.{permission.value.replace(':', '_')}"))
