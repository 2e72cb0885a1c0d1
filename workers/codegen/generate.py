"""From a template to the text of files: types, handlers with or without tests, a whole scaffold.

Nothing is written here; the commands print the text or hand it to `files.write_all`.
"""

from dataclasses import dataclass, field
from pathlib import Path

from templates_registry.schema import TaskTemplate
from workers.codegen.cases import make_cases
from workers.codegen.files import (
    Consent,
    NewFile,
    check_models,
    existing_source,
    import_of_file,
)
from workers.codegen.handlers import make_handlers
from workers.codegen.imports import WORKERS, Sections, sections_of
from workers.codegen.module import Block, extend_module, new_module
from workers.codegen.plans import MODELS, Plans, make_plans
from workers.codegen.present import read_present
from workers.codegen.text import docstring
from workers.codegen.types import models_text, template_models

HANDLERS_FILE = Path("step_handlers.py")
MODELS_FILE = Path(f"{MODELS}.py")


@dataclass
class Generated:
    """The files of one generation, in order, and what could not be generated as wanted."""

    files: list[NewFile] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def generate_types(
    template: TaskTemplate, path: Path, *, step: str | None = None, consent: Consent
) -> Generated:
    """Return the models of a template."""
    check_models(path, consent)
    found = template_models(template, step=step)
    text = models_text(template, found.all.models)
    return Generated([NewFile(path, text)], found.all.warnings)


def generate_handlers(
    template: TaskTemplate,
    path: Path,
    *,
    step: str | None = None,
    with_tests: bool = False,
    source: str = WORKERS,
    consent: Consent,
) -> Generated:
    """Return handlers and, when wanted, their tests in a file beside them."""
    plans = make_plans(template, step=step, source=source)
    return _handlers_and_tests(plans, path, consent, with_tests=with_tests)


def generate_scaffold(
    template: TaskTemplate,
    folder: Path,
    *,
    step: str | None = None,
    source: str = WORKERS,
    consent: Consent,
) -> Generated:
    """Return models, handlers that use them, and tests, all in one folder."""
    check_models(folder / MODELS_FILE, consent)
    module = import_of_file(folder / MODELS_FILE)
    plans = make_plans(template, step=step, models_module=module, source=source)
    text = models_text(template, plans.models.all.models)
    made = _handlers_and_tests(plans, folder / HANDLERS_FILE, consent, with_tests=True)
    return Generated([NewFile(folder / MODELS_FILE, text), *made.files], made.warnings)


def _handlers_and_tests(
    plans: Plans, path: Path, consent: Consent, *, with_tests: bool
) -> Generated:
    title = f"{plans.template.namespace_name}/{plans.template.name}"
    section = sections_of(path.parent, planned=[path, path.with_name(MODELS_FILE.name)])
    source = existing_source(path, consent)
    handlers = make_handlers(plans, present=read_present(source or ""))
    text = _text(source, handlers.blocks, section, title=f"Step handlers of {title}.")
    files = [NewFile(path, text)]
    if with_tests:
        test_path = path.with_name(f"test_{path.name}")
        source = existing_source(test_path, consent)
        cases = make_cases(plans, handlers.targets, module=import_of_file(path))
        text = _text(source, cases, section, title=f"Tests of the handlers of {title}.")
        files.append(NewFile(test_path, text))
    return Generated(files, [*plans.models.all.warnings, *handlers.warnings])


def _text(source: str | None, blocks: list[Block], section: Sections, *, title: str) -> str:
    if source is not None:
        return extend_module(source, blocks, section)
    head = docstring(title, indent=0, otherwise="Generated from a task template.")
    return new_module(head, blocks, section)
