"""One row for every call of every process: what opens it, and what it answers within the scope.

A new endpoint needs a row here, or `test_access_table.py` fails. Paths are written as in routes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

from orchestration.access.permissions import Permission
from orchestration.queries import dlq
from orchestration.states import StepState, TaskState
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, linear

URLCONFS = ("tasker_project.urls", "orchestration.http.urls")
"""Of the web process and of the status servers."""
PUBLIC = {"health", "health-live", "health-ready", "health-detailed", "live", "ready", "metrics"}
METHODS = ("get", "post", "put", "patch", "delete")
NAMESPACE = "test"
OTHER_NAMESPACE = "foreign"


@dataclass(frozen=True, slots=True)
class Row:
    """A call; `elsewhere` is its answer about what lies outside of the credential's namespaces."""

    permission: Permission | tuple[Permission, ...] | None
    answer: int = 200
    elsewhere: int = 404
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def opened_by(self) -> tuple[Permission, ...]:
        """The permissions any one of which may open it."""
        if self.permission is None:
            return ()
        return self.permission if isinstance(self.permission, tuple) else (self.permission,)


class World(NamedTuple):
    """What there is to be asked for: the values of the parameters in routes."""

    task_uuid: str
    step_uuid: str
    entry_uuid: str
    namespace: str
    name: str = "linear_1"
    version: str = "1.0.0"

    @property
    def uuids(self) -> set[str]:
        """What nothing else in the world is called."""
        return {self.task_uuid, self.step_uuid, self.entry_uuid}


TASK = "/v1/tasks/<str:task_uuid>"
STEP = f"{TASK}/workflow_steps/<str:step_uuid>"
TEMPLATE = "/v1/templates/<str:namespace>/<str:name>"
CREATED = {"name": "linear_1", "namespace": NAMESPACE}
TABLE: Mapping[tuple[str, str], Row] = {
    ("get", "/v1/tasks"): Row(Permission.TASKS_LIST, elsewhere=200),
    ("post", "/v1/tasks"): Row(Permission.TASKS_CREATE, 201, 403, body=CREATED),
    ("post", "/v1/tasks/bulk"): Row(
        Permission.TASKS_CREATE, 201, 403, body={"tasks": [CREATED, CREATED]}
    ),
    ("get", TASK): Row(Permission.TASKS_READ),
    ("patch", TASK): Row(
        (Permission.STEPS_RESOLVE, Permission.TASKS_CANCEL),
        body={"action_type": "retry_failed_steps", "reason": "r"},
    ),
    ("delete", TASK): Row(Permission.TASKS_CANCEL),
    ("get", f"{TASK}/summary"): Row(Permission.TASKS_READ),
    ("get", f"{TASK}/context"): Row(Permission.TASKS_CONTEXT_READ),
    ("get", f"{TASK}/transitions"): Row(Permission.TASKS_READ),
    ("get", f"{TASK}/graph"): Row(Permission.STEPS_READ),
    ("get", f"{TASK}/workflow_steps"): Row(Permission.STEPS_READ),
    ("get", STEP): Row(Permission.STEPS_READ),
    ("patch", STEP): Row(
        Permission.STEPS_RESOLVE, body={"action_type": "reset_for_retry", "reason": "r"}
    ),
    ("get", f"{STEP}/audit"): Row(Permission.STEPS_READ),
    ("get", "/v1/templates"): Row(Permission.TEMPLATES_READ, elsewhere=200),
    ("post", "/v1/templates/validate"): Row(
        Permission.TEMPLATES_VALIDATE, elsewhere=200, body={"template": "name: a"}
    ),
    ("get", TEMPLATE): Row(Permission.TEMPLATES_READ),
    ("get", f"{TEMPLATE}/<str:version>"): Row(Permission.TEMPLATES_READ),
    ("get", f"{TEMPLATE}/<str:version>/graph"): Row(Permission.TEMPLATES_READ),
    ("get", "/v1/handlers"): Row(Permission.SYSTEM_HANDLERS_READ, elsewhere=200),
    ("get", "/v1/analytics/performance"): Row(Permission.SYSTEM_ANALYTICS_READ, elsewhere=200),
    ("get", "/v1/analytics/bottlenecks"): Row(Permission.SYSTEM_ANALYTICS_READ, elsewhere=200),
    ("get", "/v1/dlq"): Row(Permission.DLQ_READ, elsewhere=200),
    ("get", "/v1/dlq/task/<str:task_uuid>"): Row(Permission.DLQ_READ),
    ("post", "/v1/dlq/task/<str:task_uuid>"): Row(Permission.DLQ_UPDATE, 409, body={"notes": "n"}),
    ("patch", "/v1/dlq/entry/<str:entry_uuid>"): Row(
        Permission.DLQ_UPDATE, body={"resolution_notes": "n"}
    ),
    ("get", "/v1/dlq/stats"): Row(Permission.DLQ_STATS, elsewhere=200),
    ("get", "/v1/dlq/investigation-queue"): Row(Permission.DLQ_READ, elsewhere=200),
    ("get", "/v1/dlq/staleness"): Row(Permission.DLQ_READ, elsewhere=200),
    ("get", "/config"): Row(Permission.SYSTEM_CONFIG_READ, 404),  # unless it is switched on
    ("get", "/v1/workers"): Row(Permission.SYSTEM_HANDLERS_READ, elsewhere=200),
    ("get", "/v1/schema"): Row(None, elsewhere=200),
    ("get", "/api-docs/openapi.json"): Row(None, elsewhere=200),
    ("get", "/api-docs/openapi.yaml"): Row(None, elsewhere=200),
    ("get", "/api-docs/ui"): Row(None, elsewhere=200),
}


def make_world(namespace: str = NAMESPACE) -> World:
    """Insert a blocked task with a failed step and a pending entry of the DLQ."""
    template = TemplateFactory.create(template=linear(1, namespace=namespace))
    task = TaskFactory.create(
        named_task=template,
        state=TaskState.BLOCKED_BY_FAILURES,
        context={"secret": f"context of {namespace}"},
    )
    step = StepFactory.create(task=task, name="step_1", state=StepState.ERROR)
    entry = dlq.create_entry(task.pk, reason="manual_dlq", metadata={})
    return World(str(task.pk), str(step.pk), str(entry), namespace)


def path_in(route: str, world: World) -> str:
    """Return the address of a route about what is in the world."""
    for name, value in world._asdict().items():
        route = route.replace(f"<str:{name}>", value)
    return route


def body_in(row: Row, namespace: str) -> dict[str, Any]:
    """Return the body of a call as it is sent about another namespace."""
    told = {"namespace": namespace}
    many = row.body.get("tasks")
    return {**row.body, **told} | ({"tasks": [each | told for each in many]} if many else {})


def calls_of(urlconf: str) -> Iterator[tuple[str, str]]:
    """Yield method and route of every call that asks for a permission."""
    for route, pattern in _patterns(get_resolver(urlconf), "/"):
        view = getattr(pattern.callback, "cls", None)
        if view is None:
            assert pattern.name in PUBLIC, f"{route} neither declares a permission nor is public"
            continue
        for method in METHODS if route != "/v1/" else ():  # that one answers 404 to everything
            if hasattr(view, method):
                yield method, route


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield route, pattern
        elif pattern.app_name != "admin":  # its pages have tests of their own
            yield from _patterns(pattern, route)
