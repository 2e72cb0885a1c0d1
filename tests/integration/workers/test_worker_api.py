"""What a worker answers over HTTP besides its probes: who may ask, and what is told."""

import pytest
from django.db import transaction

from orchestration.access.permissions import Permission
from orchestration.errors import NotFoundError
from orchestration.queries.scope import EVERYTHING, NOTHING, Scope
from orchestration.testing import TemplateFactory, linear
from templates_registry.models import NamedTask
from tests.access_table import NAMESPACE, calls_of
from tests.credentials import Client, every_kind
from workers.api.templates import template, templates

pytestmark = [pytest.mark.django_db, pytest.mark.urls("workers.api.urls")]
OPENED_BY = {
    "/config": Permission.WORKER_CONFIG_READ,
    "/v1/templates": Permission.WORKER_TEMPLATES_READ,
    "/v1/templates/<str:namespace>/<str:name>/<str:version>": Permission.WORKER_TEMPLATES_READ,
}


@pytest.fixture
def registered():
    """Register two templates of our namespace and one of another."""
    for each in (linear(1), linear(2), linear(1, namespace="foreign")):
        TemplateFactory.create(template=each)


def status_of(make: Client, path: str) -> int:
    with transaction.atomic():  # each kind of credential in the same world
        status: int = make().get(path).status_code
        transaction.set_rollback(True)
    return status


def test_every_call_of_a_worker_asks_for_its_permission():
    assert {route for _, route in calls_of("workers.api.urls")} == set(OPENED_BY)


@pytest.mark.parametrize("route", OPENED_BY)
def test_a_worker_lets_in_who_may_and_nobody_else(settings, route):
    settings.TASKER = {"environment": "production", "config_endpoint_enabled": True}
    answers = 404 if "<" in route else 200  # without a running worker nothing is served
    path = route.replace("<str:", "").replace(">", "")

    found = {
        kind: status_of(make, path)
        for kind, make in every_kind([OPENED_BY[route]], NAMESPACE).items()
    }

    refused = {kind for kind, status in found.items() if status in (401, 403)}
    assert {found[kind] for kind in ("key", "key with wildcards", "staff", "superuser")} == {
        answers
    }
    assert {
        "nothing",
        "no key at all",
        "a token",
        "unknown key",
        "expired key",
        "revoked key",
        "key without permission",
        "plain user",
        "inactive user",
        "staff without permission",
    } == refused


def test_the_probes_of_a_worker_are_public(settings, api):
    settings.TASKER = {"environment": "production"}

    assert api.get("/health/live").status_code == 200
    assert b"tasker_process_info" in api.get("/metrics").content
    assert api.get("/v1/templates?x=1").status_code == 401


def test_unknown_parameters_are_refused(api):
    assert api.get("/v1/templates?x=1").status_code == 400


def test_only_templates_that_are_served_and_seen_are_listed(registered):
    NamedTask.objects.filter(name="linear_2").update(retired_at="2020-01-01T00:00:00Z")

    body = templates(["test"], EVERYTHING)

    assert body["total_count"] == 1
    assert body["templates"] == [
        {
            "name": "linear_1",
            "namespace": "test",
            "version": "1.0.0",
            "description": None,
            "step_count": 1,
        }
    ]
    assert [(each["name"], each["template_count"]) for each in body["namespaces"]] == [("test", 1)]
    assert templates(["test"], NOTHING)["templates"] == []
    assert templates(["test", "foreign"], Scope(frozenset({"foreign"})))["total_count"] == 1


def test_a_template_is_shown_with_the_state_of_its_handlers(registered):
    body = template(["test"], EVERYTHING, namespace="test", name="linear_1", version="1.0.0")

    assert body["steps"] == [
        {
            "name": "step_1",
            "description": None,
            "default_retryable": True,
            "default_max_attempts": 3,
        }
    ]
    assert body["configuration"]["name"] == "linear_1"
    (handler,) = body["handlers"]
    assert (handler["step"], handler["callable"]) == ("step_1", "test.echo")
    assert handler["resolved"] is (handler["resolver"] is not None)


@pytest.mark.parametrize(
    ("served", "scope", "version"),
    [
        (["foreign"], EVERYTHING, "1.0.0"),
        (["test"], NOTHING, "1.0.0"),
        (["test"], EVERYTHING, "9.9.9"),
    ],
)
def test_a_template_that_is_not_served_or_not_seen_is_not_found(registered, served, scope, version):
    with pytest.raises(NotFoundError, match="serves no template"):
        template(served, scope, namespace="test", name="linear_1", version=version)
