"""What is far too much is refused in time; what is only much is told in part."""

from pathlib import Path
from time import process_time

import pytest

from templates_registry.errors import MAX_FINDINGS, Finding
from templates_registry.schema import inspect_file, inspect_text

HEAD = "name: t\nnamespace_name: n\nversion: 1.0.0\n"
STEPS = "steps: [{name: a, handler: x, result_schema: {type: object}}]\n"
LARGE = 50 * 1024 * 1024
MOST_SECONDS = 20.0  # of the processor; the mistakes held here took minutes


def findings_of(text: str) -> list[Finding]:
    began_at = process_time()
    [found] = inspect_text(text, single=True)
    assert process_time() - began_at < MOST_SECONDS
    return list(found.report.findings)


def codes_of(text: str) -> list[str]:
    return sorted({each.code for each in findings_of(text) if each.is_error})


def test_a_file_of_50_megabytes_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as handle:
        handle.write(b"name: ")
        handle.truncate(LARGE)
    began_at = process_time()

    [found] = inspect_file(file)

    assert process_time() - began_at < 2
    assert [each.code for each in found.report.findings] == ["TOO_LARGE"]
    assert found.template is None


@pytest.mark.parametrize(
    "text", ["a: b\n", "- ", "[", "{a: ", "# x\n", "&a *a ", "'", "\n", "---\n"]
)
def test_a_text_of_50_megabytes_is_refused_unread(text: str) -> None:
    began_at = process_time()

    [found] = inspect_text(text * (LARGE // len(text)))

    assert process_time() - began_at < 2
    assert [each.code for each in found.report.findings] == ["TOO_LARGE"]


def test_an_alias_bomb_never_grows() -> None:
    lines = ["a0: &a0 lol"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]

    assert codes_of(HEAD + STEPS + "\n".join(lines)) == ["ALIAS_NOT_ALLOWED"]


def test_many_values_that_cannot_be_read_are_told_in_time() -> None:
    steps = "steps: [{name: a, handler: x, dependencies: [" + ".nan," * 100_000 + "]}]\n"

    assert codes_of(HEAD + steps) == ["INVALID_TYPE"]


def test_schemas_that_take_minutes_to_check_are_refused() -> None:
    parts = ", ".join(f"a{n}: {{$ref: '#/$defs/a{n + 1}'}}" for n in range(60_000))
    text = f"{HEAD}steps: [{{name: a, handler: x, result_schema: {{$defs: {{{parts}}}}}}}]\n"

    [found] = findings_of(text)

    assert found.code == "TOO_LARGE"
    assert "more than 100,000 values" in found.message


def test_a_schema_that_many_events_inherit_counts_for_each() -> None:
    large = "{enum: [" + ", ".join(map(str, range(2000))) + "]}"
    event = "[{name: a.b, schema: " + large + "}]"
    steps = ", ".join(f"{{name: s{n}, handler: x, publishes_events: [a.b]}}" for n in range(60))

    [found] = findings_of(f"{HEAD}domain_events: {event}\nsteps: [{steps}]\n")

    assert found.code == "TOO_LARGE"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD * 2000 + STEPS, "DUPLICATE_KEY"),
        (HEAD + STEPS + "metadata: {x: [" + "*a," * 5000 + "]}\n", "ALIAS_NOT_ALLOWED"),
        (HEAD + STEPS + "metadata: {tags: [" + "1," * 5000 + "]}\n", "INVALID_TYPE"),
        (
            HEAD + "steps: [{name: a, handler: x, dependencies: [" + "b," * 5000 + "]}]\n",
            "MISSING_DEP_REF",
        ),
    ],
    ids=lambda value: value if value.isupper() else "",
)
def test_of_many_errors_the_first_thousand_are_told(text: str, code: str) -> None:
    found = findings_of(text)

    assert [each.code for each in found if each.is_error] == [code] * MAX_FINDINGS


def test_many_warnings_hide_no_error() -> None:
    orphans = [f"{{name: s{n}, handler: x}}" for n in range(3000)]
    odd = ["{name: b, handler: x, type: batch_worker, batch_config: {worker_template: nobody}}"]

    found = findings_of(HEAD + f"steps: [{', '.join([*orphans, *odd])}]\nvalidate_input: 5\n")

    assert {each.code for each in found if each.is_error} == {
        "UNKNOWN_WORKER_TEMPLATE",
        "INVALID_TYPE",
    }
    assert sum(each.code == "ORPHAN_STEP" for each in found) >= MAX_FINDINGS - 1


@pytest.mark.parametrize(
    "environments",
    [
        "{e: {steps: [" + "{name: ALL, timeout_seconds: 5}," * 1000 + "]}}",
        "{" + ",".join(f"e{n}: {{steps: [{{name: s1}}]}}" for n in range(1000)) + "}",
        "{e: {steps: [{name: ALL, handler: {initialization: {x: [" + "1," * 1000 + "]}}}]}}",
    ],
    ids=["many entries", "many environments", "large entry"],
)
def test_overrides_that_make_far_too_much_are_refused(environments: str) -> None:
    steps = ", ".join(f"{{name: s{n}, handler: x}}" for n in range(1100))
    text = f"{HEAD}steps: [{steps}]\nenvironments: {environments}\n"

    [found] = [each for each in findings_of(text) if each.is_error]

    assert (found.code, found.path) == ("TOO_LARGE", "environments")
    assert "split the template" in found.message


def test_overrides_of_a_large_template_are_fine() -> None:
    steps = ", ".join(f"{{name: s{n}, handler: x}}" for n in range(1000))
    every = "{name: ALL, timeout_seconds: 5, handler: {initialization: {sandbox: true}}}"
    text = f"{HEAD}steps: [{steps}]\nenvironments: {{test: {{steps: [{every}]}}}}\n"

    assert codes_of(text) == []
