"""A new workflow of two steps that works as written: template, handlers and test in an app.

The app is made beside `manage.py` when there is none of its name. Nothing that exists is changed,
except that handlers are added to `step_handlers.py`.
"""

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings

from templates_registry.schema import load_text
from workers.codegen.files import FileRefusedError, NewFile, read_python
from workers.codegen.functions import ANY, PLAIN_RESULT
from workers.codegen.imports import WORKERS, Import, Sections, import_lines, import_of, sections_of
from workers.codegen.layout import Call, Group, Raw, show
from workers.codegen.module import Block, extend_module, new_module
from workers.codegen.present import read_present

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,24}")
_TEMPLATE = """\
name: {name}
namespace_name: {namespace}
version: 1.0.0
description: Greets somebody in two steps, until you write what {name} is to do
input_schema:
  type: object
  properties: {{who: {{type: string}}}}
  required: [who]
steps:
  - name: {first}
    description: Write the greeting
    handler: {{callable: {namespace}.{first}}}
    result_schema:
      type: object
      properties: {{greeting: {{type: string}}}}
      required: [greeting]
  - name: {second}
    description: Count its letters
    handler: {{callable: {namespace}.{second}}}
    dependencies: [{first}]
    result_schema:
      type: object
      properties: {{letters: {{type: integer}}}}
      required: [letters]
"""


@dataclass(frozen=True)
class App:
    """The app that a workflow is written into."""

    name: str  # as it is imported
    folder: Path
    is_installed: bool


@dataclass(frozen=True)
class Workflow:
    """Names of a new workflow and of everything that belongs to it."""

    name: str
    namespace: str
    app: App

    @property
    def word(self) -> str:
        """The name as part of Python's names."""
        return self.name.replace("-", "_").lower()

    @property
    def first(self) -> str:
        """The first step and its function."""
        return f"prepare_{self.word}"

    @property
    def second(self) -> str:
        """The second step and its function."""
        return f"finish_{self.word}"

    @property
    def handlers(self) -> Path:
        """The file for the handlers: the app's module, or an own one in its package."""
        package = self.app.folder / "step_handlers"
        return package / f"{self.word}.py" if package.is_dir() else package.with_suffix(".py")

    @property
    def handlers_module(self) -> str:
        """The handlers' module as it is imported."""
        parts = self.handlers.relative_to(self.app.folder).with_suffix("").parts
        return ".".join([self.app.name, *parts])


def plan_workflow(name: str, *, app: str | None, namespace: str | None) -> Workflow:
    """Return what a workflow will be called; raises FileRefusedError."""
    if not _NAME.fullmatch(name):
        raise FileRefusedError(
            f"{name!r} does not do as a name: begin with a letter, go on with letters, digits, "
            "'_' and '-', 25 at most."
        )
    label = app or namespace or name.replace("-", "_").lower()
    return Workflow(name, namespace or label.rpartition(".")[2], find_app(label))


def find_app(label: str) -> App:
    """Return the installed app of a label or name, or the place for a new one."""
    for each in apps.get_app_configs():
        if label in (each.label, each.name):
            return App(each.name, Path(each.path), is_installed=True)
    folder = Path(getattr(settings, "BASE_DIR", None) or Path.cwd()) / label
    if not label.isidentifier() or keyword.iskeyword(label):
        raise FileRefusedError(f"{label!r} cannot be the name of an app: Python cannot import it.")
    if not folder.is_dir() and find_spec(label) is not None:
        raise FileRefusedError(f"{label!r} is a Python module already; choose another --app.")
    return App(label, folder, is_installed=False)


