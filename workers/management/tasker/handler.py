"""Handlers: what this code base registers, and which resolver answers for a callable."""

from typing import Any

from django.core.management.base import CommandParser

from orchestration.errors import NotFoundError
from orchestration.management.tasker.verb import Answer, Verb
from templates_registry.models import NamedTask
from workers.registry import HandlerDefinition, HandlerRegistry, ResolutionError
from workers.registry.handlers import describe


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "-n", "--namespace", help="only what registered templates of this namespace name"
    )


def list_handlers(options: dict[str, Any]) -> Answer:
    """List the callables that were found in this code base, with where they are defined."""
    registry = HandlerRegistry.instance()
    names = registry.list_handlers()
    if options["namespace"]:
        wanted = _callables_of(options["namespace"])
        names = [name for name in names if name in wanted]
    body = [
        {"callable": name, "handler": describe(registry.get_handler_class(name))} for name in names
    ]
    failures = [f"{module} failed: {why}" for module, why in registry.import_failures.items()]
    notes = failures or ([] if body else ["No handler was found."])
    return Answer(body=body, columns=("callable", "handler"), notes=notes)


def _callables_of(namespace: str) -> set[str]:
    """Return what the steps of a namespace's active templates name."""
    contents = NamedTask.objects.filter(
        task_namespace__name=namespace, retired_at__isnull=True
    ).values_list("configuration", flat=True)
    return {
        step["handler"]["callable"] for content in contents for step in content.get("steps", ())
    }


def _resolve_arguments(parser: CommandParser) -> None:
    parser.add_argument("callable", metavar="CALLABLE", help="as a template names it")
    parser.add_argument("--resolver", metavar="NAME", help="let only this resolver answer")


def resolve(options: dict[str, Any]) -> Answer:
    """Show which resolver answers for a callable, and with which handler."""
    name = options["callable"]
    chain = HandlerRegistry.instance().resolver_chain
    try:
        chain.locate(HandlerDefinition(name, resolver=options["resolver"]))
    except ResolutionError as error:
        raise NotFoundError(str(error)) from error
    resolvers = [options["resolver"]] if options["resolver"] else chain.resolver_names
    for resolver in resolvers:
        try:
            handler = chain.locate(HandlerDefinition(name, resolver=resolver))
        except ResolutionError:
            continue
        body = {"callable": name, "resolver": resolver, "handler": describe(type(handler))}
        return Answer(body=body)
    raise AssertionError("unreachable: the chain has found a handler")


VERBS = {
    "list": Verb(
        help="List the handlers of this code base.", run=list_handlers, arguments=_list_arguments
    ),
    "resolve": Verb(
        help="Show which resolver answers for a callable.",
        run=resolve,
        arguments=_resolve_arguments,
    ),
}
