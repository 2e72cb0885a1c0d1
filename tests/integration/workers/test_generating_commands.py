"""The generating commands: what they print, write, refuse and how they exit."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories.codegen import BATCHES

TEMPLATE = BATCHES.replace("type: integer", "type: 'null'")


@pytest.fixture
def template(tmp_path: Path) -> str:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    return str(path)


def run(command: str, *args: str, **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(command, *args, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_types_are_printed_and_warnings_told(template):
    out, err = run("generate_types", "-t", template)

    assert "class ImportsWorkResult(BaseModel):\n" in out
    assert err.startswith("warning: work.result_schema.rows: Any, because ")


def test_handlers_are_printed_with_their_tests(template, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("step_handlers.py").write_text("x = 1\n")  # is in nobody's way

    out, _ = run("generate_handlers", "-t", template, "-s", "work", "--with-tests")

    assert out.count("@batch_worker(") == 1
    assert "\n# test_step_handlers.py\n" in out
    assert "class TestWorkHandler:" in out


def test_files_are_written_and_named(template, tmp_path):
    folder = tmp_path / "new" / "folder"

    out, _ = run("generate_scaffold", "-t", template, "-o", str(folder))

    names = ["models.py", "step_handlers.py", "test_step_handlers.py"]
    assert out == "".join(f"wrote {folder / name}\n" for name in names)
    assert sorted(each.name for each in folder.iterdir()) == names
    with pytest.raises(CommandError, match="--append"):
        run("generate_scaffold", "-t", template, "-o", str(folder))
    assert run("generate_scaffold", "-t", template, "-o", str(folder), "--append")[0] == out


def test_handlers_may_import_from_the_published_package(template, tmp_path):
    path = tmp_path / "handlers.py"
    run("generate_handlers", "-t", template, "-o", str(path), "--import-from", "tasker_core")

    assert "from tasker_core.step_handler import" in path.read_text()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-t", "nowhere.yaml"], "cannot be read"),
        (["-t", "nowhere"], "neither a file nor NAMESPACE/NAME"),
        (["-s", "absent"], "has no step 'absent'; it has analyse, work, sum_up, split, half"),
        (["--append"], "--append completes a file"),
    ],
)
def test_what_cannot_be_done_is_told(template, args, message):
    given = args if "-t" in args else ["-t", template, *args]

    with pytest.raises(CommandError, match=message):
        run("generate_handlers", *given)


def test_a_template_with_errors_is_told(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\nsteps: []\n")

    with pytest.raises(CommandError, match="NO_STEPS"):
        run("generate_types", "-t", str(path))


@pytest.mark.django_db
def test_a_registered_template_is_found_by_its_name(template):
    call_command("sync_templates", template, stdout=StringIO())

    assert run("generate_types", "-t", "imports/import_rows") == run(
        "generate_types", "-t", "imports/import_rows:1.0.0"
    )
    with pytest.raises(CommandError, match="is not registered"):
        run("generate_types", "-t", "imports/absent")
