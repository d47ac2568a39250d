"""Every member of every operation that is answered, broken in each way that Amazon's model knows: told in its words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from pools.cognito import operations
from pools.cognito.contract import SERVICES, Operation
from pools.cognito.faults import Fault
from pools.cognito.gateway import gateway
from tests import statements
from tests.contract.conftest import Wire

assert operations
HANDLED = [operation for service in SERVICES.values() for operation in service.operations.values() if operation.handler]
WITH_INPUT = [operation for operation in HANDLED if operation.model.input_shape.members]
BELL = "\x07"
"""In the alphabet of no pattern but of those that take anything."""
DEEPEST = 8
ANOTHER_TYPE: dict[str, Any] = {"structure": "x", "list": "x", "map": "x", "string": 7, "boolean": "true"}
"""A value of another type; "x" where nothing is said."""


class Broken(NamedTuple):
    """A request that the model does not allow, and what is told of it: the whole text, or one complaint of several."""

    request: dict[str, Any]
    code: str
    text: str


class Spot(NamedTuple):
    """Where a value stands in a request: what makes the request around it, and its path as Amazon writes it."""

    put: Callable[[Any], Any]
    path: tuple[str, ...] = ()
    secret: bool = False

    def inside(self, *steps: str, around: Callable[[Any], Any], shape: Shape) -> Spot:
        """Return the spot of something inside the value here."""
        marked = self.secret or bool(shape.metadata.get("sensitive"))
        return Spot(lambda value: self.put(around(value)), (*self.path, *steps), marked)


def written(name: str) -> str:
    """Return a member's name as Amazon's texts have it."""
    return name[0].lower() + name[1:]


def member_of(name: str) -> Callable[[Any], dict[str, Any]]:
    """Return what makes the structure that has a value as this member."""
    return lambda value: {name: value}


def broken(spot: Spot, shape: Shape, invalid: str) -> Iterator[Broken]:
    """Yield requests in which the value at a spot, or something in it, is what its shape does not allow."""
    if len(spot.path) > DEEPEST or getattr(shape, "is_document_type", False):
        return
    if spot.path:
        yield Broken(spot.put(ANOTHER_TYPE.get(shape.type_name, "x")), "SerializationException", "")
        for value, constraint in breaking(shape):
            # Simple members of lists and maps are told as a whole: their own test is by hand (test_model).
            quoted = "" if spot.secret or shape.metadata.get("sensitive") else f" '{value}'"
            where = ".".join(spot.path)
            yield Broken(
                spot.put(value), invalid, f"Value{quoted} at '{where}' failed to satisfy constraint: {constraint}"
            )
    match shape:
        case StructureShape():
            for name in shape.required_members:
                where = ".".join((*spot.path, written(name)))
                null = f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
                yield Broken(spot.put({}), invalid, null)
                yield Broken(spot.put({name: None}), invalid, null)
            for name, member in shape.members.items():
                below = spot.inside(written(name), around=member_of(name), shape=shape)
                yield from broken(below, member, invalid)
        case ListShape() if isinstance(shape.member, StructureShape):
            below = spot.inside("1", "member", around=lambda value: [value], shape=shape)
            yield from broken(below, shape.member, invalid)
        case MapShape() if isinstance(shape.value, StructureShape):
            below = spot.inside("k", "member", around=lambda value: {"k": value}, shape=shape)
            yield from broken(below, shape.value, invalid)


def breaking(shape: Shape) -> Iterator[tuple[Any, str]]:
    """Yield values of the right type that a shape's constraints do not allow, and the constraint in Amazon's words."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in {"integer", "long"}:
        if low is not None:
            yield low - 1, f"Member must have value greater than or equal to {low}"
        if high is not None:
            yield high + 1, f"Member must have value less than or equal to {high}"
    if not isinstance(shape, StringShape):
        return
    if low:
        yield "x" * (low - 1), f"Member must have length greater than or equal to {low}"
    if high is not None and high < 256:  # what is longer is told cut
        yield "x" * (high + 1), f"Member must have length less than or equal to {high}"
    if shape.enum:
        yield "nosuch", f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern, text = shape.metadata.get("pattern"), BELL * max(low or 1, 1)
    if pattern and not takes(pattern, text):
        yield text, f"Member must satisfy regular expression pattern: {pattern}"


def takes(pattern: str, text: str) -> bool:
    """Say whether a pattern takes a text; those of Unicode's classes, which only Java reads, take no bell."""
    return r"\p{" not in pattern and re.fullmatch(pattern, text, re.DOTALL) is not None


def cases(operation: Operation) -> list[Broken]:
    """Return every request of an operation that its model does not allow."""
    return list(broken(Spot(lambda value: value), operation.model.input_shape, operation.service.invalid))


@pytest.mark.parametrize("operation", WITH_INPUT, ids=lambda operation: operation.name)
def test_a_member_that_breaks_the_model_is_told_in_its_words(operation: Operation) -> None:
    for each in cases(operation):
        with pytest.raises(Fault) as caught:
            operation.read(each.request)
        assert caught.value.code == each.code, each
        assert each.text in caught.value.message, each


@pytest.mark.parametrize("operation", WITH_INPUT, ids=lambda operation: operation.name)
def test_it_is_refused_before_anything_is_written(operation: Operation, wire: Wire) -> None:
    """A key's last use aside."""
    each = cases(operation)[-1]
    before = statements.writes(but=("access_key",))

    answer = gateway(wire.call(f"{operation.service.target}.{operation.name}", json.dumps(each.request).encode()))

    assert answer.status == 400
    assert each.text in json.loads(answer.body)["message"]
    assert statements.writes(but=("access_key",)) == before


def test_the_walk_comes_to_every_kind_of_constraint() -> None:
    found = [each.text for operation in WITH_INPUT for each in cases(operation)]

    for words in (
        "must not be null",
        "value greater",
        "value less",
        "length greater",
        "length less",
        "enum value set",
        "regular expression",
        "at 'userAttributes.1.member.name'",
        "at 'policies.passwordPolicy.minimumLength'",
        "at 'roleMappings.k.member.type'",
    ):
        assert any(words in text for text in found), words
    assert len(found) > 1000
