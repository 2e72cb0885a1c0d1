"""Whatever comes in, findings come out: no other exception, and always in time."""

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates_registry.errors import SEVERITY_OF
from templates_registry.schema import (
    canonical,
    digest,
    inspect_data,
    inspect_text,
    load_text,
    resolve,
)
from templates_registry.schema.json_schema import schema_problem, validator_of
from templates_registry.schema.spelling import TEMPLATE, Level

ROUNDS = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["a", "b", "ALL", "decision", "batch_worker", "none", "a.b", "1.0.0", "x.y"]),
)
JSON = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(st.text(max_size=5), below, max_size=3)
    ),
    max_leaves=8,
)
KEYWORDS = st.sampled_from(
    ["type", "properties", "items", "$ref", "$dynamicRef", "$defs", "allOf", "not", "enum", "$id",
     "$anchor", "$dynamicAnchor", "pattern", "then", "if", "dependentSchemas", "required"]
)  # fmt: skip
SCHEMAS = st.recursive(
    st.one_of(
        SCALARS, st.sampled_from(["object", "string", "#", "#/$defs/a", "#a", "https://x.test/y"])
    ),
    lambda below: st.one_of(
        st.dictionaries(st.one_of(KEYWORDS, st.just("a")), below, max_size=4),
        st.lists(below, max_size=2),
    ),
    max_leaves=12,
)


def shaped(level: Level) -> st.SearchStrategy[Any]:
    """Return mappings whose keys are mostly right and whose values are anything."""
    below: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(level.expected, JSON)
    below |= {key: shaped(each) for key, each in level.one.items()}
    below |= {key: st.lists(shaped(each), max_size=3) for key, each in level.many.items()}
    below |= {
        key: st.dictionaries(st.sampled_from(["test", "a"]), shaped(each), max_size=2)
        for key, each in level.named.items()
    }
    for key in below.keys() & {"schema", "input_schema", "result_schema"}:
        below[key] = SCHEMAS
    some = {
        key: st.one_of(value, value, JSON, SCHEMAS)
        for key, value in {**below, "unknown": JSON}.items()
    }
    return st.fixed_dictionaries({}, optional=some)


def only_known_codes(found: Any) -> None:
    for each in found.report.findings:
        assert each.code in SEVERITY_OF
        json.dumps(each.as_dict())
    if found.report.valid:
        assert found.template is not None
        for environment in ("test", "a", "development"):
            resolved = resolve(found.template, environment)
            assert inspect_data(canonical(resolved)).template == resolved
            assert len(digest(resolved)) == 64


@ROUNDS
@given(shaped(TEMPLATE))
def test_any_data_gets_a_report(data: Any) -> None:
    only_known_codes(inspect_data(data))


@ROUNDS
@given(shaped(TEMPLATE))
def test_any_mapping_as_yaml_gets_a_report(data: Any) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)

    for found in inspect_text(text, single=True):
        only_known_codes(found)


@ROUNDS
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200), st.text("{}[]:-&*!?,|>%@ \na'\"#"))
)
def test_any_text_gets_a_report(text: str | bytes) -> None:
    for found in inspect_text(text, single=True):
        only_known_codes(found)


@ROUNDS
@given(st.dictionaries(KEYWORDS, SCHEMAS, max_size=5), JSON)
def test_an_accepted_schema_can_be_used_on_anything(schema: dict[str, Any], value: Any) -> None:
    if schema_problem(schema) is None:
        validator_of(schema).is_valid(value)


@ROUNDS
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.sampled_from(["standard", "decision", "deferred", "batchable", "batch_worker"]),
            st.lists(st.sampled_from("abcde"), max_size=3),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_valid_graph_can_be_started(steps: list[tuple[str, str, list[str]]]) -> None:
    text = json.dumps(
        {
            "name": "t",
            "namespace_name": "n",
            "version": "1.0.0",
            "steps": [
                {"name": name, "type": kind, "dependencies": wanted, "handler": "x"}
                for name, kind, wanted in steps
            ],
        }
    )
    [found] = inspect_text(text)

    only_known_codes(found)
    if found.report.valid:
        initial = {step.name for step in load_text(text).initial_steps()}
        for step in load_text(text).initial_steps():
            assert set(step.dependencies) <= initial