def workflow_files(workflow: Workflow) -> list[NewFile]:
    """Return the files to write; raises FileRefusedError, and TemplateError for a bad namespace."""
    folder = workflow.app.folder
    template = folder / "task_templates" / f"{workflow.name}.yaml"
    test = folder / "tests" / f"test_{workflow.word}.py"
    if present := [str(each) for each in (template, test) if each.exists()]:
        raise FileRefusedError(f"{', '.join(present)}: exists, and nothing is overwritten.")
    text = _TEMPLATE.format(
        name=workflow.name,
        namespace=workflow.namespace,
        first=workflow.first,
        second=workflow.second,
    )
    load_text(text)
    packages = [folder / "__init__.py", folder / "tests" / "__init__.py"]
    return [
        *(NewFile(each, "") for each in packages if not each.exists()),
        NewFile(template, text),
        NewFile(workflow.handlers, _handlers(workflow)),
        NewFile(test, _test(workflow, sections_of(folder, planned=[folder]))),
    ]


def _handlers(workflow: Workflow) -> str:
    path, section = workflow.handlers, sections_of(workflow.app.folder)
    blocks = [_first(workflow), _second(workflow)]
    if not path.exists():
        return new_module([f'"""Step handlers of the app {workflow.app.name}."""'], blocks, section)
    source = read_python(path)
    if taken := read_present(source).names.intersection([workflow.first, workflow.second]):
        raise FileRefusedError(f"{path} has {', '.join(sorted(taken))} already.")
    return extend_module(source, blocks, section)


def _first(workflow: Workflow) -> Block:
    lines = [
        show(Call("@step_handler", [f"{workflow.namespace}.{workflow.first}"])),
        '@inputs("who")',
        show(Group(f"def {workflow.first}(", ["who: str"], f") -> {PLAIN_RESULT}:")),
        '    """Write the greeting."""',
        '    return {"greeting": f"Hello {who}"}',
    ]
    return Block(workflow.first, lines, _imports("inputs"))


def _second(workflow: Workflow) -> Block:
    given = [f"prepared: {PLAIN_RESULT}"]
    lines = [
        show(Call("@step_handler", [f"{workflow.namespace}.{workflow.second}"])),
        show(Call("@depends_on", keywords={"prepared": workflow.first})),
        show(Group(f"def {workflow.second}(", given, f") -> {PLAIN_RESULT}:")),
        '    """Count the letters of the greeting."""',
        '    return {"letters": len(prepared["greeting"])}',
    ]
    return Block(workflow.second, lines, _imports("depends_on"))


def _imports(decorator: str) -> frozenset[Import]:
    return frozenset([ANY, *(import_of(each, WORKERS) for each in ("step_handler", decorator))])


def _test(workflow: Workflow, section: Sections) -> str:
    return "\n".join(_test_lines(workflow, section)) + "\n"


def _test_lines(workflow: Workflow, section: Sections) -> Iterator[str]:
    first, second = workflow.first, workflow.second
    alone = Call("run_handler", [Raw(first)], {"inputs": {"who": "Ada"}})
    handlers = {f"{workflow.namespace}.{each}": Raw(each) for each in (first, second)}
    whole = Call("run_inline", [Raw("TEMPLATE"), {"who": "Ada"}], {"handlers": handlers})
    yield f'"""The workflow {workflow.name}: a step alone, and the whole of it."""'
    yield ""
    yield from import_lines(
        [
            Import("pathlib", "Path"),
            Import("pytest"),
            *(Import(workflow.handlers_module, each) for each in (first, second)),
            *(Import("workers.testing", each) for each in ("run_handler", "run_inline")),
        ],
        section,
    )
    yield ""
    yield f'TEMPLATE = Path(__file__).parents[1] / "task_templates/{workflow.name}.yaml"'
    yield from ("", "", f"def test_{first}_writes_a_greeting() -> None:")
    yield f"    result = {show(alone, indent=4, before=9)}"
    yield from ("", '    assert result.result == {"greeting": "Hello Ada"}')
    yield from ("", "", "@pytest.mark.django_db", f"def test_{workflow.word}_completes() -> None:")
    yield f"    run = {show(whole, indent=4, before=6)}"
    yield from ("", "    run.assert_complete()")
    yield f'    assert run.result("{second}") == {{"letters": 9}}'
