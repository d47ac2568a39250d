"""Checks of a value by a shape of Amazon's model, compiled once for each shape.

A check returns the value cleaned (unknown members and nulls dropped, timestamps and blobs decoded), collects what
breaks a constraint, and refuses at once what cannot be read as the shape's type.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from pools.cognito import patterns
from pools.cognito.faults import Fault

Where = tuple[Any, ...]
"""Path to a value: ``(path of the parent, name)``, empty for the whole request."""
Check = Callable[[Any, Where, list[str]], Any]

ECHO = 256
"""Characters of a refused value that are told back."""
MOST = 20
"""Complaints of one request. A list of broken members would otherwise be quoted whole by each of them."""
DEEPEST_DOCUMENT = 64
RANGE = {"integer": 2**31, "long": 2**63}
NOT_NULL = "Member must not be null"
SURROGATE = re.compile("[\ud800-\udfff]")
NOWHERE: Where = ()
KEY = "key"
"""Stands in a path for the key of a sensitive map."""
BROKEN_BY_AMAZON = {"CustomAttributeNameType", "CompletionMessageType"}
"""Shapes whose bounds Amazon's own answers break: ``phone_number_verified`` has 21 characters of at most 20, and how an
import ended is told in sentences where the model has one word."""


def path(where: Where) -> str:
    """Return a path as Amazon writes it: ``userAttributes.1.member.name``."""
    parts: list[str] = []
    while where:
        where, name = where
        parts.append(cut(name))
    return ".".join(reversed(parts))


def decapitalised(name: str) -> str:
    """Return a member's name as the validation texts write it."""
    return name[:1].lower() + name[1:]


def unreadable(value: Any, wanted: str) -> Fault:  # noqa: ANN401 - any JSON
    """Return the fault of a value of another JSON type."""
    if isinstance(value, dict):
        return Fault("SerializationException", "Start of structure or map found where not expected.")
    if isinstance(value, list):
        return Fault("SerializationException", "Start of list found where not expected")
    truth = "TRUE_VALUE" if value is True else "FALSE_VALUE"
    kind = {str: "STRING_VALUE", bool: truth}.get(type(value), "NUMBER_VALUE")
    return Fault("SerializationException", f"{kind} can not be converted to {wanted}")


