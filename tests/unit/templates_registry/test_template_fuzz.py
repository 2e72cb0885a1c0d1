"""Whatever comes in, findings come out: no other exception, and always in time.

A few hundred inputs by default; `pytest -m benchmark -s tests/unit/templates_registry` tries more
than ten thousand and prints what they were.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates_registry.errors import SEVERITY_OF, Severity
from templates_registry.schema import (
    Inspected,
    canonical,
    digest,
    inspect_data,
    inspect_text,
    load_text,
    resolve,
)
from templates_registry.schema.json_schema import schema_problem, validator_of
from tests.factories.template_inputs import DATA, KEYWORDS, SCHEMAS, TEXTS, VALUES

pytestmark = pytest.mark.timeout(300)  # ten seconds of the processor; it may be busy
FEW, MANY = 30, 1500
MOST_SECONDS = 20.0  # of the processor, for one input, on a slow machine
ROUNDS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    inputs: int = 0
    valid: int = 0
    slowest_seconds: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.inputs} inputs, {self.valid} valid, {len(self.codes)} codes, "
            f"slowest {self.slowest_seconds * 1000:.0f} ms"
        )


def check(found: Inspected) -> None:
    """Hold one answer to what handlers.md 1.9 promises."""
    for each in found.report.findings:
        assert each.message
        assert each.severity is SEVERITY_OF[each.code] or (
            (each.code, each.severity) == ("UNKNOWN_KEY", Severity.WARNING)
        )
        json.dumps(each.as_dict())
        str(each).encode()  # can be printed
    if found.report.valid:
        check_template(found)


def check_template(found: Inspected) -> None:
    """Hold a valid template to what the rest of the code expects."""
    assert found.template is not None
    json.dumps(canonical(found.template), allow_nan=False).encode()
    for environment in ("test", "a", "development"):
        resolved = resolve(found.template, environment)
        assert inspect_data(canonical(resolved)).template == resolved
        assert len(digest(resolved)) == 64


def try_inputs(kind: str, count: int) -> Tally:
    """Look at so many inputs of one kind; fails on the first that is answered wrongly."""
    tally = Tally()

    @settings(ROUNDS, max_examples=count, database=None)
    @given({**TEXTS, **DATA}[kind])
    def look(value: Any) -> None:
        began_at = process_time()
        answers = inspect_text(value, single=True) if kind in TEXTS else [inspect_data(value)]
        taken = process_time() - began_at
        for found in answers:
            check(found)
        tally.inputs += 1
        tally.valid += any(found.report.valid for found in answers)
        tally.codes.update({each.code for found in answers for each in found.report.findings})
        tally.slowest_seconds = max(tally.slowest_seconds, taken)
        assert taken < MOST_SECONDS

    look()
    return tally


@pytest.mark.parametrize("kind", [*TEXTS, *DATA])
def test_any_input_gets_a_report(kind: str) -> None:
    assert try_inputs(kind, FEW).inputs >= FEW


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
def test_ten_thousand_inputs_get_a_report() -> None:
    tallies = {kind: try_inputs(kind, MANY) for kind in [*TEXTS, *DATA]}

    codes: Counter[str] = Counter()
    for kind, tally in tallies.items():
        print(f"{kind}: {tally}")  # noqa: T201
        codes.update(tally.codes)
    print(f"{len(codes)} of {len(SEVERITY_OF)} codes: {', '.join(sorted(codes))}")  # noqa: T201
    assert sum(tally.inputs for tally in tallies.values()) >= 10_000


@ROUNDS
@given(st.dictionaries(KEYWORDS, SCHEMAS, max_size=5), VALUES)
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

    check(found)
    if found.report.valid:
        initial = {step.name for step in load_text(text).initial_steps()}
        for step in load_text(text).initial_steps():
            assert set(step.dependencies) <= initial
