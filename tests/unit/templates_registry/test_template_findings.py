"""Every finding of handlers.md 1.9, with its severity and the place it names."""
# ruff: noqa: E501 - the tables below are read by their columns

from textwrap import dedent, indent

import pytest
from django.test import override_settings

from templates_registry.errors import SEVERITY_OF, Finding, Severity, TemplateError
from templates_registry.schema import inspect_text, load_text

HEAD = "name: t\nnamespace_name: n\nversion: 1.0.0\n"
STEP = "{name: a, handler: {callable: x.y}, result_schema: {type: object}}"


def with_steps(*steps: str, head: str = HEAD) -> str:
    lines = [f"  - {step}" if step.startswith("{") else f"  - {{{step}}}" for step in steps]
    return f"{head}steps:\n" + "\n".join(lines) + "\n"


def step(name: str, rest: str = "") -> str:
    return (
        f"{{name: {name}, handler: {{callable: x.y}}, result_schema: {{type: object}}"
        + (f", {rest}" if rest else "")
        + "}"
    )


def with_head(extra: str) -> str:
    return with_steps(STEP, head=HEAD + dedent(extra).strip() + "\n")


def in_environment(override: str) -> str:
    return with_head("environments:\n" + indent(f"test:\n  steps:\n    - {override}\n", "  "))


def instead(old: str, new: str) -> str:
    text = with_steps(STEP)
    assert old in text
    return text.replace(old, new, 1)


def findings_of(text: str | bytes) -> list[Finding]:
    found = inspect_text(text, single=True)
    return [each for one in found for each in one.report.findings]


