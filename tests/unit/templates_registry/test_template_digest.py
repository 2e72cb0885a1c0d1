"""The digest tells contents apart, and nothing else."""

import json
from decimal import Decimal
from typing import Any

import pytest

from templates_registry.schema import TaskTemplate, canonical, digest, digest_of, load_text

PLAIN = "{name: t, namespace: n, version: 1.0.0, steps: [{name: a, handler: {callable: x}}]}"


def with_value(text: str) -> TaskTemplate:
    handler = f"{{callable: x, initialization: {{value: {text}}}}}"
    return load_text(PLAIN.replace("{callable: x}", handler))


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n" + PLAIN,
        "{version: 1.0.0, steps: [{handler: x, name: a}], namespace_name: n, name: t}",
        PLAIN.replace("handler:", "timeout_seconds: null, type: standard, handler:"),
        PLAIN.replace("version:", "identity_strategy: always_unique, environments: {}, version:"),
        PLAIN.replace("{callable: x}", "{callable: x, method: call, initialization: {}}"),
        PLAIN.replace("version:", "unknown: 1, version:"),
    ],
)
def test_comments_order_defaults_and_spelling_make_no_difference(text: str) -> None:
    assert digest(load_text(text)) == digest(load_text(PLAIN))


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "true"), ("1", '"1"'), ("null", "0"), ("[1, 2]", "[2, 1]"), ("1.5", "1.25")],
)
def test_different_values_make_a_difference(one: str, other: str) -> None:
    assert digest(with_value(one)) != digest(with_value(other))


@pytest.mark.parametrize("text", ["1.0", "1.0e+16", "1.0e+22", "-0.0", "1.5e-7", "0.1"])
def test_a_number_means_the_same_after_jsonb(text: str) -> None:
    template = with_value(text)

    assert digest_of(as_jsonb(canonical(template))) == digest(template)


def as_jsonb(value: Any) -> Any:
    """Return a value as PostgreSQL's jsonb gives it back: numbers written out, no minus zero."""
    if isinstance(value, dict):
        return {key: as_jsonb(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_jsonb(each) for each in value]
    if isinstance(value, float):
        return json.loads(format(Decimal(repr(value or 0.0)), "f"))
    return value


def test_an_environment_changes_the_content() -> None:
    plain = load_text(PLAIN)
    changed = load_text(PLAIN.replace("version:", "environments: {test: {steps: []}}, version:"))

    assert digest(plain) != digest(changed)
