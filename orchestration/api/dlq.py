"""The DLQ: entries, the queue of investigations, and what is on its way there."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import principal_of, scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.dlq_bodies import (
    DlqEntryChangedSerializer,
    DlqEntryChangeSerializer,
    DlqEntryRequestSerializer,
    DlqEntrySerializer,
    DlqStatsSerializer,
    QueuedDlqEntrySerializer,
    StalenessSerializer,
    entry_body,
    queued_body,
)
from orchestration.api.parsers import read_body
from orchestration.api.query import (
    choice,
    documented,
    integer,
    listed,
    read_query,
    read_uuid,
    text,
)
from orchestration.api.schema import total_count
from orchestration.api.tasks import TASK_PATH
from orchestration.api.view import ApiView, require_task
from orchestration.conf import staleness_settings
from orchestration.errors import NotFoundError
from orchestration.lifecycle import operator_actions
from orchestration.lifecycle.investigation import EntryChange, update_entry
from orchestration.lifecycle.staleness import limits_of
from orchestration.models import DlqReason, DlqResolution
from orchestration.queries import dlq, staleness
from orchestration.queries.dlq import EntryFilter, EntryRow
from orchestration.queries.transactions import atomically

ENTRY_PATH = OpenApiParameter("entry_uuid", OpenApiTypes.UUID, OpenApiParameter.PATH)
MOST = 500
PARAMETERS = [
    listed(
        choice(
            "resolution_status",
            "Any of these, also separated by commas.",
            choices=DlqResolution.values,
        ),
        commas=True,
    ),
    listed(
        choice("reason", "Any of these, also separated by commas.", choices=DlqReason.values),
        commas=True,
    ),
    text("namespace", "Of the task, or of the queue of a message that named none."),
    integer("limit", "Most entries to return.", least=1, greatest=MOST, default=50),
    integer("offset", "Entries to leave out.", least=0, greatest=2**31 - 1, default=0),
]
LIMIT = integer("limit", "Most rows to return.", least=1, greatest=MOST, default=100)


class DlqView(ApiView):
    """All entries."""

    required_permissions: ClassVar = {"GET": Permission.DLQ_READ}

    @extend_schema(
        operation_id="list_dlq_entries",
        tags=["dlq"],
        summary="List the entries of the DLQ, newest first",
        parameters=[
            *documented(PARAMETERS),
            total_count("entries"),
        ],
        responses=DlqEntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return entries, open and closed."""
        asked = read_query(request, PARAMETERS)
        wanted = EntryFilter(
            resolutions=asked["resolution_status"],
            reasons=asked["reason"],
            namespace=asked["namespace"],
        )
        scope = scope_of_request(request)
        found = dlq.find_entries(wanted, scope, limit=asked["limit"], offset=asked["offset"])
        return Response(
            [_entry(request, row) for row in found.rows],
            headers={"X-Total-Count": str(found.total_count)},
        )


class DlqTaskView(ApiView):
    """The investigation of one task."""

    required_permissions: ClassVar = {
        "GET": Permission.DLQ_READ,
        "POST": Permission.DLQ_UPDATE,
    }

    @extend_schema(
        operation_id="get_dlq_entry_of_task",
        tags=["dlq"],
        summary="Look at a task's pending entry, else at its newest",
        parameters=[TASK_PATH],
        responses=DlqEntrySerializer,
    )
    def get(self, request: Request, task_uuid: str) -> Response:
        """Return one entry."""
        read_query(request, ())
        return Response(_entry(request, _row(request, read_uuid(task_uuid, "task"))))

    @extend_schema(
        operation_id="create_dlq_entry",
        tags=["dlq"],
        summary="Open an investigation of a task",
        description="The task itself stays as it is; the detector leaves it alone meanwhile. 409 "
        "when it has a pending entry.",
        parameters=[TASK_PATH],
        request=DlqEntryRequestSerializer,
        responses={201: OpenApiResponse(DlqEntrySerializer, "Opened; reason `manual_dlq`.")},
    )
    def post(self, request: Request, task_uuid: str) -> Response:
        """Open an entry by hand."""
        read_query(request, ())
        uuid = read_uuid(task_uuid, "task")
        asked = read_body(request, DlqEntryRequestSerializer)
        require_task(request, uuid)
        actor = principal_of(request).name

        def work() -> dict[str, Any]:
            operator_actions.move_to_dlq(uuid, actor=actor, reason=asked["notes"])
            return _entry(request, _row(request, uuid))

        path = reverse("dlq-task", kwargs={"task_uuid": uuid})
        return Response(atomically(work), status=201, headers={"Location": path})


