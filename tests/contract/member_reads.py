"""Which members of its input an operation reads, found in the code: what a handler asks its ``call`` for.

A handler's ``call`` is followed through assignments, loops and functions of ``pools.cognito``. What ``shapes.settings``
hands on goes by our names: it is read where it is a row of a table of settings, or where the service packages of the
handler's module ask somebody for a name like it. The last goes by names alone, and so may take one member for another
of the same name; it never says of a member that is read that it is not. Keys of maps are data, and are not followed.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from identity.management.commands import write_coverage_docs
from pools.cognito import shapes
from pools.cognito.contract import Operation
from pools.services.pools.settings_table import Availability, Table

Way = tuple[str, ...]
"""Members from the input inwards. Those of a list, and of a map, are what it holds."""
ANY = "*"
"""Any member: what a loop over all of them has in hand."""
SERVICES = "pools.services"
HOLDER = "sms_mfa_configuration."
"""A structure whose members are settings of the pool by themselves, under these names."""
PART = re.compile(r"[a-z]{3,}_|_[a-z_]{3,}")
"""What is constant of a name that is put together."""


def members(shape: Shape | None, before: Way = (), above: tuple[str, ...] = ()) -> Iterator[Way]:
    """Yield the members of an input, outer ones first."""
    match shape:
        case StructureShape() if not shape.is_document_type and shape.name not in above:
            for name, member in shape.members.items():
                yield (*before, name)
                yield from members(member, (*before, name), (*above, shape.name))
        case ListShape():
            yield from members(shape.member, before, above)
        case MapShape():
            yield from members(shape.value, before, above)


def unread(operation: Operation) -> list[str]:
    """Return the members of an operation's input that no code reads; of a structure that none does, its name alone."""
    assert operation.handler is not None
    reads = Reads(operation.handler)
    found: list[Way] = []
    for path in members(operation.model.input_shape):
        if any(path[: len(outer)] == outer for outer in found):
            continue
        is_read = by_our_name(operation, path) if path[0] in reads.handed_on(operation) else reads.has(path)
        if not is_read:
            found.append(path)
    return [".".join(path) for path in found]


def by_our_name(operation: Operation, path: Way) -> bool:
    """Say whether a member that is handed on with our name is a setting, or read by a service."""
    name, table = ".".join(map(shapes.snake, path)).removeprefix(HOLDER), table_of(operation)
    rows = table.rows if table else {}
    if name in rows or any(row.startswith(f"{name}.") for row in rows):
        return True
    outer = next((row for row in rows.values() if name.startswith(f"{row.name}.")), None)
    if outer is not None and outer.availability is not Availability.DONE:
        return True  # the page names the row
    return any(each.fullmatch(shapes.snake(path[-1])) for each in asked_near(operation))


def table_of(operation: Operation) -> Table | None:
    """Return the settings that an operation takes."""
    found = [of for of, takers in write_coverage_docs.TAKERS.items() if operation.name in takers]
    return write_coverage_docs.TABLES[found[0]] if found else None


def asked_near(operation: Operation) -> frozenset[re.Pattern[str]]:
    """Return what the handler's module, and the service packages that it imports from, ask somebody for."""
    handler: Any = operation.handler
    module = inspect.getmodule(handler)
    assert module is not None
    services = {each.__name__ for each in vars(module).values() if isinstance(each, ModuleType)}
    folders = {name.split(".")[2] for name in services if name.startswith(f"{SERVICES}.") and name.count(".") > 2}
    return asked_in(str(module.__file__)).union(*(asked_below(folder) for folder in folders))


@cache
def asked_below(folder: str) -> frozenset[re.Pattern[str]]:
    """Return what the modules of a service package ask for."""
    from pools import services

    return frozenset().union(*(asked_in(str(file)) for file in Path(services.__path__[0], folder).rglob("*.py")))


@cache
def asked_in(file: str) -> frozenset[re.Pattern[str]]:
    """Return the names that a file asks for: ``x["name"]``, ``x.get("name")``, ``"name" in x``, and any f"min_{…}"."""
    found = set()
    for node in ast.walk(ast.parse(Path(file).read_text())):
        match node:
            case (
                ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Load())
                | ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(name)), *_])
                | ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()])
            ):
                found.add(re.escape(name))
            case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(end))]) if PART.fullmatch(end):
                found.add(f".+{end}")
            case ast.JoinedStr(values=[ast.Constant(value=str(begin)), ast.FormattedValue()]) if PART.fullmatch(begin):
                found.add(f"{begin}.+")
    return frozenset(map(re.compile, found))


@cache
def tree_of(function: FunctionType) -> ast.FunctionDef:
    """Return a function's syntax tree."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(tree, ast.FunctionDef)
    return tree


class Reads:
    """What a handler reads of its call."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        """Read the handler's code."""
        self.paths = set[Way]()
        self.settings: list[tuple[str, frozenset[str]]] = []
        """Calls of ``shapes.settings``: the operation that they name, and what they leave out."""
        self._seen = set[tuple[FunctionType, frozenset[tuple[str, Way]]]]()
        assert isinstance(handler, FunctionType)
        self.follow(handler, {tree_of(handler).args.args[0].arg: ()})

    def has(self, path: Way) -> bool:
        """Say whether a member is read."""
        return path in self.paths or (ANY, *path[1:]) in self.paths

    def handed_on(self, operation: Operation) -> set[str]:
        """Return the members that are handed on by our names."""
        assert all(name == operation.name for name, _ in self.settings), f"{operation.name} reads as another"
        shape = operation.model.input_shape
        all_members = set(shape.members) if shape is not None else set[str]()
        return set().union(*(all_members - without for _, without in self.settings))

    def follow(self, function: FunctionType, given: dict[str, Way]) -> None:
        """Read a function that has parts of the call as parameters."""
        key = (function, frozenset(given.items()))
        if key not in self._seen:
            self._seen.add(key)
            Body(self, function, given).visit_all(tree_of(function).body)


