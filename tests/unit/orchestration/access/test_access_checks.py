"""Each refusal of what guards the doors: its id, the value and its source, never a secret."""

import json

import pytest

from orchestration.access.checks import check_access
from templates_registry.conf import table, tables

HASH = "a" * 64
TOKEN = {"metrics_token": "t"}
GOOD = {"key_sha256": HASH, "permissions": ["tasks:*"], "namespaces": ["*"]}


@pytest.fixture(autouse=True)
def _profile_only(monkeypatch):
    for source in tables():
        for row in table(source):
            for variable in row.variables:
                monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def given(settings):
    """Return a function that sets what is given in code, and the environment."""

    def choose(environment: str, **values) -> None:
        settings.TASKER = {"environment": environment, **values}

    return choose


def found() -> dict[str | None, str]:
    return {message.id: message.msg for message in check_access()}


def test_the_test_profile_and_development_are_fine(given, settings):
    given("test")
    assert found() == {}
    given("development")
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["localhost"]
    assert found() == {}


def test_production_needs_no_more_than_a_metrics_token(given):
    given("production", **TOKEN)
    assert found() == {}
    given("production")
    assert list(found()) == ["tasker.W003"]


def test_production_without_authentication_is_refused(given, monkeypatch):
    given("production", **TOKEN, auth_enabled=False)
    assert found()["tasker.E006"].startswith(
        "AUTH_ENABLED = false (from TASKER['auth_enabled']) in production"
    )
    given("production", **TOKEN)
    monkeypatch.setenv("TASKER_AUTH_ENABLED", "false")
    assert "(from TASKER_AUTH_ENABLED)" in found()["tasker.E006"]


def test_development_without_debug_needs_authentication(given, settings):
    settings.DEBUG = False
    given("development")
    assert list(found()) == ["tasker.E006"]
    given("development", auth_enabled=True)
    assert found() == {}


def test_an_open_development_on_a_foreign_host_is_warned(given, settings):
    given("development")
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["localhost", "tasker.example"]
    assert "tasker.example" in found()["tasker.W001"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"key_sha256": "A" * 64}, "64 hexadecimal digits"),
        ({"key": "secret-text"}, "either key_sha256 or key"),
        ({"permissions": ["tasks:raed"]}, "did you mean 'tasks:read'"),
        ({"permissions": None}, "a list of permissions"),
        ({"namespaces": ["Bad"]}, "'Bad' is no namespace"),
        ({"secret": "x"}, "unknown field 'secret'"),
    ],
)
def test_a_bad_declared_key_is_refused_by_its_place(given, change, told):
    given("test", api_keys=[GOOD, GOOD | change])

    text = found()["tasker.E002"]

    assert text.startswith("API_KEYS[1] (from TASKER['api_keys'])")
    assert told in text
    assert "secret-text" not in text


def test_an_entry_that_is_no_object_is_refused(given):
    given("test", api_keys=["secret-text"])
    assert found() == {"tasker.E002": "API_KEYS[0] (from TASKER['api_keys']) is no object."}


def test_a_plain_key_is_refused_in_production_only(given):
    plain = {"key": "secret-text", "permissions": ["*"], "namespaces": ["*"]}
    given("test", api_keys=[plain])
    assert found() == {}
    given("production", **TOKEN, api_keys=[plain])
    assert list(found()) == ["tasker.E010"]
    assert "secret-text" not in found()["tasker.E010"]


def test_keys_may_come_from_the_environment(given, monkeypatch):
    given("test")
    monkeypatch.setenv("TASKER_API_KEYS", json.dumps([GOOD | {"namespaces": []}]))
    assert found() == {}
    monkeypatch.setenv("TASKER_API_KEYS", "[{")
    assert found() == {}  # E002 of orchestration.checks, which does not print it


@pytest.mark.parametrize("name", ["api_key_header", "proxy_ssl_header"])
def test_a_header_name_that_is_none_is_refused(given, name):
    given("test", **{name: "X Key\r\n"})
    assert name.upper() in found()["tasker.E003"]


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "ftp://shop.example"])
def test_a_malformed_origin_is_refused(given, origin):
    given("test", cors_origins=["https://good.example:8443", origin])
    assert repr(origin) in found()["tasker.E003"]


def test_every_origin_is_refused_in_production(given):
    given("production", **TOKEN, cors_origins=["*"])
    assert list(found()) == ["tasker.E008"]
