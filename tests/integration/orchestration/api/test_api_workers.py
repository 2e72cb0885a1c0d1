"""GET /v1/workers: who runs, as far as the caller may see."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orchestration.access.permissions import Permission
from orchestration.models import TaskerProcess
from tests.credentials import key, with_key

pytestmark = pytest.mark.django_db


def process(name, kind="worker", **given):
    columns = {
        "worker_uuid": uuid4(),
        "kind": kind,
        "name": name,
        "hostname": "h",
        "pid": 7,
        "version": "1",
        "environment": "test",
        "deployment_mode": "Hybrid",
        "report": {"slots": {"size": 2, "busy": 1}, "namespaces": ["test", "secret"]},
    }
    return TaskerProcess.objects.create(**columns | given)


@pytest.fixture
def four():
    """Insert an orchestrator, a worker of two namespaces, a silent one, and one that ended."""
    process("o-1", kind="orchestrator")
    process("w-1", namespaces=["test", "secret"])
    silent = timezone.now() - timedelta(minutes=5)
    process("w-2", namespaces=["secret"], last_heartbeat_at=silent)
    process("gone", namespaces=["test"], status="stopped")


def test_processes_that_run_or_should_are_listed(four, api):
    rows = {row["name"]: row for row in api.get("/v1/workers").json()}

    assert {name: row["status"] for name, row in rows.items()} == {
        "o-1": "running",
        "w-1": "running",
        "w-2": "stale",
    }
    assert rows["w-1"]["report"] == {"slots": {"size": 2, "busy": 1}}
    assert rows["w-1"]["namespaces"] == ["test", "secret"]


def test_workers_of_one_namespace_are_listed(four, api):
    assert [row["name"] for row in api.get("/v1/workers?namespace=test").json()] == ["w-1"]
    assert api.get("/v1/workers?namespace=nope").json() == []
    assert api.get("/v1/workers?kind=worker").status_code == 400


def test_a_scope_hides_other_workers_and_the_names_of_other_namespaces(four, settings):
    settings.TASKER = {"environment": "production"}
    client = with_key(key([Permission.SYSTEM_HANDLERS_READ], ["test"]))

    answer = client.get("/v1/workers")

    rows = {row["name"]: row["namespaces"] for row in answer.json()}
    assert rows == {"o-1": [], "w-1": ["test"]}
    assert b"secret" not in answer.content
    assert client.get("/v1/workers?namespace=secret").json() == []
