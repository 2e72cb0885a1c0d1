"""The OpenAPI document: committed as it is served, complete, and readable without internet."""

import re
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from orchestration.api import schema
from templates_registry.schema import validator_of
from tests.access_table import TABLE

COMMITTED = Path(schema.__file__).with_name("openapi.yaml")


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(COMMITTED.read_text("utf-8"))


def operations_of(document):
    """Yield method, path and operation of every call."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_committed_document_is_what_the_code_serves(tmp_path):
    written = tmp_path / "openapi.yaml"

    call_command("spectacular", validate=True, fail_on_warn=True, file=str(written))

    assert written.read_text("utf-8") == COMMITTED.read_text("utf-8"), "run make schema"


def test_every_call_is_documented(document):
    calls = {
        (method, re.sub(r"<str:(\w+)>", r"{\1}", route))
        for method, route in TABLE
        if route.startswith("/v1/") and route != "/v1/schema"
    }

    assert calls <= {(method, path) for method, path, _ in operations_of(document)}


def test_every_operation_documents_its_errors_and_its_permission(document):
    for method, path, operation in operations_of(document):
        name = f"{method} {path}"
        assert {"400", "401", "403", "503"} <= set(operation["responses"]), name
        required = operation["x-required-permission"]
        for each in [required] if isinstance(required, str) else required:
            assert re.fullmatch(r"\w+:\w+", each), name


def test_every_operation_has_examples_that_fit_their_schemas(document):
    seen = 0
    for method, path, operation in operations_of(document):
        body = operation.get("requestBody")
        answers = [each for code, each in operation["responses"].items() if code < "300"]
        for part in [body, *answers] if body else answers:
            told = part["content"]["application/json"]
            assert told.get("examples"), f"{method} {path} has no example"
            schema = {**told["schema"], "components": document["components"]}
            for example in told["examples"].values():
                validator_of(schema).validate(example["value"])
                seen += 1

    assert seen > 30


def test_every_operation_takes_a_key_in_either_place_or_a_session(document):
    schemes = document["components"]["securitySchemes"]

    assert schemes["bearer"]["scheme"] == "bearer"
    assert (schemes["api_key"]["in"], schemes["api_key"]["name"]) == ("header", "X-API-Key")
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [
                {name: []} for name in ("bearer", "api_key", "session")
            ]


def test_creating_documents_replay_conflict_and_limits(document):
    responses = document["paths"]["/v1/tasks"]["post"]["responses"]

    assert {"200", "201", "404", "409", "413", "415"} <= set(responses)


@pytest.mark.parametrize(
    "path", ["/api-docs/openapi.json", "/v1/schema", "/v1/schema/", "/api-docs/openapi.yaml"]
)
def test_the_document_is_served(api, path):
    answer = api.get(path)

    assert answer.status_code == 200
    assert "/v1/tasks" in yaml.safe_load(answer.content)["paths"]


@pytest.mark.parametrize("path", ["/api-docs/ui", "/api-docs/ui/"])
def test_the_page_loads_nothing_from_elsewhere(api, path):
    page = api.get(path).content.decode()

    assert r"/api\u002Ddocs/openapi.json" in page  # the page's script escapes the hyphen
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
