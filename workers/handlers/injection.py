"""What a decorated function receives: results of earlier steps and inputs of the task, by keyword.

Decorators only note what is wanted; the arguments are worked out for each call. A model that does
not fit ends in `InjectionError`, which the functional handler turns into a permanent failure.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import from_json

from workers.context import StepContext
from workers.results import ErrorType, StepHandlerResult

CONTEXT_NAMES = ("context", "_context")


class InjectionError(Exception):
    """An input or an earlier result does not fit the model that the function asks for."""

    def __init__(self, subject: str, *, code: str, error: ValidationError) -> None:
        super().__init__(f"{subject} do not fit {error.title}: {error}")
        self.code = code
        self.errors = from_json(error.json(include_url=False))

    def as_failure(self) -> StepHandlerResult:
        """Return the permanent failure that this means."""
        return StepHandlerResult.failure(
            str(self), ErrorType.VALIDATION_ERROR, False, {"errors": self.errors}, self.code
        )


class Wanted(NamedTuple):
    """One result of an earlier step: as which keyword, of which step, in which model."""

    keyword: str
    step: str
    model: type[BaseModel] | None


class Injection:
    """Everything that one function wants; decorators add to it, in any order."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.results: list[Wanted] = []
        self.input_keys: list[str] = []
        self.input_model: type[BaseModel] | None = None

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Injection":
        """Return the function's injection, made on first use."""
        found: Injection | None = getattr(function, "_injection", None)
        if found is None:
            found = cls(function)
            function._injection = found  # type: ignore[attr-defined]
        return found

    @cached_property
    def context_names(self) -> tuple[str, ...]:
        """The keywords under which the function wants the context itself."""
        parameters = inspect.signature(self.function).parameters
        return tuple(name for name in CONTEXT_NAMES if name in parameters)

    def arguments(self, context: StepContext) -> dict[str, Any]:
        """Return the keyword arguments for one call; raises InjectionError."""
        found: dict[str, Any] = dict.fromkeys(self.context_names, context)
        for wanted in self.results:
            found[wanted.keyword] = _dependency(context, wanted)
        if self.input_model is not None:
            found["inputs"] = _inputs(context, self.input_model)
        else:
            for key in self.input_keys:
                found[key] = context.get_input(key)
        return found


def _dependency(context: StepContext, wanted: Wanted) -> Any:
    value = context.get_dependency_result(wanted.step)
    if wanted.model is None or not isinstance(value, dict):
        return value
    try:
        return wanted.model.model_validate(value)
    except ValidationError as error:
        raise InjectionError(
            f"The results of step '{wanted.step}'",
            code="DEPENDENCY_VALIDATION_FAILED",
            error=error,
        ) from error


def _inputs(context: StepContext, model: type[BaseModel]) -> BaseModel:
    values: dict[str, Any] = {}
    for field in _input_fields(model):
        found = (context.get_input(key) for key in field.keys)
        value = next((each for each in found if each is not None), None)
        if value is not None or field.is_none_passed:
            values[field.name] = value
    try:
        # Values of this model stand under its fields' names, those of models inside under aliases.
        return model.model_validate(values, by_name=True, by_alias=not _is_ambiguous(model))
    except ValidationError as error:
        raise InjectionError(
            "The task's inputs", code="INPUT_VALIDATION_FAILED", error=error
        ) from error


class InputField(NamedTuple):
    """How one field of an input model is filled."""

    name: str
    keys: tuple[str, ...]
    is_none_passed: bool


@lru_cache(maxsize=1000)
def _input_fields(model: type[BaseModel]) -> tuple[InputField, ...]:
    return tuple(
        InputField(
            name, (name, *_aliases(info)), info.is_required() or _accepts_none(info.annotation)
        )
        for name, info in model.model_fields.items()
    )


@lru_cache(maxsize=1000)
def _is_ambiguous(model: type[BaseModel]) -> bool:
    """Say whether an alias of one field would find the value of another, by that one's name."""
    return any(
        (alias.path[0] if isinstance(alias, AliasPath) else alias) in model.model_fields
        for info in model.model_fields.values()
        for alias in _given(info)
    )


def _given(info: FieldInfo) -> Sequence[str | AliasPath | None]:
    given = info.validation_alias or info.alias
    return given.choices if isinstance(given, AliasChoices) else (given,)


def _aliases(info: FieldInfo) -> Iterator[str]:
    yield from (alias for alias in _given(info) if isinstance(alias, str))


def _accepts_none(annotation: Any) -> bool:
    if annotation in (None, NoneType, Any, object):
        return True
    if hasattr(annotation, "__value__"):
        return _accepts_none(annotation.__value__)
    if get_origin(annotation) is Annotated:
        return _accepts_none(get_args(annotation)[0])
    return any(each is NoneType or _accepts_none(each) for each in _members(annotation))


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    if get_origin(annotation) is Literal:
        return (NoneType,) if None in get_args(annotation) else ()
    return ()
