"""Reads the sources of the installed wheel with `ast`; imports nothing of it."""

import ast
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import PurePosixPath
from typing import Any

from tests.parity.surface import (
    REQUIRED,
    Class,
    Definition,
    Function,
    Kind,
    Parameter,
    Signature,
    Value,
)

DISTRIBUTION = "tasker-py"
ROOT = "tasker_core"
FACTORIES = {"dict": dict, "list": list}
SHOWN_DUNDERS = {"__getitem__", "__contains__", "__iter__", "__len__", "__enter__", "__exit__"}
DECORATED = {
    "classmethod": Kind.CLASS_METHOD,
    "staticmethod": Kind.STATIC_METHOD,
    "property": Kind.PROPERTY,
}
Callable = ast.FunctionDef | ast.AsyncFunctionDef


def installed() -> Distribution | None:
    """Return the wheel, None where it is not installed."""
    try:
        return distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return None


class Package:
    """The modules of the package by name, as parsed sources."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.modules = {name: ast.parse(text, name) for name, text in sources.items()}

    @classmethod
    def of_wheel(cls, wheel: Distribution) -> "Package":
        """Read the sources that the wheel lists; its native module is described by a stub."""
        return cls(
            {
                _module_name(file): file.read_text("utf-8")
                for file in wheel.files or ()
                if file.parts[0] == ROOT and file.suffix in (".py", ".pyi")
            }
        )

    def public_names(self, module: str) -> list[str]:
        """Return `__all__`, or what is defined in the module under a name without underscore."""
        body = self.modules[module].body
        for node in body:
            if isinstance(node, ast.Assign) and _target(node) == "__all__":
                return list(ast.literal_eval(node.value))
        return [
            name
            for node in body
            for name in _defined(node)
            if not name.startswith("_") or name == "__version__"
        ]

    def is_module(self, module: str, name: str) -> bool:
        """Say whether a public name is a module."""
        return f"{module}.{name}" in self.modules

    def define(self, module: str, name: str) -> Definition:
        """Return the definition of a name, wherever it was imported from."""
        where, original = self._origin(module, name)
        node = self._node(where, original)
        if isinstance(node, ast.ClassDef):
            return _ClassReader(self, where, node).read()
        if isinstance(node, Callable):
            return Function(Kind.FUNCTION, self._signature(node, where, None, bound=False))
        return Value(where, original)

    def _origin(self, module: str, name: str) -> tuple[str, str]:
        """Follow imports to the module that defines a name."""
        for node in self.modules[module].body:
            if not isinstance(node, ast.ImportFrom):
                continue
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    source = self._absolute(module, node)
                    return self._origin(source, alias.name) if source in self.modules else ("", "")
        return module, name

    def _absolute(self, module: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        is_package = any(name.startswith(f"{module}.") for name in self.modules)
        parts = module.split(".")
        kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def _node(self, module: str, name: str) -> ast.stmt | None:
        if module not in self.modules:
            return None
        nodes = _statements(self.modules[module].body)
        return next((node for node in nodes if name in _defined(node)), None)

    def _signature(
        self, node: Callable, module: str, owner: ast.ClassDef | None, *, bound: bool
    ) -> Signature:
        given = node.args
        places = [*given.posonlyargs, *given.args]
        missing: list[ast.expr | None] = [None] * (len(places) - len(given.defaults))
        pairs = list(zip(places, [*missing, *given.defaults], strict=True))[1 if bound else 0 :]
        found = [Parameter(arg.arg, self._value(each, module, owner), True) for arg, each in pairs]
        found += [
            Parameter(arg.arg, self._value(each, module, owner), False)
            for arg, each in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        ]
        return Signature(tuple(found), given.vararg is not None, given.kwarg is not None)

    def _value(self, node: ast.expr | None, module: str, owner: ast.ClassDef | None) -> Any:
        """Return the value of a default; raises ValueError for what is no constant."""
        if node is None or (isinstance(node, ast.Constant) and node.value is ...):
            return REQUIRED
        if isinstance(node, ast.Call) and _called(node) in ("Field", "field"):
            return self._field_default(node, module, owner)
        if isinstance(node, ast.Name) and owner is not None:
            for each in owner.body:
                if isinstance(each, ast.Assign) and _target(each) == node.id:
                    return self._value(each.value, module, owner)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            enum = self.define(module, node.value.id)
            if isinstance(enum, Class) and node.attr in enum.constants:
                return enum.constants[node.attr]
        return ast.literal_eval(node)

    def _field_default(self, node: ast.Call, module: str, owner: ast.ClassDef | None) -> Any:
        keywords = {each.arg: each.value for each in node.keywords}
        if "default" in keywords:
            return self._value(keywords["default"], module, owner)
        factory = keywords.get("default_factory")
        if isinstance(factory, ast.Name):
            made = FACTORIES.get(factory.id)
            return made() if made else factory.id
        return REQUIRED


class _ClassReader:
    """Reads one class of the wheel."""

    def __init__(self, package: Package, module: str, node: ast.ClassDef) -> None:
        self.package = package
        self.node = node
        self.found = Class(module, node.name)

    def read(self) -> Class:
        """Return what the class offers by itself, and the constructor it may have inherited."""
        found = self.found
        found.bases = [origin for each in self.node.bases if (origin := self._base(each))]
        names = {ast.unparse(each) for each in self.node.bases}
        found.is_enum = bool(names & {"Enum", "StrEnum"})
        found.is_model = "BaseModel" in names
        is_dataclass = any(_called(each) == "dataclass" for each in self.node.decorator_list)
        for node in self.node.body:
            self._take(node, has_fields=found.is_model or is_dataclass)
        found.constructor = self._constructor(is_dataclass=is_dataclass)
        return found

    def _base(self, node: ast.expr) -> tuple[str, str] | None:
        if not isinstance(node, ast.Name):
            return None
        module, name = self.package._origin(self.found.module, node.id)
        return (module, name) if self.package._node(module, name) else None

    def _take(self, node: ast.stmt, *, has_fields: bool) -> None:
        found = self.found
        if isinstance(node, Callable):
            if not node.name.startswith("_") or node.name in SHOWN_DUNDERS:
                found.functions[node.name] = self._function(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            self._take_annotated(node, node.target.id, has_fields=has_fields)
        elif isinstance(node, ast.Assign) and not _target(node).startswith(("_", "model_config")):
            found.constants[_target(node)] = self._constant(node.value)

    def _take_annotated(self, node: ast.AnnAssign, name: str, *, has_fields: bool) -> None:
        found = self.found
        if has_fields:
            found.fields[_alias(node.value) or name] = self.package._value(
                node.value, found.module, self.node
            )
        elif not name.startswith("_") or name in ("_name", "_priority"):
            found.constants[name] = self._constant(node.value)

    def _constant(self, node: ast.expr | None) -> Any:
        """Return a class attribute's value, REQUIRED when only its presence can be compared."""
        try:
            return self.package._value(node, self.found.module, self.node)
        except ValueError:
            return REQUIRED

    def _function(self, node: Callable) -> Function:
        marks = [
            DECORATED[name] for each in node.decorator_list if (name := _called(each)) in DECORATED
        ]
        kind = marks[0] if marks else Kind.METHOD
        bound = kind is not Kind.STATIC_METHOD
        signature = self.package._signature(node, self.found.module, self.node, bound=bound)
        return Function(kind, signature)

    def _constructor(self, *, is_dataclass: bool) -> Signature | None:
        found = self.found
        if found.is_enum:
            return None
        for node in self.node.body:
            if isinstance(node, Callable) and node.name == "__init__":
                return self.package._signature(node, found.module, self.node, bound=True)
        if found.is_model or is_dataclass:
            return Signature(
                tuple(
                    Parameter(name, default, is_dataclass) for name, default in found.fields.items()
                )
            )
        for module, name in found.bases:
            base = self.package.define(module, name)
            if isinstance(base, Class) and base.constructor is not None:
                return base.constructor
        return None


def _module_name(file: PurePosixPath) -> str:
    parts = list(file.with_suffix("").parts)
    if parts and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements, those under `if TYPE_CHECKING` and `try` included."""
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        if isinstance(node, ast.If | ast.Try):
            found += _statements(node.body)
    return found


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | Callable):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [_target(node)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _target(node: ast.Assign) -> str:
    target = node.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _called(node: ast.expr) -> str:
    """Return the name of a decorator or of a called function."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.id if isinstance(node, ast.Name) else ""


def _alias(node: ast.expr | None) -> str | None:
    """Return the name under which a pydantic field is given, where that is not its own."""
    if not isinstance(node, ast.Call):
        return None
    keywords = {each.arg: each.value for each in node.keywords}
    alias = keywords.get("alias") or keywords.get("validation_alias")
    return alias.value if isinstance(alias, ast.Constant) and isinstance(alias.value, str) else None
