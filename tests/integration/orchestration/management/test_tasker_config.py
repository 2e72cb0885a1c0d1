"""`manage.py tasker config` and `/config`: what is in force, why, and never a secret."""

import json
from functools import partial

import pytest
from django.contrib.auth.models import Group

from orchestration.access.permissions import Permission
from orchestration.configuration import connections_needed
from tests import command_line
from tests.credentials import key, with_key

pytestmark = pytest.mark.django_db
tasker = partial(command_line.tasker, "config")
ADDRESS = "postgresql://ann:s3cret@db.example/tasker"


def test_every_setting_is_shown_with_its_value_and_its_source(settings, monkeypatch):
    settings.TASKER = {"lease_seconds": 12, "db_pool_size": "1-9"}
    monkeypatch.setenv("TASKER_SWEEP_SECONDS", "7")

    body = tasker("show").body

    found = body["settings"]
    assert body["environment"] == "test"
    assert found["LEASE_SECONDS"] == {
        "value": 12,
        "source": "code",
        "variable": "TASKER['lease_seconds']",
    }
    assert found["DB_POOL_SIZE"]["value"] == "1-9"
    assert found["SWEEP_SECONDS"]["source"] == "environment"
    assert found["HEARTBEAT_SECONDS"] == {
        "value": 2,
        "source": "profile",
        "variable": "TASKER_HEARTBEAT_SECONDS",
    }
    assert found["POISON_READ_COUNT"]["source"] == "default"
    assert set(tasker("show", "--changed").body["settings"]) >= {"LEASE_SECONDS", "SWEEP_SECONDS"}
    assert "POISON_READ_COUNT" not in tasker("show", "--changed").body["settings"]


def test_secrets_are_hidden_wherever_settings_are_shown(settings, monkeypatch, api):
    monkeypatch.setenv("DATABASE_URL", ADDRESS)
    monkeypatch.setenv("DJANGO_SECRET_KEY", "s" * 60)
    settings.TASKER = {
        "metrics_token": "t0ken",
        "api_keys": [{"key": "tsk_plain", "permissions": ["*"]}],
        "config_endpoint_enabled": True,
    }

    told = [
        tasker("show").out,
        tasker("show", form="table").out,
        tasker("explain", "METRICS_TOKEN").out,
        tasker("validate").out,
        api.get("/config").content.decode(),
    ]

    for text in told:
        for secret in ("s3cret", "ssssss", "t0ken", "tsk_plain"):
            assert secret not in text
    assert tasker("show").body["settings"]["DATABASE_URL"]["value"] == "***"
    assert json.loads(told[-1])["settings"]["METRICS_TOKEN"]["value"] == "***"


def test_the_settings_are_served_only_where_that_is_wanted(settings, api):
    settings.TASKER = {}
    assert api.get("/config").status_code == 404

    settings.TASKER = {"config_endpoint_enabled": True}
    assert api.get("/config").json() == tasker("show").body
    assert api.get("/config?x=1").status_code == 400


def test_only_who_may_read_the_settings_does(settings):
    settings.TASKER = {"environment": "production", "config_endpoint_enabled": True}

    allowed = with_key(key([Permission.SYSTEM_CONFIG_READ], ["*"]))
    other = with_key(key([Permission.WORKER_CONFIG_READ], ["*"]))

    assert allowed.get("/config").status_code == 200
    assert other.get("/config").status_code == 403


def test_a_setting_is_explained_by_name_or_variable(settings):
    settings.TASKER = {}

    body = tasker("explain", "lease_seconds").body

    assert body == tasker("explain", "TASKER_LEASE_SECONDS").body
    assert body["meaning"] == "lease of a claimed step, and message visibility"
    assert body["allowed"] == "a whole number from 5 to 3600 (seconds)"
    assert (body["default"], body["profiles"], body["value"]) == (30, {"test": 6}, 6)
    assert tasker("explain", "DATABASE_URL").body["variable"] == "DATABASE_URL"
    unknown = tasker("explain", "lease_second")
    assert (unknown.code, "did you mean LEASE_SECONDS" in unknown.err) == (3, True)


def test_everything_is_checked_also_what_only_the_database_knows(settings):
    settings.TASKER = {}
    assert tasker("validate").body["valid"] is True
    Group.objects.create(name="ns:nowhere")

    ended = tasker("validate", "--web=2", "--orchestrators=1", "--workers=3")

    assert (ended.code, ended.body["valid"]) == (0, True)  # a warning
    assert ended.body["problems"][0]["id"] == "tasker.W004"
    assert "nowhere" in ended.body["problems"][0]["message"]
    assert ended.body["connections_needed"] == connections_needed(web=2, orchestrators=1, workers=3)
    assert "the server allows" in ended.err or "80 %" in ended.err


def test_bad_settings_can_be_shown_and_fail_the_validation(settings):
    settings.TASKER = {"lease_seconds": 1}

    ended = tasker("validate")

    assert (ended.code, ended.body["valid"]) == (1, False)
    assert ended.body["problems"][0]["id"] == "tasker.E003"
    assert tasker("show").code == 0
    assert command_line.tasker("queue", "list").code == 2


def test_connections_are_summed_up_by_the_rule_of_the_contract(settings):
    settings.TASKER = {
        "db_pool_size": "2-20",
        "pool_results": "1-4",
        "pool_requests": "1-2",
        "pool_discovery": "1-1",
        "max_concurrent_handlers": 8,
    }

    assert connections_needed(web=2, orchestrators=1, workers=3) == 2 * 20 + 12 + 3 * 13


def test_the_example_of_a_file_env_is_printed():
    assert "# TASKER_LEASE_SECONDS=30" in tasker("env", form="table").out.splitlines()
    assert tasker("env").body["text"] == tasker("env", form="table").out
