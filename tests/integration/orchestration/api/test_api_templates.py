"""Templates over REST: lists, versions, content, graphs, and checks of what is not registered."""

import json

import pytest
import yaml
from django.utils import timezone

from orchestration.access.permissions import Permission
from orchestration.models import ProcessKind, TaskerProcess
from orchestration.testing import diamond, linear
from templates_registry import registry
from templates_registry.models import NamedTask
from templates_registry.schema import canonical
from tests.credentials import key, with_key
from tests.factories.dynamic import approval

pytestmark = pytest.mark.django_db

CHECK = "/v1/templates/validate"


def codes(answer):
    assert answer.status_code == 200, answer.content
    return [each["code"] for each in answer.json()["findings"] if each["severity"] != "info"]


def worker(*handlers, namespaces=("test",)):
    TaskerProcess.objects.create(
        worker_uuid=f"01890000-0000-7000-8000-{TaskerProcess.objects.count():012}",
        kind=ProcessKind.WORKER,
        name="w",
        hostname="h",
        pid=1,
        version="1",
        environment="test",
        namespaces=list(namespaces),
        handlers=list(handlers),
        deployment_mode="Hybrid",
    )


def test_the_list_holds_active_versions_the_latest_first(api):
    for version in ("1.2.0", "1.10.0", "1.9.0"):
        registry.register(linear(2, version=version, description="A chain."))
    registry.register(diamond(namespace="other"))
    NamedTask.objects.filter(version="1.9.0").update(retired_at=timezone.now())

    found = api.get("/v1/templates").json()
    narrowed = api.get("/v1/templates?namespace=other").json()

    told = [(each["namespace"], each["name"], each["version"]) for each in found["templates"]]
    assert told == [
        ("other", "diamond", "1.0.0"),
        ("test", "linear_2", "1.10.0"),
        ("test", "linear_2", "1.2.0"),
    ]
    assert found["total_count"] == 3
    assert found["templates"][1]["description"] == "A chain."
    assert found["templates"][1]["step_count"] == 2
    counts = {each["name"]: each["template_count"] for each in found["namespaces"]}
    assert (counts["test"], counts["other"]) == (2, 1)
    assert [each["name"] for each in narrowed["templates"]] == ["diamond"]
    assert [each["name"] for each in narrowed["namespaces"]] == ["other"]


def test_versions_are_listed_newest_first_with_retired_ones(api):
    for version in ("1.2.0", "1.10.0", "2.0.0-rc.1"):
        registry.register(linear(2, version=version))
    NamedTask.objects.filter(version="1.10.0").update(retired_at=timezone.now())

    found = api.get("/v1/templates/test/linear_2").json()

    assert [each["version"] for each in found] == ["1.10.0", "1.2.0", "2.0.0-rc.1"]
    assert [each["retired_at"] is None for each in found] == [False, True, True]


def test_a_template_is_shown_with_the_overrides_of_this_environment(api):
    template = linear(
        1,
        description="One step.",
        environments={"test": {"steps": [{"name": "ALL", "retry": {"max_attempts": 7}}]}},
    )
    registry.register(template)

    found = api.get("/v1/templates/test/linear_1/1.0.0").json()

    assert found["steps"] == [
        {
            "name": "step_1",
            "description": None,
            "default_retryable": True,
            "default_max_attempts": 7,
        }
    ]
    assert found["configuration"]["steps"][0]["retry"]["max_attempts"] == 7
    assert found["description"] == found["configuration"]["description"] == "One step."


def test_the_graph_of_a_template_is_rows_or_a_drawing(api):
    registry.register(approval())
    path = "/v1/templates/test/approval/1.0.0/graph"

    rows = api.get(path).json()
    drawing = api.get(f"{path}?format=mermaid", headers={"Accept": "application/json"})

    levels = {each["id"]: (each["step_type"], each["level"]) for each in rows["nodes"]}
    assert levels["decide"] == ("decision", 1)
    assert levels["finish"] == ("deferred_convergence", 3)
    assert {"from": "decide", "to": "small"} in rows["edges"]
    assert len(rows["edges"]) == 7
    assert drawing.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert drawing.content.decode().startswith("graph TD\n")


@pytest.mark.parametrize(
    "path",
    [
        "nowhere/linear_1",
        "test/nothing",
        "test/linear_1/9.9.9",
        "test/linear_1/9.9.9/graph",
        "test/linear_1/1.0.0/nothing",
    ],
)
def test_an_unknown_template_is_not_found(api, path):
    registry.register(linear(1))

    answer = api.get(f"/v1/templates/{path}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path", ["%00/linear_1", "test/%00", "test/linear_1/%00", "test/linear_1/%00/graph"]
)
def test_a_nul_character_in_a_name_is_refused(api, path):
    answer = api.get(f"/v1/templates/{path}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")


