"""Rows and results as Amazon's structures, one function each, and the mechanical turn of names between the two worlds.

Amazon's ``PolicyName`` is our ``policy_name``. Map keys are data and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from pools.cognito.contract import Request

ONE_WORD = re.compile(r"OAuth|URLs|URIs|ARNs")
BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=2048)
def snake(name: str) -> str:
    """Return our name of a member: ``AllowedOAuthFlows`` is ``allowed_oauth_flows``."""
    return BORDER.sub("_", ONE_WORD.sub(lambda found: found[0].capitalize(), name)).lower()


@lru_cache(maxsize=512)
def members(shape: StructureShape) -> dict[str, tuple[str, Shape]]:
    """Return a structure's members by our names."""
    return {snake(name): (name, member) for name, member in shape.members.items()}


def inward(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - any structure
    """Return a structure of Amazon's with our names."""
    match shape:
        case StructureShape() if not shape.is_document_type:
            return {snake(name): inward(shape.members[name], item) for name, item in value.items()}
        case ListShape():
            return [inward(shape.member, item) for item in value]
        case MapShape():
            return {name: inward(shape.value, item) for name, item in value.items()}
    return value


def outward(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - any structure
    """Return a structure of ours with Amazon's names; what the shape does not have, and None, is left out."""
    match shape:
        case StructureShape() if not shape.is_document_type:
            known = members(shape)
            return {
                known[name][0]: outward(known[name][1], item)
                for name, item in value.items()
                if name in known and item is not None
            }
        case ListShape():
            return [outward(shape.member, item) for item in value]
        case MapShape():
            return {name: outward(shape.value, item) for name, item in value.items()}
    return value


def settings(call: Request, *, without: tuple[str, ...]) -> dict[str, Any]:
    """Return a request's members with our names, without those that the handler reads itself."""
    shape = call.operation.model.input_shape
    given: Mapping[str, Any] = {name: value for name, value in call.items() if name not in without}
    found: dict[str, Any] = inward(shape, given) if shape else {}
    return found


def output(call: Request, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation's whole output from a structure with our names."""
    shape = call.operation.model.output_shape
    found: dict[str, Any] = outward(shape, value) if shape else {}
    return found
