"""Which steps of a template have no handler here, and why."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from workers.registry.definition import HandlerDefinition, ResolutionError

if TYPE_CHECKING:
    from templates_registry.schema import StepTemplate, TaskTemplate


class HandlerSource(Protocol):
    """Where handlers come from: the process's registry, or what stands in for it."""

    def locate(self, definition: HandlerDefinition) -> Any:
        """Return a handler for one dispatch; raises ResolutionError."""


class UnresolvedStep(NamedTuple):
    """A step, its place in the template, and why its handler cannot be found."""

    number: int
    step: "StepTemplate"
    error: ResolutionError


def unresolved_steps(template: "TaskTemplate", handlers: HandlerSource) -> Iterator[UnresolvedStep]:
    """Yield the steps whose callable, method or resolver hint does not resolve."""
    for number, step in enumerate(template.steps):
        try:
            handlers.locate(HandlerDefinition.from_step(step))
        except ResolutionError as error:
            yield UnresolvedStep(number, step, error)