SHAPE = [
    # reading
    ("INVALID_YAML", "", "name: [a"),
    ("INVALID_YAML", "", "name: a\n\tb: c"),
    ("INVALID_YAML", "", b"name: \xff\xfe"),
    ("INVALID_YAML", "", "name: \x07"),
    ("INVALID_YAML", "", "name: \ud800"),
    ("INVALID_YAML", "description", with_head("description: !!python/object/apply:os.system [x]")),
    ("INVALID_YAML", "description", with_head("description: !mine x")),
    ("NOT_A_MAPPING", "", "- a\n- b\n"),
    ("NOT_A_MAPPING", "", "just text"),
    ("DUPLICATE_KEY", "version", with_head("version: 2.0.0")),
    ("DUPLICATE_KEY", "steps[0].name", with_steps("{name: a, name: b, handler: x}")),
    ("ALIAS_NOT_ALLOWED", "description", with_head("description: &here text")),
    ("ALIAS_NOT_ALLOWED", "lifecycle", with_head("metadata: &m {}\nlifecycle: *m")),
    ("TOO_LARGE", "", "name: " + "x" * (4 * 1024 * 1024)),
    ("TOO_LARGE", "", "name: " + "[" * 65 + "]" * 65),
    ("TOO_LARGE", "", "name: " + "[" * 3000),
    ("TOO_LARGE", "", "name: [" + "1," * 500_000 + "]"),
    ("INVALID_TYPE", "steps[0].timeout_seconds", with_steps(step("a", "timeout_seconds: .nan"))),
    ("INVALID_TYPE", "metadata.x", with_head("metadata: {x: -.inf}")),
    ("INVALID_TYPE", "metadata.x", with_head("metadata: {x: 1.0e+999}")),
    ("INVALID_TYPE", "metadata.x", with_head("metadata: {x: !!binary aGk=}")),
    ("INVALID_TYPE", "metadata.x", with_head("metadata: {x: !!set {a, b}}")),
    ("INVALID_TYPE", "metadata.x", with_head('metadata: {x: "a\\0b"}')),
    ("INVALID_TYPE", "metadata.x", with_head("metadata: {x: !!int abc}")),
    ("INVALID_TYPE", "metadata.x", with_head("metadata: {x: " + "9" * 5000 + "}")),
    ("INVALID_TYPE", "metadata.?", with_head("metadata: {[a]: 1}")),
    # required keys; null is absent
    ("MISSING_FIELD", "name", instead("name: t\n", "")),
    ("MISSING_FIELD", "name", instead("name: t", "name: null")),
    ("MISSING_FIELD", "namespace_name", instead("namespace_name: n\n", "")),
    ("MISSING_FIELD", "version", instead("version: 1.0.0", "version: ~")),
    ("MISSING_FIELD", "steps", "name: t\nnamespace: n\nversion: 1.0.0\nstps: []\n"),
    ("MISSING_FIELD", "steps[0].name", with_steps("handler: x")),
    ("MISSING_FIELD", "steps[0].handler", with_steps("name: a")),
    ("MISSING_FIELD", "steps[0].handler.callable", with_steps("name: a, handler: {}")),
    ("MISSING_FIELD", "environments.test.steps[0].name", in_environment("{timeout_seconds: 1}")),
    ("NO_STEPS", "steps", HEAD + "steps: []\n"),
    # types
    ("INVALID_TYPE", "name", instead("name: t", "name: 12")),
    ("INVALID_TYPE", "name", instead("name: t", "name: yes")),
    ("INVALID_TYPE", "version", instead("version: 1.0.0", "version: on")),
    ("INVALID_TYPE", "steps", HEAD + "steps: {a: b}\n"),
    ("INVALID_TYPE", "steps[0]", HEAD + "steps: [1]\n"),
    ("INVALID_TYPE", "steps[0].dependencies", with_steps(step("a", "dependencies: b"))),
    ("INVALID_TYPE", "steps[0].depends_on[0]", with_steps(step("a", "depends_on: [1]"))),
    ("INVALID_TYPE", "steps[0].retry", with_steps(step("a", "retry: 3"))),
    ("INVALID_TYPE", "steps[0].retry.max_attempts", with_steps(step("a", "retry: {max_attempts: yes}"))),
    ("INVALID_TYPE", "steps[0].retry.limit", with_steps(step("a", 'retry: {limit: "3"}'))),
    ("INVALID_TYPE", "steps[0].retry.max_delay", with_steps(step("a", "retry: {max_delay: long}"))),
    ("INVALID_TYPE", "steps[0].timeout_seconds", with_steps(step("a", "timeout_seconds: 1.5"))),
    ("INVALID_TYPE", "metadata.created_at", with_head("metadata: {created_at: yesterday}")),
    ("INVALID_TYPE", "validate_input", with_head('validate_input: "true"')),
    ("INVALID_TYPE", "input_schema", with_head("input_schema: true")),
    ("INVALID_TYPE", "steps[0].type", with_steps(step("a", "type: 1"))),
    # names
    ("INVALID_NAME", "name", instead("name: t", "name: a/b")),
    ("INVALID_NAME", "name", instead("name: t", 'name: ""')),
    ("INVALID_NAME", "name", instead("name: t", 'name: " a"')),
    ("INVALID_NAME", "name", instead("name: t", "name: ..")),
    ("INVALID_NAME", "name", instead("name: t", 'name: "a\\nb"')),
    ("INVALID_NAME", "version", instead("1.0.0", "1/0")),
    ("INVALID_NAME", "steps[0].name", with_steps(step("ALL"))),
    ("INVALID_NAME", "namespace_name", instead("namespace_name: n", "namespace_name: Shop")),
    ("INVALID_NAME", "namespace", instead("namespace_name: n", "namespace: orchestration_x")),
    ("INVALID_NAME", "steps[0].handler.method", with_steps("name: a, handler: {callable: x, method: _y}")),
    ("NAMESPACE_TOO_LONG", "namespace_name", instead("namespace_name: n", "namespace_name: " + "n" * 30)),
    ("EMPTY_CALLABLE", "steps[0].handler.callable", with_steps('name: a, handler: {callable: ""}')),
    ("EMPTY_CALLABLE", "steps[0].handler", with_steps('name: a, handler: "  "')),
    ("INVALID_EVENT_NAME", "steps[0].publishes_events[0].name", with_steps(step("a", "publishes_events: [{name: Paid}]"))),
    ("INVALID_EVENT_NAME", "domain_events[0].name", with_head("domain_events: [{name: paid}]")),
    ("INVALID_PUBLISHER", "steps[0].publishes_events[0].publisher", with_steps(step("a", "publishes_events: [{name: a.b, publisher: 'a b'}]"))),
    # ranges and choices
    ("VALUE_OUT_OF_RANGE", "name", instead("name: t", "name: " + "x" * 256)),
    ("VALUE_OUT_OF_RANGE", "version", instead("1.0.0", "1" * 51)),
    ("VALUE_OUT_OF_RANGE", "steps[0].name", with_steps(step("a" * 129))),
    ("VALUE_OUT_OF_RANGE", "steps[0].name", with_steps(step("a" * 64, "type: batch_worker"))),
    ("VALUE_OUT_OF_RANGE", "steps[0].handler.callable", with_steps("name: a, handler: {callable: " + "x" * 501 + "}")),
    ("VALUE_OUT_OF_RANGE", "steps[0].timeout_seconds", with_steps(step("a", "timeout_seconds: 0"))),
    ("VALUE_OUT_OF_RANGE", "steps[0].timeout_seconds", with_steps(step("a", "timeout_seconds: 86401"))),
    ("VALUE_OUT_OF_RANGE", "steps[0].retry.max_attempts", with_steps(step("a", "retry: {max_attempts: 101}"))),
    ("VALUE_OUT_OF_RANGE", "steps[0].retry_limit", with_steps(step("a", "retry_limit: -1"))),
    ("VALUE_OUT_OF_RANGE", "steps[0].retry.initial_delay", with_steps(step("a", "retry: {initial_delay: 3601}"))),
    ("VALUE_OUT_OF_RANGE", "steps[0].batch_config.batch_size", with_steps(step("a", "type: batch_worker, batch_config: {batch_size: 0}"))),
    ("VALUE_OUT_OF_RANGE", "lifecycle.max_duration_minutes", with_head("lifecycle: {max_duration_minutes: 43201}")),
    ("VALUE_OUT_OF_RANGE", "environments.test.steps[0].retry.max_attempts", in_environment("{name: ALL, retry: {max_attempts: 101}}")),
    ("INVALID_ENUM", "steps[0].type", with_steps(step("a", "type: parallel"))),
    ("INVALID_ENUM", "steps[0].step_type", with_steps(step("a", "step_type: parallel"))),
    ("INVALID_ENUM", "steps[0].retry.backoff", with_steps(step("a", "retry: {backoff: slow}"))),
    ("INVALID_ENUM", "identity_strategy", with_head("identity_strategy: loose")),
    ("INVALID_ENUM", "lifecycle.staleness_action", with_head("lifecycle: {staleness_action: cry}")),
    ("INVALID_ENUM", "steps[0].publishes_events[0].condition", with_steps(step("a", "publishes_events: [{name: a.b, condition: maybe}]"))),
    ("INVALID_SCHEMA", "input_schema", with_head("input_schema: {type: thing}")),
    ("INVALID_SCHEMA", "domain_events[0].schema", with_head("domain_events: [{name: a.b, schema: {required: a}}]")),
    ("INVALID_SCHEMA", "steps[0].result_schema", with_steps("name: a, handler: x, result_schema: {$ref: 'https://example.test/a.json'}")),
]  # fmt: skip

