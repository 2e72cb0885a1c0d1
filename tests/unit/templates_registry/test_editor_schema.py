"""The JSON Schema for editors: up to date, and of one mind with the loader."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from jsonschema import Draft202012Validator

from templates_registry.registry.sources import EXAMPLES
from templates_registry.schema.editor import COPY, editor_schema, editor_schema_text

VALIDATOR = Draft202012Validator(editor_schema())
HERE = Path(__file__).parent


def complaints(text: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def steps(step: str) -> str:
    return f"{{name: t, namespace_name: n, version: 1.0.0, steps: [{step}]}}"


def test_the_copy_is_up_to_date() -> None:
    assert COPY.read_text(encoding="utf-8") == editor_schema_text(), (
        "run: python manage.py template_schema -o templates_registry/template.schema.json"
    )


def test_it_is_a_schema_itself() -> None:
    Draft202012Validator.check_schema(editor_schema())


def test_the_command_prints_and_writes_it(tmp_path: Path) -> None:
    out, file = StringIO(), tmp_path / "schema.json"

    call_command("template_schema", stdout=out)
    call_command("template_schema", output=str(file))

    assert out.getvalue() == file.read_text(encoding="utf-8") == editor_schema_text()


@pytest.mark.parametrize("path", [HERE / "parcel_return.yaml", *EXAMPLES.glob("*.yaml")], ids=str)
def test_good_templates_pass(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "step",
    [
        "{name: a, handler: text}",
        "{name: a, handler: {callable: x}, step_type: decision_point, depends_on: []}",
        "{name: a, handler: x, type: deferred, retry_limit: 3}",
        "{name: a, handler: x, retry: {limit: 3, initial_delay: 0.5, max_delay: 60}}",
        "{name: a, handler: x, publishes_events: [a.b, {name: c.d}]}",
        "{name: a, handler: x, retry: null, dependencies: null, type: null, timeout_seconds: null}",
        "{name: a, handler: {callable: x, method: null}, unknown: 1}",
    ],
)
def test_every_accepted_spelling_passes(step: str) -> None:
    assert complaints(steps(step)) == []


def test_the_old_name_of_the_namespace_and_a_bare_version_pass() -> None:
    text = "{name: t, namespace: n, version: 1.10, task_handler: x, steps: [{name: a, handler: x}]}"

    assert complaints(text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{}", "$"),
        ("{name: t, version: 1.0.0, steps: [{name: a, handler: x}]}", "$"),
        ("{name: t, namespace: n, version: 1.0.0, steps: []}", "$.steps"),
        (steps("{name: a}"), "$.steps[0]"),
        (steps("{name: a, handler: x, type: nonsense}"), "$.steps[0].type"),
        (steps("{name: a, handler: x, timeout_seconds: 0}"), "$.steps[0].timeout_seconds"),
        (steps("{name: a, handler: x, retry: {max_attempts: 101}}"), "$.steps[0].retry"),
        ("{name: t, namespace: N, version: 1.0.0, steps: [{name: a, handler: x}]}", "$.namespace"),
    ],
)
def test_mistakes_are_shown_where_they_are(text: str, place: str) -> None:
    assert set(complaints(text)) == {place}


def test_old_spellings_are_marked() -> None:
    schema = editor_schema()
    step: dict[str, Any] = schema["$defs"]["StepTemplate"]["properties"]

    assert schema["properties"]["namespace"]["deprecated"]
    assert schema["$defs"]["RetryPolicy"]["properties"]["limit"]["deprecated"]
    assert step["retry_limit"]["deprecated"]
    assert step["timeout_seconds"]["description"].startswith("Per dispatch")
    assert schema["additionalProperties"] is True
