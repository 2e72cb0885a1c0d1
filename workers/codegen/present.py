"""What an existing module defines: names, handlers, methods and the imports it begins with."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from workers.codegen.imports import Import

_DECORATORS = frozenset(
    ["step_handler", "decision_handler", "batch_analyzer", "batch_worker", "api_handler"]
)


class UnreadableModuleError(Exception):
    """A file to which code should be added is no Python."""


@dataclass(frozen=True)
class Present:
    """What a module defines; nothing, for one that does not exist."""

    names: frozenset[str] = frozenset()
    handlers: Mapping[str, str] = field(default_factory=dict)  # callable → function or class
    methods: Mapping[str, frozenset[str]] = field(default_factory=dict)  # class → its methods


@dataclass(frozen=True)
class LeadingImports:
    """The imports at the beginning of a module: which, and in which lines."""

    imports: frozenset[Import]
    first_line: int  # counted from 0; without imports, where they would stand
    end_line: int
    are_plain: bool  # all of them could be written anew from `imports`


def parse(source: str) -> list[ast.stmt]:
    """Return the statements of a source; raises UnreadableModuleError."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise UnreadableModuleError(str(error)) from error


def read_present(source: str) -> Present:
    """Return what a source defines; raises UnreadableModuleError."""
    body = parse(source)
    classes = [each for each in body if isinstance(each, ast.ClassDef)]
    return Present(
        frozenset(name for each in body for name in _defined(each)),
        {called: name for each in body for called, name in _handlers(each)},
        {
            each.name: frozenset(name for part in each.body for name in _defined(part))
            for each in classes
        },
    )


def leading_imports(source: str) -> LeadingImports:
    """Return the imports that stand behind the docstring; raises UnreadableModuleError."""
    body = parse(source)
    start = _end_of_docstring(body)
    found: list[ast.Import | ast.ImportFrom] = []
    for each in body[1 if start else 0 :]:
        if not isinstance(each, ast.Import | ast.ImportFrom):
            break
        found.append(each)
    if not found:
        return LeadingImports(frozenset(), start, start, are_plain=True)
    first, end = found[0].lineno - 1, found[-1].end_lineno or found[-1].lineno
    return LeadingImports(
        frozenset(one for each in found for one in _imports(each)),
        first,
        end,
        are_plain=all(len(list(_imports(each))) == len(each.names) for each in found)
        and "#" not in "".join(source.split("\n")[first:end]),
    )


def _end_of_docstring(body: list[ast.stmt]) -> int:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.end_lineno or first.lineno
    return 0


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    """Yield the plain ones of a statement's imports: absolute, and under their own names."""
    for each in node.names:
        if each.asname is not None or each.name == "*":
            continue
        if isinstance(node, ast.Import):
            yield Import(each.name)
        elif not node.level:
            yield Import(node.module or "", each.name)


def _handlers(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield callable and name of the handler that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for each in node.decorator_list:
            if isinstance(each, ast.Call) and _last_name(each.func) in _DECORATORS:
                named = [word.value for word in each.keywords if word.arg == "name"]
                yield from ((text, node.name) for text in _texts([*each.args, *named][:1]))
    elif isinstance(node, ast.ClassDef):
        for part in node.body:
            if isinstance(part, ast.Assign) and "handler_name" in _defined(part):
                yield from ((text, node.name) for text in _texts([part.value]))


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for each in nodes:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement gives to its module or class."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((each.asname or each.name).partition(".")[0] for each in node.names)
    else:
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                yield each.id