GRAPH = [
    ("DUPLICATE_STEP_NAME", "steps[1].name", with_steps(step("a"), step("a"))),
    ("SELF_DEPENDENCY", "steps[0].dependencies[0]", with_steps(step("a", "dependencies: [a]"))),
    ("MISSING_DEP_REF", "steps[1].depends_on[1]", with_steps(step("a"), step("b", "depends_on: [a, c]"))),
    ("CYCLE_DETECTED", "steps[0]", with_steps(step("a", "dependencies: [b]"), step("b", "dependencies: [a]"))),
    ("DECISION_WITHOUT_DEPENDENCY", "steps[0]", with_steps(step("a", "type: decision"))),
    ("UNKNOWN_WORKER_TEMPLATE", "steps[1].batch_config.worker_template",
     with_steps(step("a", "type: batchable"), step("b", "type: batch_worker, dependencies: [a], batch_config: {worker_template: a}"))),
    ("INSTANCE_NAME_CLASH", "steps[2].name",
     with_steps(step("a", "type: batchable"), step("b", "type: batch_worker, dependencies: [a]"), step("b_001", "dependencies: [a]"))),
    ("DUPLICATE_EVENT", "steps[0].publishes_events[1].name", with_steps(step("a", "publishes_events: [{name: a.b}, {name: a.b}]"))),
]  # fmt: skip

