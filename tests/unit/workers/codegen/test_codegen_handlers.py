"""Handlers and tests as generated: by type of step, with and without models, in classes."""

from pathlib import Path
from typing import Any

import pytest

from templates_registry.schema import TaskTemplate, load_file, load_text
from tests.factories.codegen import BATCHES, HOSTILE
from workers.codegen.files import Consent
from workers.codegen.generate import Generated, generate_handlers, generate_scaffold

TESTS = Path(__file__).parents[2]
PARCEL = TESTS / "templates_registry" / "parcel_return.yaml"
SIMPLE = """
name: buy
namespace_name: shop
version: 1.0.0
input_schema: {type: object, properties: {sku: {type: string}}, required: [sku]}
steps:
  - name: check
    description: Look whether it is there
    handler: {callable: shop.check}
    result_schema: {type: object, properties: {in_stock: {type: boolean}}, required: [in_stock]}
  - {name: ship-it, handler: {callable: shop.ship}, dependencies: [check]}
"""


def handlers_of(text: str | TaskTemplate, **options: Any) -> str:
    template = load_text(text) if isinstance(text, str) else text
    made = generate_handlers(template, Path("handlers.py"), consent=Consent(), **options)
    return made.files[0].text


def scaffold_of(text: str, folder: Path) -> Generated:
    return generate_scaffold(load_text(text), folder, consent=Consent())


def block(source: str, name: str) -> str:
    """Return the function or class of a name, with its decorators."""
    blocks = source.split("\n\n\n")
    return next(each for each in blocks if f"def {name}(" in each or f"class {name}(" in each)


def test_functions_return_stub_values():
    assert handlers_of(SIMPLE) == (
        '''"""Step handlers of shop/buy."""

from typing import Any

from workers import StepContext, depends_on, step_handler


@step_handler("shop.check")
def check(context: StepContext) -> dict[str, Any]:
    """Look whether it is there."""
    # TODO: write this handler
    return {"in_stock": False}


@step_handler("shop.ship")
@depends_on(check_result="check")
def ship_it(check_result: Any, context: StepContext) -> dict[str, Any]:
    """Run the step ship-it."""
    # TODO: write this handler
    return {}
'''
    )


def test_a_scaffold_uses_its_models(tmp_path):
    models, handlers, _ = scaffold_of(SIMPLE, tmp_path).files

    assert [each.path for each in (models, handlers)] == [
        tmp_path / "models.py",
        tmp_path / "step_handlers.py",
    ]
    assert "class CheckResult(BaseModel):" in models.text
    assert block(handlers.text, "check").split("\n")[1:3] == [
        "@inputs(models.BuyInput)",
        "def check(inputs: models.BuyInput, context: StepContext) -> models.CheckResult:",
    ]
    assert "    return models.CheckResult(in_stock=False)" in handlers.text
    assert '@depends_on(check_result=("check", models.CheckResult))' in handlers.text


