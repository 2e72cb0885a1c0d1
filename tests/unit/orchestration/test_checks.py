"""Each refusal of the settings: its id, and that it names setting, value and the way out."""

import pytest
from django.conf import settings as django_settings

from orchestration.checks import check_settings, refuse_bad_settings
from templates_registry.conf import table, tables

GOOD_SECRET = "s" * 50


@pytest.fixture(autouse=True)
def _profile_only(monkeypatch, settings):
    """Let no variable of the machine reach these tests."""
    for source in tables():
        for row in table(source):
            for variable in row.variables:
                monkeypatch.delenv(variable, raising=False)
    settings.TASKER = {"environment": "test"}


def _found():
    return {message.id: message.msg for message in check_settings()}


def test_default_settings_of_the_test_profile_are_fine():
    assert _found() == {}


def test_unknown_key_in_code_is_refused_with_the_nearest_name(settings):
    settings.TASKER = {"environment": "test", "lease_second": 30}

    assert _found() == {
        "tasker.E001": "TASKER['lease_second'] is no setting of Tasker. Did you mean lease_seconds?"
    }


def test_unknown_variable_is_refused_with_the_nearest_name(monkeypatch):
    monkeypatch.setenv("TASKER_LEASE_SECOND", "30")

    assert "Did you mean TASKER_LEASE_SECONDS?" in _found()["tasker.E001"]


def test_unknown_variable_unlike_any_other_is_refused_without_a_guess(monkeypatch):
    monkeypatch.setenv("TASKER_ZZZ", "1")

    assert _found()["tasker.E001"] == "TASKER_ZZZ is no setting of Tasker. Remove it."


@pytest.mark.parametrize(
    "name", ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_8080_TCP_ADDR"]
)
def test_variables_that_kubernetes_derives_from_services_are_left_out(monkeypatch, name):
    monkeypatch.setenv(f"TASKER_WEB_{name}", "10.0.0.1")

    assert _found() == {}


@pytest.mark.parametrize(
    ("variable", "text", "check"),
    [
        ("TASKER_LEASE_SECONDS", "soon", "tasker.E002"),
        ("TASKER_LEASE_SECONDS", "1", "tasker.E003"),
        ("TASKER_MODE", "hybrid", "tasker.E003"),
        ("TASKER_DB_POOL_SIZE", "30-2", "tasker.E011"),
        ("TASKER_WORKER_POLL_MS", "0", "tasker.E003"),
    ],
)
def test_bad_value_is_refused_by_its_check(monkeypatch, variable, text, check):
    monkeypatch.setenv(variable, text)

    found = _found()

    assert list(found) == [check]
    assert f"(from {variable})" in found[check]


def test_unknown_environment_is_refused(settings):
    settings.TASKER = {"environment": "staging"}

    assert _found()["tasker.E004"] == (
        "ENVIRONMENT = 'staging' (from TASKER['environment']): "
        "must be one of development, test, production."
    )


@pytest.fixture
def production(settings):
    """Settings that production accepts."""
    settings.TASKER = {"environment": "production", "retention_task_days": 90}
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD_SECRET
    settings.ALLOWED_HOSTS = ["tasker.example.com"]
    return settings


def test_complete_production_settings_are_fine(production):
    assert _found() == {}


def test_production_that_keeps_finished_tasks_for_ever_is_warned(production):
    production.TASKER = {"environment": "production"}

    [message] = check_settings()

    assert message.id == "tasker.W002"
    assert not message.is_serious()
    assert "RETENTION_TASK_DAYS = 0" in message.msg


def test_development_may_keep_finished_tasks_for_ever(settings):
    settings.TASKER = {"environment": "development"}

    assert "tasker.W002" not in _found()


def test_debug_is_refused_in_production(production):
    production.DEBUG = True

    assert list(_found()) == ["tasker.E005"]


@pytest.mark.parametrize("secret", ["s" * 49, f"django-insecure-{GOOD_SECRET}"])
def test_weak_secret_is_refused_in_production(production, secret):
    production.SECRET_KEY = secret

    found = _found()

    assert list(found) == ["tasker.E007"]
    assert secret not in found["tasker.E007"]


@pytest.mark.parametrize("hosts", [[], ["*"], ["a.example.com", "*"]])
def test_open_or_missing_hosts_are_refused_in_production(production, hosts):
    production.ALLOWED_HOSTS = hosts

    assert list(_found()) == ["tasker.E008"]


POOLS = {"pool_results": "2-6", "pool_requests": "1-3", "pool_discovery": "1-1"}


