"""`manage.py tasker template`, `handler`, `analytics`: the answers of the API, and exit codes."""

import pytest
import yaml

from orchestration.testing import diamond, linear
from templates_registry import registry
from templates_registry.models import NamedTask
from templates_registry.schema import canonical
from tests.command_line import tasker
from tests.factories.ticks import run_step, start

pytestmark = pytest.mark.django_db


def write(path, template, **more):
    path.write_text(yaml.safe_dump(canonical(template) | more))
    return path


def test_templates_are_listed_as_the_api_lists_them(api):
    registry.register(linear(2))
    registry.register(diamond(namespace="other", version="1.2.0"))

    assert tasker("template", "list").body == api.get("/v1/templates").json()
    assert tasker("template", "list", "-n", "other").body["total_count"] == 1
    table = tasker("template", "list", form="table").out
    assert "diamond" in table
    assert "No template" in tasker("template", "list", "-n", "nothing").err


def test_a_template_is_shown_in_its_latest_version_or_the_one_that_is_named(api):
    for version in ("1.9.0", "1.10.0"):
        registry.register(linear(2, version=version))

    latest = tasker("template", "info", "test/linear_2")
    named = tasker("template", "info", "test/linear_2:1.9.0")

    assert latest.body == api.get("/v1/templates/test/linear_2/1.10.0").json()
    assert named.body["version"] == "1.9.0"
    assert "step_2" in tasker("template", "info", "test/linear_2", form="table").out


@pytest.mark.parametrize(
    ("name", "code"), [("test/nothing", 3), ("test/linear_2:9.9.9", 3), ("nonsense", 2)]
)
def test_a_template_that_is_not_there_ends_with_its_code(name, code):
    registry.register(linear(2))

    assert tasker("template", "info", name).code == code


def test_files_are_registered_and_a_check_tells_what_would_change(tmp_path):
    path = write(tmp_path / "a.yaml", linear(2))

    would = tasker("template", "sync", "--check", path)
    assert not NamedTask.objects.filter(name="linear_2").exists()
    done = tasker("template", "sync", path)
    again = tasker("template", "sync", "--check", path)

    assert (would.code, done.code, again.code) == (1, 0, 0)
    assert done.body["templates"][0]["outcome"] == "created"
    assert again.body["templates"][0]["outcome"] == "unchanged"
    assert NamedTask.objects.filter(name="linear_2").exists()
    assert "1 templates: 1 unchanged" in again.err


def test_a_bad_file_is_refused_by_both(tmp_path):
    path = write(tmp_path / "a.yaml", linear(2), steps=[])

    checked, synced = tasker("template", "check", path), tasker("template", "sync", path)

    assert (checked.code, synced.code) == (1, 1)
    assert [each["code"] for each in checked.body[0]["findings"]] == ["NO_STEPS"]
    assert synced.body["templates"][0]["outcome"] == "rejected"
    assert "NO_STEPS" in tasker("template", "check", path, form="table").out


def test_a_good_file_passes_the_check_unless_warnings_count(tmp_path):
    path = write(tmp_path / "a.yaml", linear(1, steps={"step_1": {"handler": {"callable": "no"}}}))

    lenient, strict = (
        tasker("template", "check", path),
        tasker("template", "check", "--strict", path),
    )

    assert (lenient.code, strict.code) == (0, 1)
    assert lenient.body[0]["valid"] is True


@pytest.mark.parametrize("verb", ["sync", "check"])
def test_a_path_that_leads_nowhere_is_a_mistake(verb, tmp_path):
    ended = tasker("template", verb, tmp_path / "none.yaml")

    assert ended.code == 2
    assert "none.yaml" in ended.err


def test_pruning_looks_at_all_sources(tmp_path):
    assert tasker("template", "sync", "--prune", tmp_path).code == 2


def test_handlers_of_this_code_base_are_listed():
    everything = {each["callable"]: each["handler"] for each in tasker("handler", "list").body}

    assert list(everything) == sorted(everything)
    assert everything
    assert all(everything.values())
    assert tasker("handler", "list", "-n", "nothing").body == []


def test_handlers_are_narrowed_to_what_templates_of_a_namespace_name():
    name = tasker("handler", "list").body[0]["callable"]
    handler = {"callable": name}
    registry.register(linear(1, namespace="shop", steps={"step_1": {"handler": handler}}))

    (found,) = tasker("handler", "list", "-n", "shop").body

    assert found["callable"] == name


def test_the_resolver_that_answers_is_named():
    name = tasker("handler", "list").body[0]["callable"]

    registered = tasker("handler", "resolve", name).body
    by_path = tasker("handler", "resolve", "workers.testing.built_in.echo").body
    forced = tasker("handler", "resolve", name, "--resolver", "explicit_mapping").body

    assert (registered["callable"], registered["resolver"]) == (name, "explicit_mapping")
    assert registered["handler"]
    assert by_path["resolver"] != "explicit_mapping"
    assert forced == registered


def test_what_nobody_answers_for_is_not_found():
    ended = tasker("handler", "resolve", "no.such.Handler")
    other = tasker("handler", "resolve", "x", "--resolver", "nobody")

    assert (ended.code, other.code) == (3, 3)
    assert "explicit_mapping" in ended.error["message"]
    assert "nobody" in other.error["message"]


def test_analytics_say_what_the_api_says(api):
    start(linear(1))
    run_step()

    performance = tasker("analytics", "performance", "--hours=2", "-n", "test").body
    bottlenecks = tasker("analytics", "bottlenecks", "--min-executions=1", "-l", "5").body

    assert performance == api.get("/v1/analytics/performance?hours=2&namespace=test").json()
    assert performance["completed_tasks"] == 1
    assert bottlenecks == api.get("/v1/analytics/bottlenecks?min_executions=1&limit=5").json()


def test_analytics_are_a_table_for_people():
    start(linear(1))
    run_step()

    assert "completion_rate" in tasker("analytics", "performance", form="table").out
    shown = tasker("analytics", "bottlenecks", "--min-executions=1", form="table").out
    assert "test/linear_1@1.0.0" in shown


@pytest.mark.parametrize("option", ["--hours=0", "--hours=x", "--limit=101"])
def test_a_wrong_period_is_a_mistake(option):
    assert tasker("analytics", "bottlenecks", option).code == 2