ODD = [
    ("ORPHAN_STEP", "steps[2]", with_steps(step("a"), step("b", "dependencies: [a]"), step("c"))),
    ("SCHEMA_NOT_OBJECT", "steps[0].result_schema", with_steps("name: a, handler: {callable: x}, result_schema: {type: array}")),
    ("UNKNOWN_OVERRIDE_STEP", "environments.test.steps[0].name", in_environment("{name: b, timeout_seconds: 1}")),
    ("BATCH_WORKER_WITHOUT_BATCHABLE", "steps[1]", with_steps(step("a"), step("b", "type: batch_worker, dependencies: [a]"))),
    ("BATCHABLE_WITHOUT_WORKER", "steps[0]", with_steps(step("a", "type: batchable"))),
    ("DEFERRED_WITHOUT_DEPENDENCY", "steps[0]", with_steps(step("a", "type: deferred_convergence"))),
    ("BACKOFF_CAP_BELOW_BASE", "steps[0].retry", with_steps(step("a", "retry: {max_backoff_ms: 999}"))),
    ("BACKOFF_CAP_BELOW_BASE", "environments.test", in_environment("{name: ALL, retry: {backoff_base_ms: 30001}}")),
    ("VERSION_NOT_SEMVER", "version", instead("1.0.0", "1.10")),
    ("UNKNOWN_KEY", "steps[0].dependancies", with_steps(step("a", "dependancies: [b]"))),
    ("UNKNOWN_KEY", "steps[0].timeout", with_steps(step("a", "timeout: 5"))),
    ("UNKNOWN_KEY", "steps[0].retry.maxAttempts", with_steps(step("a", "retry: {maxAttempts: 5}"))),
]  # fmt: skip

NOTED = [
    ("NO_RESULT_SCHEMA", "steps[0]", with_steps("name: a, handler: {callable: x}")),
    ("UNKNOWN_KEY", "x-team", with_head("x-team: payments")),
    ("UNKNOWN_KEY", "on", with_head("on: push")),
    ("UNKNOWN_KEY", "steps[0].batch_config", with_steps(step("a", "batch_config: {batch_size: 1}"))),
    ("UNKNOWN_KEY", "environments.test.steps[0].dependencies", in_environment("{name: a, dependencies: [b]}")),
    ("UNKNOWN_KEY", "environments.test.steps[0].handler.callable", in_environment("{name: a, handler: {callable: b}}")),
    ("LEGACY_KEY", "task_handler", with_head("task_handler: {callable: x}")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "code", "path", "text"),
    [
        pytest.param(severity, *case, id=f"{case[0]}-{case[1]}-{number}")
        for severity, cases in (
            (Severity.ERROR, SHAPE + GRAPH),
            (Severity.WARNING, ODD),
            (Severity.INFO, NOTED),
        )
        for number, case in enumerate(cases)
    ],
)
def test_a_mistake_is_found_where_it_is_written(
    severity: Severity, code: str, path: str, text: str | bytes
) -> None:
    found = findings_of(text)

    assert (code, severity, path) in [(f.code, f.severity, f.path) for f in found]
    errors = {f.code for f in found if f.is_error}
    assert errors == ({code} if severity is Severity.ERROR else set())