class DlqEntryView(ApiView):
    """One entry."""

    required_permissions: ClassVar = {"PATCH": Permission.DLQ_UPDATE}

    @extend_schema(
        operation_id="change_dlq_entry",
        tags=["dlq"],
        summary="Annotate or close an entry",
        description="Closing an entry starts nothing and changes no task.",
        parameters=[ENTRY_PATH],
        request=DlqEntryChangeSerializer,
        responses=DlqEntryChangedSerializer,
    )
    def patch(self, request: Request, entry_uuid: str) -> Response:
        """Write what was found, or how it ended."""
        read_query(request, ())
        uuid = read_uuid(entry_uuid, "DLQ entry")
        change = EntryChange(**read_body(request, DlqEntryChangeSerializer))
        if not dlq.has_entry(uuid, scope_of_request(request)):
            raise NotFoundError(f"There is no DLQ entry {uuid}")
        status = update_entry(uuid, change, actor=principal_of(request).name)
        message = f"DLQ entry {uuid} was changed; it is {status}"
        return Response({"success": True, "message": message, "dlq_entry_uuid": str(uuid)})


class DlqStatsView(ApiView):
    """The DLQ in numbers."""

    required_permissions: ClassVar = {"GET": Permission.DLQ_STATS}

    @extend_schema(
        operation_id="get_dlq_stats",
        tags=["dlq"],
        summary="Count the entries by reason and by how they ended",
        responses=DlqStatsSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return one row per reason."""
        read_query(request, ())
        rows = [row._asdict() for row in dlq.stats(scope_of_request(request))]
        return Response(DlqStatsSerializer(rows, many=True).data)


class InvestigationQueueView(ApiView):
    """What waits for an investigator."""

    required_permissions: ClassVar = {"GET": Permission.DLQ_READ}

    @extend_schema(
        operation_id="list_investigations",
        tags=["dlq"],
        summary="List pending entries, the most pressing first",
        parameters=documented([LIMIT]),
        responses=QueuedDlqEntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return pending entries with their urgency."""
        asked = read_query(request, [LIMIT])
        shows = _shows_context(request)
        queue = dlq.investigation_queue(scope_of_request(request), limit=asked["limit"])
        return Response([queued_body(each, shows_context=shows) for each in queue])


class StalenessView(ApiView):
    """What is on its way into the DLQ."""

    required_permissions: ClassVar = {"GET": Permission.DLQ_READ}

    @extend_schema(
        operation_id="list_staleness",
        tags=["dlq"],
        summary="List unfinished tasks, the nearest to a limit of staleness first",
        description="Where a template names no limit, the settings of the server decide.",
        parameters=documented([LIMIT]),
        responses=StalenessSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return tasks with their time in state."""
        asked = read_query(request, [LIMIT])
        limits = limits_of(staleness_settings())
        scope = scope_of_request(request)
        found = staleness.monitored_tasks(limits, scope, limit=asked["limit"])
        return Response(StalenessSerializer([row._asdict() for row in found], many=True).data)


def _row(request: Request, task_uuid: UUID) -> EntryRow:
    row = dlq.entry_of_task(task_uuid, scope_of_request(request))
    if row is None:
        raise NotFoundError(f"There is no DLQ entry of task {task_uuid}")
    return row


def _entry(request: Request, row: EntryRow) -> dict[str, Any]:
    return entry_body(row, shows_context=_shows_context(request))


def _shows_context(request: Request) -> bool:
    return principal_of(request).may(Permission.TASKS_CONTEXT_READ)