def test_a_scaffold_in_a_package_imports_from_it(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()

    _, handlers, tests = scaffold_of(SIMPLE, tmp_path / "shop").files

    assert "\nfrom shop import models\n" in handlers.text
    assert "\nfrom shop import step_handlers\n" in tests.text


def test_tests_run_handlers_with_stubs():
    made = generate_handlers(
        load_text(SIMPLE), Path("handlers.py"), with_tests=True, consent=Consent()
    )

    assert made.files[1].path == Path("test_handlers.py")
    assert made.files[1].text.partition("\n\n\n")[2] == (
        '''class TestCheckHandler:
    """The step check."""

    def test_succeeds_with_stubs(self) -> None:
        result = run_handler(handlers.check, inputs={"sku": ""})

        assert result.is_success, result.error_message
        assert set(result.result or {}) >= {"in_stock"}


class TestShipItHandler:
    """The step ship-it."""

    def test_succeeds_with_stubs(self) -> None:
        result = run_handler(
            handlers.ship_it,
            dependencies={"check": {"in_stock": False}},
        )

        assert result.is_success, result.error_message
'''
    )


def test_a_decision_takes_its_branches_and_methods_get_a_class():
    source = handlers_of(load_file(PARCEL))

    assert '    return Decision.route(["issue_voucher", "refund_card"])' in source
    assert "@decision_handler(" in block(source, "choose_remedy")
    assert block(source, "VoucherHandler") == (
        '''class VoucherHandler(StepHandler):
    """Runs the step issue_voucher."""

    handler_name = "returns.step_handlers.VoucherHandler"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Refuse: every step of the template names another method."""
        raise NotImplementedError(f"{self.name} has a method for each step")

    def issue(self, context: StepContext) -> StepHandlerResult:
        """Run the step issue_voucher."""
        # TODO: write this handler
        return self.success({})'''
    )


def test_batches_have_an_analyser_and_a_worker():
    source = handlers_of(BATCHES)

    assert '@batch_analyzer("imports.analyse", worker_template="work")' in source
    assert "    return BatchConfig(total_items=0, batch_size=50)" in source
    assert "    batch_context: BatchWorkerContext | None,\n" in block(source, "work")
    assert 'context.get_all_dependency_results("work_")' in block(source, "sum_up")
    assert "work_result" not in block(source, "sum_up"), "each batch has a result of its own"
    assert 'return self.success({"batch_processing_outcome": {"type": "no_batches"}})' in source


def test_steps_that_share_a_callable_get_one_class():
    steps = "".join(
        f"  - {{name: {name}, handler: {{callable: shop.pay, method: {method}}}}}\n"
        for name, method in (("one", "call"), ("two", "call"), ("three", "refund"))
    )
    source = handlers_of(f"name: t\nnamespace: n\nversion: 1.0.0\nsteps:\n{steps}")

    made = block(source, "PayHandler")
    assert made.count("def ") == 2
    assert '"""Run the step one."""' in made
    assert '"""Run the step three."""' in made


def test_a_decision_among_methods_gets_what_it_needs():
    steps = """
  - {name: first, handler: {callable: n.first}}
  - {name: way, type: decision, handler: {callable: n.Ways, method: choose}, dependencies: [first]}
  - {name: end, type: decision, handler: {callable: n.Ways, method: end}, dependencies: [way]}
"""
    source = handlers_of(f"name: t\nnamespace: n\nversion: 1.0.0\nsteps:{steps}")

    made = block(source, "Ways")
    assert made.startswith("class Ways(DecisionHandler):")
    assert '        return self.decision_success(["end"])' in made
    assert '        return self.skip_branches("no branch is written yet")' in made


def test_methods_of_a_scaffold_use_models(tmp_path):
    text = SIMPLE.replace("callable: shop.check}", "callable: shop.Check, method: look}")

    made = block(scaffold_of(text, tmp_path).files[1].text, "Check")

    assert "        result = models.CheckResult(in_stock=False)\n" in made
    assert '        return self.success(result.model_dump(mode="json"))' in made


@pytest.mark.parametrize("method", ["pay-now", "class", "success", "name"])
def test_a_method_that_cannot_be_one_is_left_out_with_a_warning(method):
    text = SIMPLE.replace("callable: shop.ship}", f"callable: shop.ship, method: {method}}}")

    made = generate_handlers(load_text(text), Path("h.py"), with_tests=True, consent=Consent())

    assert made.warnings == [
        f"ship-it: not written, because {method!r} cannot be a method of a handler."
    ]
    assert "ship" not in "".join(each.text for each in made.files)


def test_one_step_alone_keeps_what_it_depends_on():
    source = handlers_of(SIMPLE, step="ship-it")

    assert "def check(" not in source
    assert '@depends_on(check_result="check")' in source


def test_published_names_differ_in_the_import_only():
    ours, theirs = handlers_of(SIMPLE), handlers_of(SIMPLE, source="tasker_core")

    assert "from tasker_core import StepContext" in theirs
    assert "from tasker_core.step_handler import depends_on, step_handler" in theirs
    assert ours.partition("\n\n\n")[2] == theirs.partition("\n\n\n")[2]


def test_names_that_mean_something_else_are_clean():
    source = handlers_of(HOSTILE)

    for name in ("class_", "pay_now", "pay_now_2", "print_", "Any_", "step", "step_2fa", "init"):
        assert f"\ndef {name}(" in source
    assert '@step_handler("wild.pay\\\\now")\n' in source


@pytest.mark.parametrize("text", [SIMPLE, BATCHES, HOSTILE])
def test_the_same_template_gives_the_same_files(text, tmp_path):
    assert scaffold_of(text, tmp_path) == scaffold_of(text, tmp_path)
