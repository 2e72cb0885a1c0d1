"""Files on one side, the registry on the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import override_settings

from templates_registry.models import NamedTask
from templates_registry.registry import Outcome, SyncReport, find, sync
from templates_registry.registry.sources import EXAMPLES, template_files, template_sources

pytestmark = pytest.mark.django_db

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(file: str, name: str = "buy", *, version: str = "1.0.0", rest: str = "") -> Path:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"name: {name}\nnamespace: shop\nversion: {version}\n{rest}\n"
            "steps: [{name: a, handler: x}]\n",
            encoding="utf-8",
        )
        return path

    return _write


def outcomes(report: SyncReport) -> dict[str, Outcome]:
    return {result.template: result.outcome for result in report.results}


def active() -> list[str]:
    return sorted(map(str, NamedTask.objects.filter(retired_at__isnull=True)))


def test_a_folder_is_registered_and_the_second_time_nothing_changes(
    write: Write, tmp_path: Path
) -> None:
    write("buy.yaml")
    write("deep/er/sell.yml", "sell")

    first, second = sync(tmp_path), sync(tmp_path)

    assert outcomes(first) == {
        "shop/buy@1.0.0": Outcome.CREATED,
        "shop/sell@1.0.0": Outcome.CREATED,
    }
    assert set(outcomes(second).values()) == {Outcome.UNCHANGED}
    assert (first.has_changes, second.has_changes, second.has_failed) == (True, False, False)


def test_hidden_and_other_files_are_ignored(write: Write, tmp_path: Path) -> None:
    for file in (".hidden.yaml", "_draft.yaml", "notes.txt", "_old/x.yaml", ".git/x.yaml"):
        write(file, Path(file).stem.strip("._"))

    assert sync(tmp_path).results == ()
    assert outcomes(sync(tmp_path / "_draft.yaml")) == {"shop/draft@1.0.0": Outcome.CREATED}


def test_a_bad_template_is_left_out_and_the_rest_goes_on(write: Write, tmp_path: Path) -> None:
    write("bad.yaml", "bad", rest="identity_strategy: loose")
    (tmp_path / "broken.yaml").write_text("name: [", encoding="utf-8")
    write("good.yaml", "good")

    report = sync(tmp_path)

    assert [(r.template, r.outcome) for r in report.results] == [
        ("unnamed template", Outcome.REJECTED),
        ("shop/bad@1.0.0", Outcome.REJECTED),
        ("shop/good@1.0.0", Outcome.CREATED),
    ]
    assert report.has_failed
    assert active() == ["shop/good@1.0.0"]


def test_two_files_that_disagree_are_a_conflict(write: Write, tmp_path: Path) -> None:
    one = write("one.yaml", rest="description: One")
    two = write("two.yaml", rest="description: Two")

    report = sync(tmp_path)

    [result] = report.results
    assert result.outcome is Outcome.CONFLICT
    assert str(one) in result.message
    assert str(two) in result.message
    assert (report.has_failed, active()) == (True, [])


def test_two_files_that_agree_are_fine(write: Write, tmp_path: Path) -> None:
    write("one.yaml", rest="# a comment")
    write("two.yaml", rest="identity_strategy: always_unique")

    report = sync(tmp_path)

    [result] = report.results
    assert result.outcome is Outcome.CREATED
    assert len(result.sources) == 2


def test_changed_content_is_revised_or_with_strict_refused(write: Write, tmp_path: Path) -> None:
    write("buy.yaml", rest="description: One")
    sync(tmp_path)
    write("buy.yaml", rest="description: Two")

    strict = sync(tmp_path, strict=True)
    assert strict.has_failed
    assert find("shop", "buy").template.description == "One"

    assert outcomes(sync(tmp_path)) == {"shop/buy@1.0.0": Outcome.REVISED}
    assert find("shop", "buy").template.description == "Two"


def test_looking_only_writes_nothing(write: Write, tmp_path: Path) -> None:
    write("buy.yaml")

    report = sync(tmp_path, check=True)

    assert outcomes(report) == {"shop/buy@1.0.0": Outcome.CREATED}
    assert report.has_changes
    assert active() == []


def sources(folder: Path, **rest: Any) -> Any:
    return override_settings(
        TASKER={"template_paths": [str(folder)], "load_examples": False, **rest}
    )


def test_pruning_retires_what_no_source_contains(write: Write, tmp_path: Path) -> None:
    gone = write("buy.yaml")
    write("sell.yaml", "sell")
    with sources(tmp_path):
        sync()
        gone.unlink()

        kept = sync()
        looked = sync(prune=True, check=True)
        pruned = sync(prune=True)
        again = sync(prune=True)

    assert kept.retired == ()
    assert looked.retired == pruned.retired == ("shop/buy@1.0.0",)
    assert (looked.has_changes, again.has_changes) == (True, False)
    assert active() == ["shop/sell@1.0.0"]


def test_a_template_with_errors_is_not_pruned(write: Write, tmp_path: Path) -> None:
    write("buy.yaml")
    with sources(tmp_path):
        sync()
        write("buy.yaml", rest="identity_strategy: loose")

        report = sync(prune=True)

    assert (report.has_failed, report.retired) == (True, ())
    assert active() == ["shop/buy@1.0.0"]


def test_an_unreadable_file_stops_pruning(write: Write, tmp_path: Path) -> None:
    path = write("buy.yaml")
    with sources(tmp_path):
        sync()
        path.write_text("name: [", encoding="utf-8")

        report = sync(prune=True)

    assert "repair it first" in report.message
    assert active() == ["shop/buy@1.0.0"]


def test_a_configured_path_that_is_missing_is_told(tmp_path: Path) -> None:
    with sources(tmp_path / "absent"):
        report = sync(prune=True)

    [result] = report.results
    assert result.outcome is Outcome.REJECTED
    assert "cannot be read" in result.findings[0].message
    assert report.retired == ()


def test_pruning_with_paths_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name no path"):
        sync(tmp_path, prune=True)


def test_all_sources_count(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("listed/one.yaml", "one")
    write("also/two.yaml", "two")
    write("workspace/config/tasks/three.yaml", "three")
    write("project/config/tasks/four.yaml", "four")
    monkeypatch.setenv("WORKSPACE_PATH", str(tmp_path / "workspace"))
    paths = f"{tmp_path / 'listed'}:{tmp_path / 'also'}"

    with override_settings(
        TASKER={"template_paths": [paths], "load_examples": True}, BASE_DIR=tmp_path / "project"
    ):
        found = template_sources()
        report = sync()

    assert found[-1] == EXAMPLES
    names = {result.template.split("@")[0] for result in report.results}
    assert {"shop/one", "shop/two", "shop/three", "shop/four"} < names
    assert {"order_fulfillment/process_order", "accounts/register_user"} < names


def test_a_folder_of_an_installed_app_counts(tmp_path: Path, monkeypatch: Any) -> None:
    app = apps.get_app_config("templates_registry")
    (tmp_path / "task_templates").mkdir()
    monkeypatch.setattr(app, "path", str(tmp_path))

    with override_settings(TASKER={"load_examples": False}):
        assert tmp_path / "task_templates" in template_sources()


def test_a_file_reached_twice_is_read_once(write: Write, tmp_path: Path) -> None:
    path = write("buy.yaml")
    (tmp_path / "link.yaml").symlink_to(path)

    assert len(list(template_files([tmp_path, path]))) == 1


def test_the_shipped_examples_are_registered() -> None:
    with override_settings(TASKER={"template_change_policy": "reject"}):
        report = sync(EXAMPLES)

    assert not report.has_failed
    order = find("order_fulfillment", "process_order").template
    assert order.step("process_payment").retry.max_attempts == 4
    assert [event.name for event in order.step("process_payment").publishes_events] == [
        "payment.captured",
        "payment.refused",
    ]
    assert len(find("accounts", "register_user").template.initial_steps()) == 5
