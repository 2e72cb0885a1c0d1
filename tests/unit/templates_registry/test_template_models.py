"""What a template tells about itself."""

import time

import pytest

from templates_registry.schema import TaskTemplate, digest, inspect_data, load_text

TYPES = {
    "approval": (
        [("validate", "standard", ""), ("route", "decision", "validate"),
         ("auto", "standard", "route"), ("manager", "standard", "route"),
         ("record", "deferred_convergence", "auto manager"), ("file", "standard", "record")],
        ["validate", "route"],
    ),
    "batch": (
        [("analyse", "batchable", ""), ("import", "batch_worker", "analyse"),
         ("sum", "deferred_convergence", "import")],
        ["analyse"],
    ),
    "batch with a side branch": (
        [("analyse", "batchable", ""), ("import", "batch_worker", "analyse"),
         ("after", "standard", "import"), ("beside", "standard", "analyse")],
        ["analyse", "beside"],
    ),
    "diamond with decision and batch": (
        [("start", "standard", ""), ("decide", "decision", "start"),
         ("analyse", "batchable", "start"), ("left", "standard", "decide"),
         ("work", "batch_worker", "analyse"), ("end", "deferred_convergence", "left work"),
         ("log", "standard", "start")],
        ["start", "decide", "analyse", "log"],
    ),
    "decision behind a decision": (
        [("a", "standard", ""), ("d1", "decision", "a"), ("d2", "decision", "d1")],
        ["a", "d1"],
    ),
    "plain": ([("a", "standard", ""), ("b", "standard", "a")], ["a", "b"]),
}  # fmt: skip


def template(steps: list[tuple[str, str, str]]) -> TaskTemplate:
    found = inspect_data(
        {
            "name": "t",
            "namespace_name": "n",
            "version": "1.0.0",
            "steps": [
                {
                    "name": name,
                    "type": kind,
                    "handler": {"callable": f"x.{kind}"},
                    "dependencies": wanted.split(),
                }
                for name, kind, wanted in steps
            ],
        }
    )
    assert found.template is not None
    assert found.report.valid, found.report
    return found.template


@pytest.mark.parametrize("kind", TYPES)
def test_what_exists_right_after_creation(kind: str) -> None:
    steps, wanted = TYPES[kind]

    assert [step.name for step in template(steps).initial_steps()] == wanted


def test_callables_are_told_once_in_order() -> None:
    steps, _ = TYPES["approval"]

    assert template(steps).all_callables() == [
        "x.standard",
        "x.decision",
        "x.deferred_convergence",
    ]


def test_a_step_is_found_by_name() -> None:
    found = template(TYPES["plain"][0])

    assert found.step("b").dependencies == ["a"]
    with pytest.raises(KeyError):
        found.step("c")


def test_a_template_cannot_be_changed() -> None:
    found = template(TYPES["plain"][0])

    with pytest.raises(ValueError, match="frozen"):
        found.name = "other"


def test_a_thousand_steps_are_loaded_in_reasonable_time() -> None:
    text = "name: big\nnamespace: n\nversion: 1.0.0\nsteps:\n" + "".join(
        f"  - name: s{number}\n"
        f"    handler: {{callable: x.y, initialization: {{a: 1}}}}\n"
        f"    dependencies: [{f's{number - 1}' if number else ''}]\n"
        f"    retry: {{max_attempts: 3, backoff: linear}}\n"
        for number in range(1000)
    )

    began = time.process_time()
    found = load_text(text)
    took = time.process_time() - began

    assert len(found.initial_steps()) == 1000
    assert len(digest(found)) == 64
    assert took < 2  # of the processor; 0.1 s is usual, a tenfold loss should be seen