def test_every_code_has_a_case_here() -> None:
    covered = {case[0] for case in SHAPE + GRAPH + ODD + NOTED}

    # The two others: this module's next test, and check_templates, which knows handlers.
    assert covered == set(SEVERITY_OF) - {
        "TOO_MANY_STEPS",
        "UNRESOLVED_HANDLER",
        "INITIALIZATION_MISMATCH",
    }


def test_more_steps_than_the_setting_allows_are_refused() -> None:
    text = with_steps(step("a"), step("b", "dependencies: [a]"), step("c", "dependencies: [b]"))

    with override_settings(TASKER={"max_steps_per_task": 2}):
        found = findings_of(text)

    assert [(f.code, f.path) for f in found if f.is_error] == [("TOO_MANY_STEPS", "steps")]


def test_a_good_template_has_no_finding() -> None:
    text = with_steps(step("a"), step("b", "dependencies: [a]"))

    assert findings_of(text) == []
    assert load_text(text).name == "t"


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    text = with_steps(
        "{name: a, handler: {callable: ''}, retry: {max_attempts: 1000}}",
        "{name: b, handler: x, type: nonsense, dependencies: [c, d]}",
        "{name: c, handler: x, dependencies: [b]}",
        head="name: a/b\nnamespace_name: N\nversion: 1\n",
    )

    with pytest.raises(TemplateError) as caught:
        load_text(text)

    assert {(f.code, f.path, f.step) for f in caught.value.findings if f.is_error} == {
        ("INVALID_NAME", "name", None),
        ("INVALID_NAME", "namespace_name", None),
        ("EMPTY_CALLABLE", "steps[0].handler.callable", "a"),
        ("VALUE_OUT_OF_RANGE", "steps[0].retry.max_attempts", "a"),
        ("INVALID_ENUM", "steps[1].type", "b"),
        ("MISSING_DEP_REF", "steps[1].dependencies[1]", "b"),
        ("CYCLE_DETECTED", "steps[1]", "b"),
    }


def test_a_cycle_is_named_in_running_order() -> None:
    text = with_steps(
        step("a", "dependencies: [c]"),
        step("b", "dependencies: [a]"),
        step("c", "dependencies: [b]"),
    )

    [report] = [one.report for one in inspect_text(text)]

    [cycle] = [f for f in report.findings if f.code == "CYCLE_DETECTED"]
    assert "a -> b -> c -> a" in cycle.message
    assert report.has_cycles
    assert not report.valid
    assert report.step_count == 3


def test_a_bare_yes_where_text_is_wanted_is_told_to_be_quoted() -> None:
    [found] = [f for f in findings_of(instead("name: t", "name: no")) if f.is_error]

    assert found.message.startswith("false found, text wanted; quote it")


def test_a_misspelt_key_is_told_with_the_one_meant() -> None:
    found = findings_of(with_steps(step("a", "dependancies: [b], time-out-seconds: 1")))

    assert [f.message for f in found] == [
        "Unknown key 'dependancies'; did you mean 'dependencies'?",
        "Unknown key 'time-out-seconds'; did you mean 'timeout_seconds'?",
    ]


def test_what_could_not_be_read_is_told_once() -> None:
    found = findings_of(with_steps(step("a", "timeout_seconds: .inf")) + "name: second\n")

    assert sorted(f.code for f in found) == ["DUPLICATE_KEY", "INVALID_TYPE"]


def test_a_flood_of_unknown_keys_is_cut() -> None:
    text = with_head("\n".join(f"unknown_{number}: 1" for number in range(20_000)))

    found = findings_of(text)

    assert len(found) == 1000


def test_a_report_is_json() -> None:
    [one] = inspect_text(with_steps(step("a", "type: decision")))

    assert one.report.as_dict() == {
        "valid": False,
        "findings": [
            {
                "code": "DECISION_WITHOUT_DEPENDENCY",
                "severity": "error",
                "message": "A decision step needs a dependency.",
                "path": "steps[0]",
                "step": "a",
            }
        ],
        "step_count": 1,
        "has_cycles": False,
    }
