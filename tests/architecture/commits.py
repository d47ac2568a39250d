"""Tests that ask about commits commit: the fixture ``db`` wraps a test in a transaction that is rolled back.

There ``on_commit`` never runs, a durable block opens inside another, and no second connection sees a row.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePath

from tests.architecture.source import Source, dotted, sources

ROLLED_BACK = "db"
COMMITS = {"on_commit", "durable", "at_once", "Thread", "ThreadPoolExecutor"}
"""Words of who asks about commits, or from another connection."""


def commits(source: Source) -> Iterator[str]:
    """A test that asks about commits, or from a second connection, takes ``transactional_db``."""
    if not source.under("tests") or not any(word in source.text for word in COMMITS):
        return
    marked = is_marked(ast.Module([node for node in source.tree.body if isinstance(node, ast.Assign)], []))
    for function in functions(source):
        asked = COMMITS & {word for node in ast.walk(function) for word in words(node)}
        if not asked or not (function.name.startswith("test_") or is_fixture(function)):
            continue
        if marked or is_marked(function) or ROLLED_BACK in wanted(function, source):
            yield f"{function.name} asks about {', '.join(sorted(asked))} in a transaction that is rolled back"


def functions(source: Source) -> list[ast.FunctionDef]:
    """Return all functions of a file."""
    return [node for node in source.walk() if isinstance(node, ast.FunctionDef)]


def words(node: ast.AST) -> Iterator[str]:
    """Yield the last word of a name, and the name of an argument."""
    if isinstance(node, ast.Name | ast.Attribute):
        yield dotted(node).rpartition(".")[2]
    if isinstance(node, ast.keyword):
        yield node.arg or ""


def is_fixture(function: ast.FunctionDef) -> bool:
    """Say whether a function is a fixture."""
    return any("fixture" in set(words(node)) for by in function.decorator_list for node in ast.walk(by))


def is_marked(node: ast.AST) -> bool:
    """Say whether a mark wraps this in a transaction: ``django_db`` without ``transaction=True``."""
    looked = node.decorator_list if isinstance(node, ast.FunctionDef) else [node]
    every = [inner for one in looked for inner in ast.walk(one)]
    marks = sum(isinstance(one, ast.Attribute) and one.attr == "django_db" for one in every)
    return marks > sum(isinstance(one, ast.keyword) and one.arg == "transaction" for one in every)


def wanted(function: ast.FunctionDef, source: Source) -> set[str]:
    """Return the fixtures that a function asks for, and those that they ask for."""
    above = [str(place / "conftest.py") for place in PurePath(source.path).parents]
    near = {each.path: each for each in sources() if each.path in above}
    files = [source, *(near[path] for path in above if path in near)]
    found, names = set[str](), [argument.arg for argument in function.args.args]
    while names:
        name = names.pop()
        if name in found:
            continue
        found.add(name)
        made = (each for file in files for each in functions(file) if each.name == name and is_fixture(each))
        if maker := next(made, None):
            names += [argument.arg for argument in maker.args.args]
    return found
