"""Whether the models that handlers use agree with the schemas of the templates they handle.

Templates are read from their files, as `sync_templates` would, so that no database is needed. Each
handler's models are those of `inputs` and `depends_on` and the one its return annotation names.
"""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args, get_type_hints

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name
from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from templates_registry.registry.sources import template_files, template_sources
from templates_registry.schema import StepTemplate, TaskTemplate, inspect_file
from workers.checks.comparison import Difference, Kind, Names, Schema, compare
from workers.handlers.injection import Injection
from workers.registry import HandlerDefinition, HandlerRegistry, ResolutionError
from workers.results import StepHandlerResult

IDS = {
    Kind.MISSING: "workers.W111",
    Kind.EXTRA: "workers.W112",
    Kind.TYPE: "workers.W113",
    Kind.REQUIRED: "workers.W114",
}
_HINT = "Change the model or the schema; generate_types writes the models of a template."


@dataclass(frozen=True)
class SchemaFinding:
    """One difference between a model and a schema, and where it was found."""

    difference: Difference
    template: str
    step: str

    def __str__(self) -> str:
        return f"{self.template}, step '{self.step}': {self.difference.text}"


class _Use(NamedTuple):
    """One model of a handler, and the schema that it stands for."""

    model: type[BaseModel]
    schema: Schema
    name: str  # of the schema
    gives: bool = False
    takes_names: bool = False  # whether fields are filled by their names too


def check_schemas(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report what does not fit (W111 missing, W112 extra, W113 type, W114 required)."""
    return [
        Warning(str(each), hint=_HINT, id=IDS[each.difference.kind])
        for each in find_differences(app_configs)
        if not each.difference.is_harmless
    ]


def find_differences(app_configs: Sequence[AppConfig] | None = None) -> list[SchemaFinding]:
    """Return every difference, of all handlers or of those of some apps."""
    try:
        registry = HandlerRegistry.instance()
    except Exception:  # noqa: BLE001 - check_handlers says what is wrong with the handlers
        return []
    found = (
        finding
        for template in templates_of_files()
        for step in template.steps
        for finding in _of_step(template, step, registry, app_configs)
    )
    return list(dict.fromkeys(found))


def templates_of_files() -> Iterator[TaskTemplate]:
    """Yield the readable templates of all files."""
    for path in template_files(template_sources()):
        for each in inspect_file(path):
            if each.template is not None:
                yield each.template


def _of_step(
    template: TaskTemplate,
    step: StepTemplate,
    registry: HandlerRegistry,
    app_configs: Sequence[AppConfig] | None,
) -> Iterator[SchemaFinding]:
    function = _function(registry, step)
    if function is None or not _belongs_to(function, app_configs):
        return
    for use in _uses(function, template, step):
        model = _json_schema(use)
        names = Names(use.name, use.model.__name__)
        for each in compare(use.schema, model, names=names, model_gives=use.gives):
            yield SchemaFinding(each, str(template), step.name)


def _function(registry: HandlerRegistry, step: StepTemplate) -> Any:
    """Return the function or method that handles a step, None when it is not found."""
    definition = HandlerDefinition.from_step(step)
    try:
        handler = registry.locate(definition)
    except ResolutionError:
        return None
    handler = getattr(handler, "handler", handler)  # behind the dispatch to another method
    function = getattr(handler, "function", None)
    return function or getattr(handler, definition.effective_method(), None)


def _belongs_to(function: Any, app_configs: Sequence[AppConfig] | None) -> bool:
    if app_configs is None:
        return True
    module = getattr(function, "__module__", "") or ""
    return any(module == each.name or module.startswith(f"{each.name}.") for each in app_configs)


def _uses(function: Any, template: TaskTemplate, step: StepTemplate) -> Iterator[_Use]:
    injection = getattr(function, "_injection", None)
    if isinstance(injection, Injection):
        if injection.input_model and template.input_schema:
            yield _Use(
                injection.input_model, template.input_schema, "input_schema", takes_names=True
            )
        for wanted in injection.results:
            earlier = template.steps_by_name.get(wanted.step)
            if wanted.model and earlier and earlier.result_schema:
                name = f"result_schema of '{earlier.name}'"
                by_name = bool(wanted.model.model_config.get("populate_by_name"))
                yield _Use(wanted.model, earlier.result_schema, name, takes_names=by_name)
    model = _returned(function)
    if model and step.result_schema:
        yield _Use(model, step.result_schema, "result_schema", gives=True)


def _returned(function: Any) -> type[BaseModel] | None:
    """Return the model that a function says it returns."""
    try:
        annotation = get_type_hints(function).get("return")
    except Exception:  # noqa: BLE001 - an annotation may be any text, and say nothing to us
        return None
    found = [each for each in (annotation, *get_args(annotation)) if _is_model(each)]
    return found[0] if found else None


def _is_model(annotation: Any) -> bool:
    return (
        inspect.isclass(annotation)
        and issubclass(annotation, BaseModel)
        and not issubclass(annotation, StepHandlerResult)  # says nothing of what is in it
    )


def _json_schema(use: _Use) -> Schema:
    """Return the model's own JSON Schema, with the names that the JSON has; empty without one."""
    try:
        if use.gives:
            by_alias = bool(use.model.model_config.get("serialize_by_alias"))
            return use.model.model_json_schema(mode="serialization", by_alias=by_alias)
        return use.model.model_json_schema(by_alias=not _is_filled_by_names(use))
    except (PydanticUserError, TypeError, ValueError):
        return {}


def _is_filled_by_names(use: _Use) -> bool:
    properties: Iterable[str] = use.schema.get("properties", ())
    aliased = [name for name, info in use.model.model_fields.items() if info.alias]
    return use.takes_names and bool(aliased) and all(name in properties for name in aliased)
