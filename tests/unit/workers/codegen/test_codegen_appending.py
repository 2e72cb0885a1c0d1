"""Files that exist: refused, overwritten by force, or completed and otherwise left alone."""

from pathlib import Path
from typing import Any

import pytest

from templates_registry.schema import load_text
from workers.codegen.files import Consent, FileRefusedError, write_all
from workers.codegen.generate import generate_handlers, generate_scaffold, generate_types
from workers.codegen.types import GENERATED

HEAD = "name: buy\nnamespace_name: shop\nversion: 1.0.0\nsteps:\n"
CHECK = "  - {name: check, handler: {callable: shop.check}}\n"
SHIP = "  - {name: ship, handler: {callable: shop.ship}, dependencies: [check]}\n"
PAIR = "".join(
    f"  - {{name: {name}, handler: {{callable: shop.Pair, method: {name}}}}}\n"
    for name in ("first", "second")
)
MINE = '''"""Mine."""

from typing import Any

from workers import step_handler


@step_handler("shop.check")
def my_check() -> dict[str, Any]:
    return {"mine": True}  # as I want it


x = 1
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "step_handlers.py"


def generate(text: str, path: Path, *, append: bool = True, **options: Any) -> str:
    made = generate_handlers(
        load_text(HEAD + text), path, consent=Consent(append=append), **options
    )
    write_all(made.files)
    return path.read_text(encoding="utf-8")


def test_what_exists_is_refused(path, tmp_path):
    path.write_text(MINE)

    with pytest.raises(FileRefusedError, match=r"--append.*--force"):
        generate(CHECK, path, append=False)
    with pytest.raises(FileRefusedError, match=r"--append.*--force"):
        generate_scaffold(load_text(HEAD + CHECK), tmp_path, consent=Consent())

    assert path.read_text() == MINE
    assert list(tmp_path.iterdir()) == [path]


def test_what_exists_is_overwritten_by_force(path):
    path.write_text(MINE)

    made = generate_handlers(load_text(HEAD + CHECK), path, consent=Consent(force=True))

    assert "my_check" not in made.files[0].text


def test_what_is_missing_is_added_and_nothing_else_changed(path):
    path.write_text(MINE)

    text = generate(CHECK + SHIP, path, with_tests=True)

    before, _, added = text.partition("x = 1\n")
    assert before == MINE.partition("x = 1")[0].replace(
        "import step_handler", "import StepContext, depends_on, step_handler"
    )
    assert added.startswith('\n\n@step_handler("shop.ship")\n')
    assert "def check(" not in text
    tests = path.with_name("test_step_handlers.py").read_text()
    assert "step_handlers.my_check" in tests
    assert "step_handlers.ship" in tests


def test_adding_twice_is_adding_once(path):
    once = generate(CHECK + SHIP + PAIR, path, with_tests=True)
    tests = path.with_name("test_step_handlers.py").read_text()

    assert generate(CHECK + SHIP + PAIR, path, with_tests=True) == once
    assert path.with_name("test_step_handlers.py").read_text() == tests


def test_a_file_completed_step_by_step_is_the_same_as_one_made_at_once(path, tmp_path):
    generate(CHECK, path)
    generate(CHECK + SHIP, path)

    assert generate(CHECK + SHIP + PAIR, path) == generate(
        CHECK + SHIP + PAIR, tmp_path / "other.py"
    )


def test_a_method_is_added_to_its_class(path):
    source = generate(PAIR.partition("\n")[0] + "\n" + CHECK, path).replace(
        "    def first(", "    def helper(self) -> None:\n        return\n\n    def first("
    )
    lines = source.split("\n")
    path.write_text("\n".join(["# mine", *lines]))

    text = generate(PAIR + CHECK, path)

    assert text.count("class Pair(") == 1
    assert text.index("def helper") < text.index("def first") < text.index("def second")
    assert text.index("def second") < text.index("def check")
    assert text.startswith("# mine\n")


def test_a_name_that_is_taken_is_not_taken_again(path):
    path.write_text("import ship\n\n\ndef check():\n    return 1\n")

    text = generate(CHECK + SHIP, path)

    assert "def check_2(" in text
    assert "def ship_2(" in text


@pytest.mark.parametrize(
    "imports",
    ["import os as system", "from workers import (\n    inputs,  # why\n)", "from . import a"],
)
def test_imports_that_are_not_plain_stay_as_they_are(path, imports):
    path.write_text(f"{imports}\n\nx = 1\n")

    text = generate(CHECK, path)

    assert text.startswith(f"{imports}\nfrom typing import Any\n\nfrom workers import StepContext")


@pytest.mark.parametrize("source", ["", '"""Doc."""\n', "x = 1\n", "# comment\n"])
def test_imports_are_added_where_there_are_none(path, source):
    path.write_text(source)

    compile(text := generate(CHECK, path), "step_handlers.py", "exec")

    assert "from workers import StepContext, step_handler\n" in text


@pytest.mark.parametrize(
    "source",
    [
        '@workers.step_handler("shop.check", version="2")\nasync def f(): ...\n',
        '@step_handler(name="shop.check")\ndef f(): ...\n',
        'class F(StepHandler):\n    handler_name = "shop.check"\n',
    ],
)
def test_a_handler_is_recognised_however_it_is_written(path, source):
    path.write_text(source)

    assert generate(CHECK, path) == source


def test_what_is_no_python_is_refused(path):
    path.write_text("def (")

    with pytest.raises(FileRefusedError, match="is no Python"):
        generate(CHECK, path)

    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileRefusedError, match="cannot be read"):
        generate(CHECK, path)


def test_models_are_written_anew_unless_somebody_else_wrote_them(tmp_path):
    template, path = load_text(HEAD + CHECK), tmp_path / "models.py"
    write_all(generate_types(template, path, consent=Consent()).files)
    path.write_text(f"{GENERATED}\nx = 1\n")

    write_all(generate_types(template, path, consent=Consent()).files)

    assert "x = 1" not in path.read_text()
    path.write_text("class Order(Model): ...\n")
    for generate_all in (
        lambda consent: generate_types(template, path, consent=consent),
        lambda consent: generate_scaffold(template, tmp_path, consent=consent),
    ):
        with pytest.raises(FileRefusedError, match="was not generated"):
            generate_all(Consent(append=True))
        assert generate_all(Consent(force=True)).files[0].text.startswith(GENERATED)


def test_tests_need_a_module_that_can_be_imported(tmp_path):
    with pytest.raises(FileRefusedError, match="cannot be imported"):
        generate(CHECK, tmp_path / "my-handlers.py", with_tests=True)


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(FileRefusedError, match="Cannot write"):
        generate(CHECK, tmp_path / "file" / "handlers.py")
