"""The sidebar: the pages that the user may see, in the order of a working day."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from orchestration.access.permissions import Permission
from orchestration.admin.pages import may


class Entry(NamedTuple):
    """One page."""

    title: str
    icon: str
    address: str
    permission: Permission


GROUPS = {
    "Operate": (
        Entry("Tasks", "task_alt", "orchestration_task_changelist", Permission.TASKS_LIST),
        Entry(
            "Steps", "linear_scale", "orchestration_workflowstep_changelist", Permission.STEPS_READ
        ),
        Entry("DLQ desk", "report", "orchestration_dlqentry_changelist", Permission.DLQ_READ),
    ),
    "Workflows": (
        Entry(
            "Templates",
            "schema",
            "templates_registry_namedtask_changelist",
            Permission.TEMPLATES_READ,
        ),
        Entry(
            "Namespaces",
            "folder_open",
            "templates_registry_tasknamespace_changelist",
            Permission.TEMPLATES_READ,
        ),
    ),
    "Engine": (
        Entry(
            "Workers",
            "dns",
            "orchestration_taskerprocess_changelist",
            Permission.SYSTEM_HANDLERS_READ,
        ),
        Entry("Queues", "stacks", "orchestration_queues", Permission.SYSTEM_HANDLERS_READ),
    ),
}
PEOPLE = (
    ("Users", "person", "auth_user_changelist", "auth.view_user"),
    ("Groups", "group", "auth_group_changelist", "auth.view_group"),
    ("API keys", "key", "orchestration_apikey_changelist", "orchestration.view_apikey"),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups with what the user may see of each; an empty group is left out."""
    groups = [_group("", [_item(request, "Dashboard", "dashboard", "index")])]
    for title, entries in GROUPS.items():
        items = [
            _item(request, each.title, each.icon, each.address)
            for each in entries
            if may(request, each.permission)
        ]
        groups.append(_group(title, items))
    groups.append(_group("Access", list(_people(request))))
    return [group for group in groups if group["items"]]


def _people(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages about who may sign in and call, where Django's own permissions count."""
    user: Any = request.user
    return [
        _item(request, title, icon, name)
        for title, icon, name, permission in PEOPLE
        if user.has_perm(permission)
    ]


def _group(title: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "separator": bool(title), "items": items}


def _item(request: HttpRequest, title: str, icon: str, name: str) -> dict[str, Any]:
    address = reverse(f"admin:{name}")
    is_here = request.path == address
    if name.endswith("_changelist"):
        others = (reverse("admin:orchestration_queues"),)
        is_here = request.path.startswith(address) and request.path not in others
    return {"title": title, "icon": icon, "link": address, "active": is_here}