class Body:
    """One function, with what its names hold of the call."""

    def __init__(self, reads: Reads, function: FunctionType, given: dict[str, Way]) -> None:
        """Begin with the parameters."""
        self.reads, self.globals, self.names = reads, function.__globals__, dict(given)

    def visit_all(self, nodes: list[Any]) -> None:
        """Read one after the other."""
        for node in nodes:
            self.visit(node)

    def visit(self, node: ast.AST) -> Way | None:  # noqa: C901 - one case for each kind of node
        """Read a node; return which part of the call it is, if it is one."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name)
            case ast.Subscript(value=inner, slice=ast.Constant(value=str(name))):
                return self.member(inner, name)
            case ast.Subscript(value=inner, slice=which):
                self.visit(which)
                return self.visit(inner)
            case ast.Compare(left=ast.Constant(value=str(name)), comparators=[inner]):
                self.member(inner, name)
            case ast.Call():
                return self.called(node)
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, value)
            case ast.NamedExpr(target=target, value=value):
                self.assign(target, value)
                return self.visit(target)
            case ast.For(target=target, iter=inner):
                self.loop(target, inner)
                self.visit_all([*node.body, *node.orelse])
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node)
            case ast.BoolOp() | ast.IfExp():
                parts = [self.visit(part) for part in ast.iter_child_nodes(node)]
                return next((part for part in parts if part is not None), None)
            case _:
                self.visit_all(list(ast.iter_child_nodes(node)))
        return None

    def member(self, of: ast.AST, name: str) -> Way | None:
        """Note that a member is read."""
        outer = self.visit(of)
        if outer is None:
            return None
        self.reads.paths.add((*outer, name))
        return (*outer, name)

    def called(self, node: ast.Call) -> Way | None:
        """Read a call: of a method of a part, or with parts as arguments."""
        match node.func:
            case ast.Attribute(value=inner, attr="get") if node.args and isinstance(node.args[0], ast.Constant):
                self.visit_all(node.args[1:])
                return self.member(inner, str(node.args[0].value))
            case ast.Attribute(value=inner, attr="items" | "values") if (part := self.visit(inner)) is not None:
                if part == ():
                    self.reads.paths.add((ANY,))
                return part or (ANY,)
        function = self.function(node.func)
        if function is shapes.settings:
            self.reads.settings.append(handed(node))
            return None
        if not isinstance(function, FunctionType):
            self.visit(node.func)
        parts = [self.visit(argument) for argument in node.args]
        by_name = [(keyword.arg, self.visit(keyword.value)) for keyword in node.keywords]
        if isinstance(function, FunctionType) and function.__module__.startswith("pools.cognito."):
            order = [argument.arg for argument in tree_of(function).args.args]
            given = [*zip(order, parts, strict=False), *by_name]
            self.reads.follow(function, {name: part for name, part in given if name and part is not None})
        return None

    def function(self, node: ast.expr) -> object:
        """Return what a name, or a module's name, stands for."""
        match node:
            case ast.Name(id=name):
                return self.globals.get(name)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return getattr(self.globals.get(module), name, None)
        return None

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        """Let names hold what they are given."""
        match target, value:
            case ast.Tuple(elts=targets), ast.Tuple(elts=values):
                for each, its in zip(targets, values, strict=True):
                    self.assign(each, its)
            case _:
                self.hold(target, self.visit(value))

    def hold(self, target: ast.expr, part: Way | None) -> None:
        """Let a name hold a part, or nothing of the call any more."""
        match target:
            case ast.Name(id=name) if part is not None:
                self.names[name] = part
            case ast.Name(id=name):
                self.names.pop(name, None)

    def loop(self, target: ast.expr, over: ast.expr) -> None:
        """Let names hold what a part holds."""
        part = self.visit(over)
        match target:
            case ast.Tuple(elts=[_, value]):
                self.hold(value, part)
            case _:
                self.hold(target, part)

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Way | None:
        """Read a comprehension: a copy of a part is the part."""
        for each in node.generators:
            self.loop(each.target, each.iter)
            self.visit_all(list(each.ifs))
        if not isinstance(node, ast.DictComp):
            return self.visit(node.elt)
        self.visit(node.key)
        part = self.visit(node.value)
        return () if part == (ANY,) else part


def handed(node: ast.Call) -> tuple[str, frozenset[str]]:
    """Return of a call of ``shapes.settings`` which operation it names, and what it leaves out."""
    [without] = [keyword.value for keyword in node.keywords if keyword.arg == "without"]
    return ast.literal_eval(node.args[0]), frozenset(ast.literal_eval(without))
