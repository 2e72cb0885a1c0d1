"""A report that meets a heartbeat of its own claim is accepted, whichever comes first."""

import json
import threading
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction

from orchestration.client import create_task
from orchestration.messaging.messages import worker_queue
from orchestration.queries.steps import Claim, StepReport, claim_steps, extend_leases, report_steps
from templates_registry import registry

pytestmark = pytest.mark.django_db(transaction=True)
NAMESPACE = "report_races"


@pytest.fixture
def claim() -> Claim:
    template = {
        "name": "work",
        "namespace_name": NAMESPACE,
        "version": "1.0.0",
        "steps": [{"name": "only", "handler": {"callable": "anything"}}],
    }
    registry.register(registry.load_text(json.dumps(template)))
    create_task("work", namespace=NAMESPACE)
    (found,) = claim_steps(worker_queue(NAMESPACE), worker_uuid=uuid4(), limit=1, lease_seconds=30)
    return found


def key(claim: Claim) -> tuple[UUID, int]:
    return claim.workflow_step_uuid, claim.state_version


def success(claim: Claim) -> StepReport:
    return StepReport(claim.workflow_step_uuid, claim.state_version, True, "{}")


def is_somebody_waiting_for_a_lock() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_a_report_that_waited_for_a_heartbeat_is_not_taken_for_stale(claim, eventually):
    """Symptom: the result was refused as stale and the step stayed in progress."""
    report = success(claim)
    answers: list[dict[UUID, Any]] = []

    def send() -> None:
        answers.append(report_steps([report]))
        connections.close_all()

    reporting = threading.Thread(target=send)
    with transaction.atomic():
        assert extend_leases([key(claim)], lease_seconds=60)
        reporting.start()
        eventually(is_somebody_waiting_for_a_lock)
    reporting.join(5)

    assert answers[0][claim.workflow_step_uuid].accepted


def test_a_heartbeat_does_not_wait_for_the_report_and_says_lost_only_after_it(claim):
    kept: list[dict[UUID, Any]] = []

    def beat() -> None:
        kept.append(extend_leases([key(claim)], lease_seconds=60))
        connections.close_all()

    beating = threading.Thread(target=beat)
    with transaction.atomic():
        report_steps([success(claim)])
        beating.start()
        beating.join(10)
        assert kept == [{claim.workflow_step_uuid: claim.lease_until}]

    assert extend_leases([key(claim)], lease_seconds=60) == {}


def test_many_reports_among_heartbeats_are_all_accepted():
    template = {
        "name": "wide",
        "namespace_name": NAMESPACE,
        "version": "1.0.0",
        "steps": [{"name": f"s{n}", "handler": {"callable": "anything"}} for n in range(60)],
    }
    registry.register(registry.load_text(json.dumps(template)))
    create_task("wide", namespace=NAMESPACE)
    claims = claim_steps(worker_queue(NAMESPACE), worker_uuid=uuid4(), limit=60, lease_seconds=30)
    stop = threading.Event()

    def beat() -> None:
        while not stop.is_set():
            extend_leases([key(each) for each in claims], lease_seconds=60)
        connections.close_all()

    beating = threading.Thread(target=beat)
    beating.start()
    refused = []
    for each in claims:
        answer = report_steps([success(each)])
        refused += [uuid for uuid, verdict in answer.items() if not verdict.accepted]
        time.sleep(0)
    stop.set()
    beating.join(5)

    assert refused == []
