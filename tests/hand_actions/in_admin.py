"""The door of people: actions of the lists, and the pages that take a form."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.test import Client
from django.test.client import RequestFactory

from orchestration.access.api_keys import create_key
from orchestration.access.principals import ANYBODY
from templates_registry.models import NamedTask, TaskNamespace
from tests.hand_actions import WHY, Action, World

ADMIN = "/admin/orchestration"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
SHOWS = {
    *("act", "live", "data", "dashboard", "queues"),  # ask, or only show
    *("add", "history", "delete", "change", "autocomplete"),  # Django's own; refused, or shown
}
HARMLESS = {"task export_csv"}


def offered() -> set[str]:
    """Return actions and forms of our models; a namespace is described on its own page."""
    ours = ("orchestration", "templates_registry")
    pages = [each for model, each in admin.site._registry.items() if model._meta.app_label in ours]
    return {name for each in pages for name in _names(each)} | {"tasknamespace change"}


def _names(page: Any) -> Iterator[str]:
    model = page.model._meta.model_name
    for action in page.get_actions(_somebody()) or ():
        yield f"{model} {action}"
    for pattern in page.get_urls():
        words = re.split(r"[/^$]", str(pattern.pattern))
        for word in words:
            if word.isidentifier() and word not in SHOWS:
                yield f"{model} {word}"


def _somebody() -> HttpRequest:
    """Return a request of somebody who may do everything."""
    from django.contrib.auth.models import User

    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True)
    return request


def perform(client: Client, model: str, action: str, *objects: Any, **given: str) -> Any:
    """Choose an action for objects in a list, confirm it as the page asks, and follow."""
    reason = given.pop("reason", "r")
    body = {"action": action, "_selected_action": [str(each.pk) for each in objects]}
    path = f"{ADMIN}/{model}/"
    page = client.post(path, {**body, **given}).content.decode()
    confirmed: dict[str, Any] = {}
    for name, value in HIDDEN.findall(page):
        confirmed.setdefault(name, []).append(value)
    return client.post(path, {**confirmed, "reason": reason}, follow=True)


def on_task(action: str) -> Callable[[World], object]:
    """Return how an action of the task list is carried out."""
    return lambda world: perform(world.admin, "task", action, world.task, reason=WHY)


def on_step(action: str) -> Callable[[World], object]:
    """Return how an action of the step list is carried out."""
    return lambda world: perform(world.admin, "workflowstep", action, world.step, reason=WHY)


def complete(world: World) -> None:
    """Give a step its result."""
    body = {"result": '{"done": true}', "reason": WHY}
    world.admin.post(f"{ADMIN}/workflowstep/{world.step.pk}/complete/", body)


def run(world: World) -> None:
    """Create a task of a template."""
    template = NamedTask.objects.get()
    path = f"/admin/templates_registry/namedtask/{template.pk}/change/run/"
    world.admin.post(path, {"context": "{}", "priority": "0", "reason": WHY})


def note(world: World) -> None:
    """Write a note about an investigation."""
    world.admin.post(f"{ADMIN}/dlqentry/{world.entry().pk}/note/", {"note": WHY})


def close(world: World) -> None:
    """Close an investigation."""
    body = {"entry": world.entry().pk, "confirmed": "1", "note": WHY, "status": "cancelled"}
    world.admin.post(f"{ADMIN}/dlqentry/close/", body)


def describe(world: World) -> None:
    """Describe a namespace."""
    row = TaskNamespace.objects.get(name="test")
    path = f"/admin/templates_registry/tasknamespace/{row.pk}/change/"
    world.admin.post(path, {"description": "orders", "reason": WHY})


def make_key(world: World) -> None:
    """Make an API key."""
    body = {"name": "shop", "permissions": ["tasks:read"], "namespaces": "*", "reason": WHY}
    world.admin.post(f"{ADMIN}/apikey/new/", body)


def have_key(world: World) -> None:
    """Have a key that may be ended."""
    made = create_key(name="x", permissions=["*"], namespaces=[], granted_by=ANYBODY)
    world.prefix = made.key.prefix


def end_key(verb: str) -> Callable[[World], object]:
    """Return how a key is ended."""

    def end(world: World) -> None:
        path = f"{ADMIN}/apikey/{world.prefix}/{verb}/"
        world.admin.post(path, {"reason": WHY, "days": "5"})

    return end


ACTIONS = {
    "task retry_failed_steps": Action(on_task("retry_failed_steps")),
    "task cancel": Action(on_task("cancel")),
    "task resolve": Action(on_task("resolve")),
    "task give_up": Action(on_task("give_up")),
    "task reset": Action(on_task("reset"), on_task("give_up")),
    "workflowstep reset": Action(on_step("reset")),
    "workflowstep resolve": Action(on_step("resolve")),
    "workflowstep complete": Action(complete),
    "namedtask run": Action(run),
    "dlqentry note": Action(note, World.entry),
    "dlqentry close": Action(close, World.entry),
    "tasknamespace change": Action(describe),
    "apikey new": Action(make_key),
    "apikey revoke": Action(end_key("revoke"), have_key),
    "apikey expire": Action(end_key("expire"), have_key),
}
