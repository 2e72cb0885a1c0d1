"""Old and alternative spellings read as the canonical ones."""

from typing import Any

import pytest

from templates_registry.schema import canonical, digest, inspect_data, inspect_text
from templates_registry.schema.spelling import spell


def template(**rest: Any) -> dict[str, Any]:
    step = {"name": "a", "handler": {"callable": "x"}, **rest}
    return {"name": "t", "namespace_name": "n", "version": "1.0.0", "steps": [step]}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"handler": "x"}, {}),
        ({"type": "deferred"}, {"type": "deferred_convergence"}),
        ({"step_type": "decision_point"}, {"type": "decision"}),
        ({"retry": {"limit": 5}}, {"retry": {"max_attempts": 5}}),
        ({"retry": {"limit": 5, "max_attempts": 2}}, {"retry": {"max_attempts": 2}}),
        ({"retry_limit": 4}, {"retry": {"max_attempts": 4}}),
        ({"retry_limit": 4, "retry": {"limit": 2}}, {"retry": {"max_attempts": 2}}),
        (
            {"retry_limit": 4, "retry": {"backoff": "none"}},
            {"retry": {"max_attempts": 4, "backoff": "none"}},
        ),
        (
            {"retry": {"initial_delay": 0.25, "max_delay": 60}},
            {"retry": {"backoff_base_ms": 250, "max_backoff_ms": 60_000}},
        ),
        (
            {"retry": {"initial_delay": 9, "backoff_base_ms": 10}},
            {"retry": {"backoff_base_ms": 10}},
        ),
        ({"publishes_events": ["a.b"]}, {"publishes_events": [{"name": "a.b"}]}),
        ({"lifecycle": {"max_steps_in_process_minutes": 1}}, {}),
    ],
)
def test_an_old_spelling_is_noticed_and_means_the_same(
    written: dict[str, Any], meant: dict[str, Any]
) -> None:
    old, new = inspect_data(template(**written)), inspect_data(template(**meant))

    assert "LEGACY_KEY" in [f.code for f in old.report.findings]
    assert "LEGACY_KEY" not in [f.code for f in new.report.findings]
    assert old.template == new.template


@pytest.mark.parametrize("key", ["task_handler", "loaded_from", "default_context", "composition"])
def test_keys_of_old_templates_are_ignored(key: str) -> None:
    found = inspect_data({**template(), key: {"a": 1}})

    assert (found.report.valid, found.template) == (True, inspect_data(template()).template)
    assert (key, "LEGACY_KEY") in [(f.path, f.code) for f in found.report.findings]


def test_second_names_are_no_finding() -> None:
    written = template(depends_on=["b", "b"], step_type="standard")
    written["steps"].append({"name": "b", "handler": {"callable": "x"}})

    found = inspect_data(written)

    assert found.template is not None
    assert found.template.steps[0].dependencies == ["b"]
    assert {f.code for f in found.report.findings} == {"NO_RESULT_SCHEMA"}


def test_null_is_as_good_as_absent() -> None:
    nulls = dict.fromkeys(
        ["description", "metadata", "identity_strategy", "lifecycle", "domain_events"]
    )
    step = dict.fromkeys(["type", "dependencies", "retry", "timeout_seconds", "publishes_events"])
    written = {**template(**step), **nulls, "environments": {"test": None}}
    written["steps"][0]["handler"]["method"] = None

    found = inspect_data(written)

    assert found.template == inspect_data(template()).template


def test_null_inside_free_values_stays() -> None:
    free = {"handler": {"callable": "x", "initialization": {"a": None}}}
    found = inspect_data(template(**free, result_schema={"const": None}))

    assert found.template is not None
    assert found.template.steps[0].handler.initialization == {"a": None}
    assert found.template.steps[0].result_schema == {"const": None}


def test_what_was_written_is_not_changed() -> None:
    written = template(retry={"limit": 3}, publishes_events=["a.b"], handler="x")
    before = repr(written)

    spell(written)

    assert repr(written) == before


def test_the_catalogue_gives_events_what_they_lack() -> None:
    text = """
    {name: t, namespace: n, version: 1.0.0,
     domain_events: [{name: a.b, description: From above, schema: {type: object}}],
     steps: [{name: a, handler: x, publishes_events: [a.b, {name: c.d}]},
             {name: b, handler: x, publishes_events: [{name: a.b, description: Own}]}]}
    """

    [found] = inspect_text(text)

    assert found.template is not None
    [inherited, other], [own] = (step.publishes_events for step in found.template.steps)
    assert (inherited.description, inherited.payload_schema) == ("From above", {"type": "object"})
    assert (other.description, other.payload_schema) == ("", {})
    assert (own.description, own.payload_schema) == ("Own", {"type": "object"})


def test_metadata_keeps_unknown_keys() -> None:
    written = {**template(), "metadata": {"team": "blue", "tags": ["x"], "author": None}}

    found = inspect_data(written)

    assert found.template is not None
    assert [f.code for f in found.report.findings] == ["NO_RESULT_SCHEMA"]
    assert found.template.metadata.model_dump(exclude_none=True) == {"team": "blue", "tags": ["x"]}


def test_a_null_in_metadata_is_absent_and_what_is_stored_reads_back_the_same() -> None:
    written = {**template(), "metadata": {"team": None, "links": {"docs": None}}}

    found = inspect_data(written).template

    assert found is not None
    assert found.metadata.model_extra == {"links": {"docs": None}}
    assert inspect_data(canonical(found)).template == found


def test_spelling_makes_no_difference_to_the_digest() -> None:
    new = inspect_data(template(retry={"max_attempts": 5}, type="standard", dependencies=[]))
    old = inspect_data(template(retry={"limit": 5}, description=None))

    assert new.template is not None
    assert old.template is not None
    assert digest(new.template) == digest(old.template)
