"""sync_templates and check_templates: what they print, and how they exit."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from workers import HandlerRegistry, StepHandler

GOOD = """
name: buy
namespace: shop
version: 1.0.0
steps: [{name: a, handler: {callable: shop.absent}, result_schema: {type: object}}]
"""
BAD = GOOD.replace("version: 1.0.0", "version: 1.0.0\nidentity_strategy: loose")


def run(command: str, *args: str, **options: Any) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command(command, *args, stdout=out, stderr=out, **options)
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "buy.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.mark.django_db
def test_sync_registers_and_tells(file: Path) -> None:
    assert run("sync_templates", str(file), "--check")[0] == 1

    code, text = run("sync_templates", str(file))

    assert code == 0
    assert text == f"created    shop/buy@1.0.0  ({file})\n1 templates: 1 created\n"
    assert run("sync_templates", str(file)) == (0, "1 templates: 1 unchanged\n")
    assert run("sync_templates", str(file), "--check")[0] == 0


@pytest.mark.django_db
def test_sync_fails_over_errors_and_names_them(file: Path) -> None:
    file.write_text(BAD, encoding="utf-8")

    code, text = run("sync_templates", str(file))

    assert code == 1
    assert "rejected   shop/buy@1.0.0" in text
    assert "error INVALID_ENUM identity_strategy: 'loose' is not allowed" in text


@pytest.mark.django_db
def test_sync_strict_fails_over_changed_content(file: Path) -> None:
    run("sync_templates", str(file))
    file.write_text(f"{GOOD}description: changed\n", encoding="utf-8")

    code, text = run("sync_templates", str(file), "--strict")

    assert code == 1
    assert "is registered with other content" in text


@pytest.mark.parametrize("command", ["sync_templates", "check_templates"])
def test_a_path_that_does_not_exist_is_wrong_usage(command: str) -> None:
    code, text = run(command, "/absent/template.yaml")

    assert code == 2
    assert "No such file or folder: /absent/template.yaml." in text


@pytest.mark.django_db
def test_sync_prune_tells_what_was_retired_and_why_nothing_was(file: Path) -> None:
    tasker = {"template_paths": [str(file.parent)], "load_examples": False}
    with override_settings(TASKER=tasker):
        run("sync_templates")
        file.rename(file.with_name("_buy.yaml"))
        assert run("sync_templates", "--prune", "--check")[0] == 1

        retired = run("sync_templates", "--prune")
        (file.parent / "broken.yaml").write_text("name: [", encoding="utf-8")
        broken = run("sync_templates", "--prune")

    assert retired == (0, "retired    shop/buy@1.0.0\n0 templates: none found\n")
    assert broken[0] == 1
    assert "repair it first" in broken[1]


def test_prune_with_a_path_is_wrong_usage(file: Path) -> None:
    assert run("sync_templates", str(file), "--prune")[0] == 2


def test_check_needs_no_database_and_tells_of_handlers(file: Path) -> None:
    code, text = run("check_templates", str(file))

    assert code == 0
    assert f"{file}: shop/buy@1.0.0 valid, 1 steps\n" in text
    assert "warning UNRESOLVED_HANDLER steps[0].handler.callable: Handler not found" in text
    assert text.endswith("1 templates, 0 with errors\n")


def test_check_strict_fails_over_warnings(file: Path) -> None:
    assert run("check_templates", str(file), "--strict")[0] == 1


def test_check_strict_fails_over_unknown_keys(file: Path) -> None:
    known = GOOD.replace("shop.absent", "order_fulfillment.validate_order")
    file.write_text(known, encoding="utf-8")
    assert run("check_templates", str(file), "--strict")[0] == 0

    file.write_text(f"{known}x-team: blue\n", encoding="utf-8")

    assert run("check_templates", str(file))[0] == 0
    assert run("check_templates", str(file), "--strict")[0] == 1


def test_check_fails_over_errors_and_prints_json(file: Path) -> None:
    file.write_text(BAD, encoding="utf-8")

    code, text = run("check_templates", str(file), "--json")

    [answer] = json.loads(text)
    assert code == 1
    assert (answer["source"], answer["template"]) == (str(file), "shop/buy@1.0.0")
    assert (answer["valid"], answer["step_count"], answer["has_cycles"]) == (False, 1, False)
    assert [f["code"] for f in answer["findings"] if f["severity"] == "error"] == ["INVALID_ENUM"]


def test_check_looks_at_the_wanted_environment_only(file: Path) -> None:
    override = "{name: a, retry: {backoff_base_ms: 40000}}"
    file.write_text(f"{GOOD}environments: {{test: {{steps: [{override}]}}}}\n", encoding="utf-8")

    assert "BACKOFF_CAP_BELOW_BASE" in run("check_templates", str(file), "--env", "test")[1]
    assert "BACKOFF_CAP_BELOW_BASE" not in run("check_templates", str(file), "--env", "x")[1]


def test_check_finds_the_examples_and_their_handlers() -> None:
    code, text = run("check_templates", "--strict")

    assert code == 0, text
    assert "order_fulfillment/process_order@1.0.0 valid, 4 steps" in text
    assert "accounts/register_user@1.0.0 valid, 5 steps" in text


def test_check_compares_initialization_with_what_the_handler_asks_for(file: Path) -> None:
    class Asking(StepHandler):
        def call(self, context: Any) -> None:
            """Is not called here."""

        def config_schema(self) -> dict[str, Any]:
            return {"type": "object", "required": ["size"]}

    HandlerRegistry.instance().register("shop.absent", Asking)
    try:
        code, text = run("check_templates", str(file))
    finally:
        HandlerRegistry.instance().unregister("shop.absent")

    assert code == 0
    assert "warning INITIALIZATION_MISMATCH steps[0].handler.initialization: " in text