def test_another_form_of_graph_is_refused(api):
    registry.register(linear(1))

    assert api.get("/v1/templates/test/linear_1/1.0.0/graph?format=svg").status_code == 400


def test_templates_of_other_namespaces_are_not_there(api, settings):
    settings.TASKER = {"environment": "production"}
    registry.register(linear(1))
    registry.register(linear(1, namespace="foreign"))
    client = with_key(key([Permission.TEMPLATES_READ], ["test"]))

    assert "foreign" not in client.get("/v1/templates").content.decode()
    assert client.get("/v1/templates?namespace=foreign").json()["total_count"] == 0
    for path in ("", "/1.0.0", "/1.0.0/graph"):
        assert client.get(f"/v1/templates/test/linear_1{path}").status_code == 200
        assert client.get(f"/v1/templates/foreign/linear_1{path}").status_code == 404


@pytest.mark.parametrize("form", ["object", "yaml"])
def test_a_good_template_is_valid_and_not_registered(api, form):
    content = canonical(diamond())
    given = content if form == "object" else yaml.safe_dump(content)

    found = api.post(CHECK, {"template": given}).json()

    assert (found["valid"], found["step_count"], found["has_cycles"]) == (True, 4, False)
    assert not NamedTask.objects.filter(name="diamond").exists()


def test_everything_that_is_wrong_is_found_at_once(api):
    steps = [
        {"name": "a", "handler": {"callable": "x"}, "dependencies": ["b"]},
        {"name": "b", "handler": {"callable": ""}, "dependencies": ["a", "c"]},
    ]
    given = {"name": "loop", "namespace_name": "test", "version": "1.0.0", "steps": steps}

    answer = api.post(CHECK, {"template": given})

    assert set(codes(answer)) == {"EMPTY_CALLABLE", "MISSING_DEP_REF", "CYCLE_DETECTED"}
    found = answer.json()
    assert (found["valid"], found["has_cycles"], found["step_count"]) == (False, True, 2)
    places = {each["code"]: (each["path"], each["step"]) for each in found["findings"]}
    assert places["EMPTY_CALLABLE"][0] == "steps[1].handler.callable"


BAD_TEXTS = {
    "an alias": ("name: &a x\nnamespace_name: *a\n", "ALIAS_NOT_ALLOWED"),
    "a key twice": ("name: a\nname: b\n", "DUPLICATE_KEY"),
    "an object to be built": ("name: !!python/object/apply:os.system [ls]\n", "INVALID_YAML"),
    "not closed": ("name: [", "INVALID_YAML"),
    "a list": ("- a\n", "NOT_A_MAPPING"),
    "nothing": ("", "NOT_A_MAPPING"),
    "two documents": ("name: a\nsteps: []\n---\nname: b\nsteps: []\n", "NOT_A_MAPPING"),
    "too deep": ("a: " + "[" * 200 + "]" * 200, "TOO_LARGE"),
}


@pytest.mark.parametrize(("text", "code"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_bad_text_is_a_finding_not_an_error(api, text, code):
    answer = api.post(CHECK, {"template": text})

    assert code in codes(answer)
    assert answer.json()["valid"] is False


def test_a_reference_to_elsewhere_is_refused_and_not_followed(api):
    content = canonical(linear(1)) | {"input_schema": {"$ref": "http://localhost:9/schema.json"}}

    assert codes(api.post(CHECK, {"template": content})) == ["INVALID_SCHEMA"]


@pytest.mark.parametrize("given", [None, 5, [], True])
def test_what_is_no_template_at_all_is_refused(api, given):
    answer = api.post(CHECK, {"template": given})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert answer.json()["error"]["details"][0]["path"] == "template"


def test_a_body_over_a_megabyte_is_413(api):
    answer = api.post(CHECK, {"template": "#" * 1024 * 1024})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_callables_are_looked_for_among_live_workers_and_never_imported(api, tmp_path, monkeypatch):
    marker = tmp_path / "imported"
    (tmp_path / "trap_module.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    content = canonical(linear(1))
    content["steps"][0]["handler"] = {"callable": "trap_module.handler"}

    without_worker = codes(api.post(CHECK, {"template": content}))
    worker("test.echo")
    with_worker = api.post(CHECK, {"template": content})
    worker("trap_module.handler", namespaces=("foreign",))
    elsewhere = codes(api.post(CHECK, {"template": json.loads(json.dumps(content))}))
    worker("trap_module.handler")
    known = codes(api.post(CHECK, {"template": content}))

    assert without_worker == known == []
    assert codes(with_worker) == elsewhere == ["UNRESOLVED_HANDLER"]
    assert with_worker.json()["valid"] is True
    assert not marker.exists()