def test_more_handlers_than_the_pool_can_carry_are_refused(settings):
    settings.DATABASES["default"].setdefault("OPTIONS", {}).setdefault("pool", {"max_size": 16})
    few = dict.fromkeys(POOLS, "1-1")
    settings.TASKER = {"environment": "test", "db_pool_size": "2-16", **few}

    assert _found()["tasker.E012"] == (
        "A worker with MAX_CONCURRENT_HANDLERS = 10 (from default) needs 14 connections, more than "
        "85 % of DB_POOL_SIZE = 2-16."
    )


def test_more_executors_than_the_pool_can_carry_are_refused(settings):
    settings.DATABASES["default"].setdefault("OPTIONS", {}).setdefault("pool", {"max_size": 16})
    few = {"max_concurrent_handlers": 1}
    settings.TASKER = {"environment": "test", "db_pool_size": "2-16", **few, **POOLS}

    assert _found()["tasker.E012"] == (
        "An orchestrator with POOL_RESULTS = 2-6 (from code), POOL_REQUESTS = 1-3 (from code), "
        "POOL_DISCOVERY = 1-1 (from code) needs 14 connections, more than 85 % of DB_POOL_SIZE = "
        "2-16."
    )


def test_executors_that_just_fit_into_the_pool_are_fine(settings):
    settings.TASKER = {"environment": "test", "db_pool_size": "2-17", **POOLS}

    assert _found() == {}


@pytest.mark.parametrize(("lease", "heartbeat", "is_fine"), [(30, 10, True), (29, 10, False)])
def test_heartbeat_must_be_at_most_a_third_of_the_lease(settings, lease, heartbeat, is_fine):
    settings.TASKER = {
        "environment": "test",
        "lease_seconds": lease,
        "heartbeat_seconds": heartbeat,
    }

    assert (_found() == {}) is is_fine
    if not is_fine:
        assert "third of LEASE_SECONDS = 29" in _found()["tasker.E013"]


def test_persistent_connections_beside_the_pool_are_refused(monkeypatch):
    database = django_settings.DATABASES["default"]
    monkeypatch.setitem(database, "CONN_MAX_AGE", 60)

    assert list(_found()) == ["tasker.E017"]


def test_bad_settings_end_a_process_with_code_2_and_say_why(monkeypatch, capsys):
    monkeypatch.setenv("TASKER_MODE", "hybrid")

    with pytest.raises(SystemExit) as ended:
        refuse_bad_settings()

    assert ended.value.code == 2
    assert "MODE = 'hybrid' (from TASKER_MODE)" in capsys.readouterr().err


def test_good_settings_let_a_process_start():
    refuse_bad_settings()


def test_only_a_process_that_shows_pages_is_stopped_by_theirs(settings):
    settings.ROOT_URLCONF = "tests.no_such_addresses"

    refuse_bad_settings()
    with pytest.raises((SystemExit, ModuleNotFoundError)):
        refuse_bad_settings(shows_pages=True)


def test_a_direct_address_of_something_else_is_refused(settings):
    settings.DATABASE_DIRECT_URL = "mysql://here/tasker"

    assert _found()["tasker.E016"].startswith("DATABASE_DIRECT_URL is no address")


@pytest.mark.parametrize(
    ("tiers", "is_fine"), [((1, 2, 3), True), ((2, 2, 3), False), ((1, 3, 3), False)]
)
def test_the_tiers_of_a_queue_must_ascend(settings, tiers, is_fine):
    names = ("queue_warning", "queue_critical", "queue_overflow")
    settings.TASKER = {"environment": "test", **dict(zip(names, tiers, strict=True))}

    found = _found()

    assert list(found) == ([] if is_fine else ["tasker.E014"])
    assert is_fine or "QUEUE_OVERFLOW = 3 (from TASKER['queue_overflow'])" in found["tasker.E014"]


@pytest.mark.parametrize("environment", ["development", "test"])
def test_the_tiers_of_a_profile_ascend(settings, environment):
    settings.TASKER = {"environment": environment}

    assert "tasker.E014" not in _found()


def test_a_statement_must_be_allowed_less_time_than_its_request(settings):
    settings.TASKER = {"environment": "test", "api_timeout_seconds": 5}

    assert _found() == {
        "tasker.E015": "API_STATEMENT_TIMEOUT_MS = 5000 (from TASKER_API_STATEMENT_TIMEOUT_MS): "
        "must be less than API_TIMEOUT_SECONDS = 5 (from TASKER['api_timeout_seconds'])."
    }


def test_what_a_person_sets_for_the_command_line_is_no_unknown_variable(monkeypatch):
    monkeypatch.setenv("TASKER_CLI_FORMAT", "json")

    assert _found() == {}