def shown(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as the validation texts quote it, cut to a length that fits a log line."""
    text = ""
    for piece in pieces(value):
        text += piece[: ECHO + 1]
        if len(text) > ECHO:
            break
    return cut(text)


def cut(text: str) -> str:
    """Return what is told back of a text."""
    return text if len(text) <= ECHO else text[:ECHO] + "..."


def pieces(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield a value piece by piece: who has seen enough stops, however large it is."""
    match value:
        case list():
            yield "["
            for place, item in enumerate(value):
                yield ", " if place else ""
                yield from pieces(item)
            yield "]"
        case dict():
            yield "{"
            for place, (name, item) in enumerate(value.items()):
                yield f", {cut(name)}=" if place else f"{cut(name)}="
                yield from pieces(item)
            yield "}"
        case None | bool():  # as Java writes them
            yield {None: "null", True: "true", False: "false"}[value]
        case _:
            yield str(value)


def is_sensitive(shape: Shape) -> bool:
    """Say whether values of a shape must not be told back: it is marked so itself, or something in it is."""
    if shape.metadata.get("sensitive"):
        return True
    if isinstance(shape, ListShape):
        return is_sensitive(shape.member)
    if isinstance(shape, MapShape):
        return is_sensitive(shape.key) or is_sensitive(shape.value)
    return isinstance(shape, StructureShape)


class Compiler:
    """Compiles shapes. ``strict`` is for our own answers: unknown members and nulls are complaints.

    What stands below a shape that is marked sensitive is sensitive too (``secret``), whatever is marked itself.
    """

    def __init__(self, *, strict: bool = False) -> None:
        """Start with nothing compiled."""
        self.strict = strict
        self.done: dict[tuple[str, bool], Check] = {}

    def check(self, shape: Shape, *, secret: bool = False) -> Check:
        """Return the check of a shape; recursive shapes find themselves."""
        secret = secret or bool(shape.metadata.get("sensitive"))
        key = (shape.name, secret)
        if key in self.done:
            return self.done[key]

        def later(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
            return self.done[key](value, where, complaints)

        self.done[key] = later
        self.done[key] = made = self.make(shape, secret=secret)
        return made

    def make(self, shape: Shape, *, secret: bool) -> Check:
        """Compile a shape."""
        match shape:
            case StructureShape():
                return document if shape.is_document_type else self.structure(shape, secret=secret)
            case ListShape():
                return self.list(shape, secret=secret)
            case MapShape():
                return self.map(shape, secret=secret)
            case StringShape():
                return self.string(shape, secret=secret)
        match shape.type_name:
            case "boolean":
                return boolean
            case "integer" | "long":
                return self.integer(shape, secret=secret)
            case "timestamp":
                return timestamp
            case "blob":
                return self.blob(shape, secret=secret)
        raise NotImplementedError(f"{shape.name} is a {shape.type_name}, which no operation had before")

    def structure(self, shape: StructureShape, *, secret: bool) -> Check:
        """Compile a structure."""
        members = {
            name: (decapitalised(name), self.check(member, secret=secret), name in shape.required_members)
            for name, member in shape.members.items()
        }
        required = [(name, decapitalised(name)) for name in shape.members if name in shape.required_members]
        strict = self.strict

        def structure(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
            if type(value) is not dict:
                raise unreadable(value, "a structure")
            clean: dict[str, Any] = {}
            for name, given in value.items():
                known = members.get(name)
                if known is None or given is None:
                    if strict:
                        complaints.append(f"{path(where)} has {name}={given!r}, which the model does not allow")
                    continue
                clean[name] = known[1](given, (where, known[0]), complaints)
            for name, written in required:
                if name not in clean:
                    complaints.append(
                        f"Value null at '{path((where, written))}' failed to satisfy constraint: {NOT_NULL}"
                    )
            return clean

        return structure

    def list(self, shape: ListShape, *, secret: bool) -> Check:
        """Compile a list. Simple members are complained of as a whole, as Amazon does."""
        member = self.check(shape.member, secret=secret)
        simple = not isinstance(shape.member, StructureShape | ListShape | MapShape)
        rules = ShapeRules(shape, secret=secret)
        rules_of_member = ShapeRules(shape.member)

        def items(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
            if type(value) is not list:
                raise unreadable(value, "a list")
            rules.length(len(value), value, where, complaints)
            clean = []
            for place, given in enumerate(value, 1):
                if len(complaints) >= MOST:
                    break
                if given is None:
                    complaints.append(rules.broken(value, where, f"Member must satisfy constraint: [{NOT_NULL}]"))
                    continue
                inner: list[str] = []
                clean.append(member(given, ((where, str(place)), "member"), inner))
                if inner and simple:
                    text = f"Member must satisfy constraint: [{rules_of_member.text}]"
                    complaints.append(rules.broken(value, where, text))
                else:
                    complaints.extend(inner)
            return clean

        return items

    def map(self, shape: MapShape, *, secret: bool) -> Check:
        """Compile a map of texts to anything."""
        key, value_of = self.check(shape.key, secret=secret), self.check(shape.value, secret=secret)
        simple = not isinstance(shape.value, StructureShape | ListShape | MapShape)
        named = KEY if secret or is_sensitive(shape.key) else None
        rules, rules_of_key, rules_of_value = (
            ShapeRules(shape, secret=secret),
            ShapeRules(shape.key),
            ShapeRules(shape.value),
        )

        def mapping(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
            if type(value) is not dict:
                raise unreadable(value, "a map")
            rules.length(len(value), value, where, complaints)
            clean = {}
            for name, given in value.items():
                if len(complaints) >= MOST:
                    break
                broken: list[str] = []
                key(name, where, broken)
                if broken:
                    text = f"Map keys must satisfy constraint: [{rules_of_key.text}]"
                    complaints.append(rules.broken(value, where, text))
                if given is None:
                    continue
                inner: list[str] = []
                clean[name] = value_of(given, ((where, named or name), "member"), inner)
                if inner and simple:
                    text = f"Map value must satisfy constraint: [{rules_of_value.text}]"
                    complaints.append(rules.broken(value, where, text))
                else:
                    complaints.extend(inner)
            return clean

        return mapping

    def string(self, shape: Shape, *, secret: bool) -> Check:
        """Compile a text."""
        rules = ShapeRules(shape, secret=secret)
        if self.strict and shape.name in BROKEN_BY_AMAZON:
            rules.low = rules.high = rules.pattern = None
        low, high, values, pattern = rules.low, rules.high, rules.values, rules.pattern

        def string(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
            if type(value) is not str:
                raise unreadable(value, "a String")
            if "\x00" in value or (not value.isascii() and SURROGATE.search(value)):
                raise Fault("SerializationException", "A text holds a character that no text may hold.")
            if (low is not None and len(value) < low) or (high is not None and len(value) > high):
                rules.length(len(value), value, where, complaints)
                return value  # a text far too long is not matched against anything
            if values is not None and value not in values:
                complaints.append(rules.broken(value, where, rules.enum_text))
            if pattern is not None and not patterns.matches(pattern, value):
                complaints.append(rules.broken(value, where, rules.pattern_text))
            return value

        return string

    def integer(self, shape: Shape, *, secret: bool) -> Check:
        """Compile a whole number."""
        rules = ShapeRules(shape, secret=secret)
        reach = RANGE[shape.type_name]

        def integer(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
            if type(value) is float and value.is_integer():
                value = int(value)
            if type(value) is not int or not -reach <= value < reach:
                raise unreadable(value, "an Integer" if reach == RANGE["integer"] else "a Long")
            if rules.low is not None and value < rules.low:
                complaints.append(rules.broken(value, where, rules.least_text))
            if rules.high is not None and value > rules.high:
                complaints.append(rules.broken(value, where, rules.most_text))
            return value

        return integer

    def blob(self, shape: Shape, *, secret: bool) -> Check:
        """Compile bytes, which JSON carries as base64."""
        rules = ShapeRules(shape, secret=secret)

        def blob(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
            if type(value) is not str:
                raise unreadable(value, "a ByteBuffer")
            try:
                raw = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                raise Fault("SerializationException", "Invalid base64 encoding") from None
            rules.length(len(raw), "", where, complaints)
            return raw

        return blob


class ShapeRules:
    """What the model says of a shape, and how Amazon words it when it is broken."""

    def __init__(self, shape: Shape, *, secret: bool = False) -> None:
        """Read the shape's metadata."""
        self.low: int | None = shape.metadata.get("min")
        self.high: int | None = shape.metadata.get("max")
        self.sensitive = secret or is_sensitive(shape)
        listed = shape.metadata.get("enum")
        self.values: frozenset[str] | None = frozenset(listed) if listed else None
        self.enum_text = f"Member must satisfy enum value set: [{', '.join(listed or ())}]"
        given: str | None = shape.metadata.get("pattern")
        self.pattern = patterns.compiled(given) if given else None
        self.pattern_text = f"Member must satisfy regular expression pattern: {given}"
        self.most_text = f"Member must have value less than or equal to {self.high}"
        self.least_text = f"Member must have value greater than or equal to {self.low}"
        self.long_text = f"Member must have length less than or equal to {self.high}"
        self.short_text = f"Member must have length greater than or equal to {self.low}"
        numbers = shape.type_name in RANGE
        texts = (
            (self.high is not None, self.most_text if numbers else self.long_text),
            (self.low is not None, self.least_text if numbers else self.short_text),
            (self.values is not None, self.enum_text),
            (given is not None, self.pattern_text),
        )
        self.text = ", ".join(text for holds, text in texts if holds)

    def broken(self, value: Any, where: Where, text: str) -> str:  # noqa: ANN401 - JSON
        """Return the complaint of one broken rule. What is sensitive is not told back."""
        quoted = "" if self.sensitive else f" '{shown(value)}'"
        return f"Value{quoted} at '{path(where)}' failed to satisfy constraint: {text}"

    def length(self, size: int, value: Any, where: Where, complaints: list[str]) -> None:  # noqa: ANN401 - JSON
        """Complain of a size outside the bounds."""
        if self.low is not None and size < self.low:
            complaints.append(self.broken(value, where, self.short_text))
        if self.high is not None and size > self.high:
            complaints.append(self.broken(value, where, self.long_text))


def boolean(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
    """Check a truth value."""
    del where, complaints
    if type(value) is not bool:
        raise unreadable(value, "a Boolean")
    return value


def timestamp(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
    """Check a moment: epoch seconds, fractions allowed."""
    del where, complaints
    if type(value) not in {int, float} or not math.isfinite(value):
        raise unreadable(value, "a Timestamp")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise unreadable(value, "a Timestamp") from None


def document(value: Any, where: Where, complaints: list[str]) -> Any:  # noqa: ANN401 - JSON
    """Check a free JSON object: its depth, and that each text can be kept."""
    del where, complaints
    if type(value) is not dict:
        raise unreadable(value, "a Document")
    level: list[Any] = [value]
    for _ in range(DEEPEST_DOCUMENT):
        below: list[Any] = []
        for item in level:
            match item:
                case dict():
                    below += [*item.keys(), *item.values()]
                case list():
                    below += item
                case str() if "\x00" in item or SURROGATE.search(item):
                    raise Fault("SerializationException", "A text holds a character that no text may hold.")
                case float() if not math.isfinite(item):
                    raise unreadable(item, "a number")
        if not below:
            return value
        level = below
    raise Fault("SerializationException", "The document is nested too deeply.")
