"""Handlers take Amazon's members and nothing else: by the stubs' type of their operation, by names the model has.

What they answer is held against the model wherever tests ask (``WIRE_RESPONSE_CHECKS``); mypy holds typed members too.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import mypy_boto3_cognito_identity.type_defs
import mypy_boto3_cognito_idp.type_defs
import pytest

import pools.cognito.operations  # noqa: F401 - registers the handlers
from identity.foundation.actor import Actor
from pools.cognito.contract import SERVICES, Operation, user_pools

STUBS = {
    "cognito-idp": mypy_boto3_cognito_idp.type_defs,
    "cognito-identity": mypy_boto3_cognito_identity.type_defs,
}
HANDLED = {
    operation.name: operation for service in SERVICES.values() for operation in service.operations.values()
    if operation.handler is not None
}  # fmt: skip


def faults(operation: Operation, handler: Callable[..., Any]) -> Iterator[str]:
    """Yield what a handler asks of its call that the operation's input does not have, and a type not its own."""
    shape = operation.model.input_shape
    members = set(shape.members) if shape is not None else set()
    [function] = ast.parse(textwrap.dedent(inspect.getsource(handler))).body
    assert isinstance(function, ast.FunctionDef)
    call, by = function.args.args
    expected = f"{shape.name}TypeDef" if shape is not None else ""
    if not hasattr(STUBS[operation.service.name], expected):
        expected = "Mapping[str, Any]"  # the stubs are of an older model
    if (call.arg, by.arg) != ("call", "by") or ast.unparse(by.annotation or by) != "Actor":
        yield "not (call, by: Actor)"
    if ast.unparse(call.annotation or call) != expected:
        yield f"call is no {expected}"
    for node in ast.walk(function):
        for key in asked(node):
            if key not in members:
                yield f"{key} is no member of {operation.name}"


def asked(node: ast.AST) -> Iterator[str]:
    """Yield the names that an expression asks ``call`` for: ``call["X"]``, ``call.get("X")``, ``"X" in call``."""
    match node:
        case ast.Subscript(value=ast.Name(id="call"), slice=ast.Constant(value=str(key))):
            yield key
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="call"), attr="get"), args=[ast.Constant(value=str(key)), *_]
        ):
            yield key
        case ast.Compare(left=ast.Constant(value=str(key)), comparators=[ast.Name(id="call")]):
            yield key


@pytest.mark.parametrize("name", sorted(HANDLED))
def test_a_handler_asks_for_members_of_its_own_operation(name: str) -> None:
    operation = HANDLED[name]

    assert operation.handler is not None
    assert list(faults(operation, operation.handler)) == []


def misspelt(call: Mapping[str, Any], by: Actor) -> None:
    call["Usernme"]


def unknown_option(call: Mapping[str, Any], by: Actor) -> None:
    if "Passwrd" in call:
        call.get("SecretHsh", "")


def swapped(by: Actor, call: Mapping[str, Any]) -> None:
    del by, call


@pytest.mark.parametrize(
    ("handler", "found"),
    [(misspelt, "Usernme is no member"), (unknown_option, "SecretHsh is no member"), (swapped, "not (call, by")],
)
def test_a_planted_handler_is_caught(handler: Callable[..., None], found: str) -> None:
    caught = list(faults(user_pools.operations["SignUp"], handler))

    assert any(found in fault for fault in caught)
    assert "call is no SignUpRequestTypeDef" in caught
