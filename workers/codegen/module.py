"""A generated module as blocks, and how the missing ones are added to a module that exists.

A block is one top-level function or class with the imports it needs. Of what exists nothing is
changed: imports are completed, methods are added at the end of their class, blocks at the end of
the file.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workers.codegen.imports import Import, Sections, import_lines
from workers.codegen.present import leading_imports, parse, read_present


@dataclass(frozen=True)
class Block:
    """One function or class; `methods` are what a class has beyond its `lines`."""

    name: str
    lines: Sequence[str]
    imports: frozenset[Import]
    methods: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The source of the block."""
        return "\n".join([*self.lines, *_spaced(self.methods.values())])


def new_module(head: Sequence[str], blocks: Sequence[Block], section: Sections) -> str:
    """Return the source of a module that begins with these lines."""
    imports = import_lines(_imports_of(blocks), section)
    begin = "\n".join([*head, *(["", *imports] if imports else [])])
    return "\n\n\n".join([begin, *(each.text for each in blocks)]) + "\n"


def extend_module(source: str, blocks: Sequence[Block], section: Sections) -> str:
    """Return a source with the blocks and methods that it lacks; raises UnreadableModuleError."""
    present = read_present(source)
    missing = [each for each in blocks if each.name not in present.names]
    opened = [
        replace(each, methods=lacking)
        for each in blocks
        if (lacking := _lacking(each, present.methods.get(each.name)))
    ]
    if not missing and not opened:
        return source
    source = _with_methods(source, opened)
    source = _with_imports(source, _imports_of([*missing, *opened]), section)
    return "\n\n\n".join([source.rstrip("\n"), *(each.text for each in missing)]) + "\n"


def _imports_of(blocks: Iterable[Block]) -> set[Import]:
    return {each for block in blocks for each in block.imports}


def _lacking(block: Block, methods: frozenset[str] | None) -> dict[str, Sequence[str]]:
    """Return what an existing class lacks; nothing when there is no class of this name."""
    if methods is None:
        return {}
    return {name: lines for name, lines in block.methods.items() if name not in methods}


def _with_methods(source: str, blocks: Iterable[Block]) -> str:
    lines = source.split("\n")
    ends = {
        each.name: each.end_lineno or each.lineno
        for each in parse(source)
        if isinstance(each, ast.ClassDef)
    }
    for block in sorted(blocks, key=lambda each: -ends[each.name]):
        place = ends[block.name]
        lines[place:place] = _spaced(block.methods.values())
    return "\n".join(lines)


def _with_imports(source: str, wanted: set[Import], section: Sections) -> str:
    """Return a source with more imports: in order where its own are plain, else behind them."""
    found = leading_imports(source)
    if wanted <= found.imports:
        return source
    lines = source.split("\n")
    if found.first_line == found.end_line:
        new = (
            ["", *import_lines(wanted, section)]
            if found.end_line
            else import_lines(wanted, section)
        )
        lines[found.end_line : found.end_line] = new
    elif found.are_plain:
        new = import_lines(found.imports | wanted, section)
        lines[found.first_line : found.end_line] = new
    else:
        lines[found.end_line : found.end_line] = import_lines(wanted - found.imports, section)
    return "\n".join(lines)


def _spaced(methods: Iterable[Sequence[str]]) -> list[str]:
    return [line for method in methods for line in ["", *method]]
