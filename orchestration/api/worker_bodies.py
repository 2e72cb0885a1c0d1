"""What a process looks like on the wire (api-and-operations 5.3)."""

from typing import Any

from rest_framework import serializers

from orchestration.models import ProcessKind, ProcessStatus
from orchestration.queries.process_list import STALE, ProcessLook

SAID_ELSEWHERE = ("namespaces", "worker_id")
STATES = (*ProcessStatus.values, STALE)


class ProcessSerializer(serializers.Serializer[Any]):
    """An orchestrator or a worker, as its last heartbeat said."""

    worker_uuid = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ProcessKind.choices)
    name = serializers.CharField()
    hostname = serializers.CharField()
    pid = serializers.IntegerField()
    version = serializers.CharField()
    environment = serializers.CharField()
    namespaces = serializers.ListField(child=serializers.CharField())
    deployment_mode = serializers.CharField()
    status = serializers.ChoiceField(choices=STATES)
    slots = serializers.IntegerField(help_text="Steps that it may run at once.")
    running = serializers.IntegerField(help_text="Steps that it has claimed.")
    started_at = serializers.DateTimeField()
    last_heartbeat_at = serializers.DateTimeField()
    report = serializers.DictField(help_text="Pools, counters and circuit breakers.")


def process_body(row: ProcessLook) -> dict[str, Any]:
    """Return the answer about one process."""
    report = {name: value for name, value in row.report.items() if name not in SAID_ELSEWHERE}
    body: dict[str, Any] = ProcessSerializer(row._replace(report=report)).data
    return body
