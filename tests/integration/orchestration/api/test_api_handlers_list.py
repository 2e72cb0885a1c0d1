"""Handlers over REST: what live workers have registered, within the caller's namespaces."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orchestration.access.permissions import Permission
from orchestration.models import ProcessKind, ProcessStatus, TaskerProcess
from tests.credentials import key, with_key

pytestmark = pytest.mark.django_db


def process(*handlers, namespaces, kind=ProcessKind.WORKER, age=0.0, status="running"):
    TaskerProcess.objects.create(
        worker_uuid=uuid4(),
        kind=kind,
        name="p",
        hostname="h",
        pid=1,
        version="1",
        environment="test",
        namespaces=list(namespaces),
        handlers=list(handlers),
        deployment_mode="Hybrid",
        status=status,
        last_heartbeat_at=timezone.now() - timedelta(seconds=age),
    )


@pytest.fixture
def three():
    process("a.charge", "a.ship", namespaces=["shop"])
    process("a.charge", namespaces=["shop", "bank"])
    process("a.draining", namespaces=["bank"], status=ProcessStatus.DRAINING)
    process("a.stopped", namespaces=["shop"], status=ProcessStatus.STOPPED)
    process("a.silent", namespaces=["shop"], age=3600)
    process("a.engine", namespaces=["shop"], kind=ProcessKind.ORCHESTRATOR)


def test_callables_of_live_workers_are_listed_once(api, three):
    assert api.get("/v1/handlers").json() == [
        {"callable": "a.charge", "namespaces": ["bank", "shop"], "workers": 2},
        {"callable": "a.draining", "namespaces": ["bank"], "workers": 1},
        {"callable": "a.ship", "namespaces": ["shop"], "workers": 1},
    ]


def test_a_namespace_narrows_callables_and_counts(api, three):
    assert api.get("/v1/handlers?namespace=bank").json() == [
        {"callable": "a.charge", "namespaces": ["bank"], "workers": 1},
        {"callable": "a.draining", "namespaces": ["bank"], "workers": 1},
    ]
    assert api.get("/v1/handlers?namespace=nothing").json() == []


def test_other_namespaces_are_not_shown(settings, three):
    settings.TASKER = {"environment": "production"}
    client = with_key(key([Permission.SYSTEM_HANDLERS_READ], ["shop"]))

    found = client.get("/v1/handlers").json()

    assert [(each["callable"], each["namespaces"], each["workers"]) for each in found] == [
        ("a.charge", ["shop"], 2),
        ("a.ship", ["shop"], 1),
    ]
    assert client.get("/v1/handlers?namespace=bank").json() == []
