"""The wire contract: Amazon's models of both services, loaded from botocore, and who answers which operation.

Knows names, shapes and declared errors; knows no rule of ours and no HTTP.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from pools.cognito.constraints import MOST, NOWHERE, Check, Compiler
from pools.cognito.faults import Fault

if TYPE_CHECKING:
    from identity.foundation.actor import Actor


Reply = Mapping[str, Any] | None
"""Members of the output, by Amazon's names; None where the model has no output."""
Handler = Callable[[Any, "Actor"], Reply]
"""Takes a request's members, validated, by the type that boto3's stubs have for them; and who sent it.

That is the operator of a signed operation, else a visitor. A handler that learns more (the user behind an access token)
makes a new actor with the same ``address`` and ``request_id``.
"""


@dataclass(frozen=True)
class Operation:
    """One operation as Amazon's model describes it, and its handler where this release has one."""

    name: str
    service: Service = field(repr=False)
    model: OperationModel = field(repr=False)
    handler: Handler | None = None

    @property
    def is_public(self) -> bool:
        """Say whether the model asks for no signature."""
        return bool(self.model.auth_type == "none")

    @cached_property
    def errors(self) -> frozenset[str]:
        """Names of the exceptions that the operation declares."""
        return frozenset(shape.name for shape in self.model.error_shapes)

    @property
    def members(self) -> Collection[str]:
        """Names of the members that a request may have; of any other nothing is read."""
        shape = self.model.input_shape
        return () if shape is None else shape.members.keys()

    @cached_property
    def _input(self) -> Check | None:
        shape = self.model.input_shape
        return None if shape is None else self.service.compiler.check(shape)

    @cached_property
    def _output(self) -> Check | None:
        shape = self.model.output_shape
        return None if shape is None else self.service.strict_compiler.check(shape)

    def read(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the request's members, cleaned.

        Raises:
            Fault: a member is missing, of another type, or breaks a constraint.

        """
        complaints: list[str] = []
        clean: dict[str, Any] = {} if self._input is None else self._input(given, NOWHERE, complaints)
        if complaints:
            complaints = complaints[:MOST]
            found = "1 validation error" if len(complaints) == 1 else f"{len(complaints)} validation errors"
            raise Fault(self.service.invalid, f"{found} detected: {'; '.join(complaints)}")
        return clean

    def doubts(self, rendered: bytes) -> list[str]:
        """Return what Amazon's model says against an answer: nothing, if all is well."""
        if self._output is None:
            return ["an answer where the model has none"] if rendered else []
        complaints: list[str] = []
        try:
            self._output(json.loads(rendered), NOWHERE, complaints)
        except Fault as fault:
            complaints.append(fault.message)
        return complaints


def without_prose(node: Any, kept: dict[object, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return a model without its documentation, which nobody reads here and which is most of what it weighs.

    Only a text is prose: a shape or a member of that name would be described by an object. Equal parts are one object
    of those ``kept``, which halves the rest: nobody changes a model.
    """
    found: object
    if isinstance(node, dict):
        found = {
            sys.intern(name): without_prose(inner, kept)
            for name, inner in node.items()
            if not (name == "documentation" and isinstance(inner, str))
        }
        key: object = (dict, *((name, id(inner)) for name, inner in found.items()))
    elif isinstance(node, list):
        found = [without_prose(inner, kept) for inner in node]
        key = (list, *map(id, found))
    else:
        found, key = node, (type(node), node)
    return kept.setdefault(key, found)


OTHERWISE: dict[str, dict[str, Any]] = {
    # The service takes whole host names, as its own text and Terraform's tests do; the model's pattern has no dot.
    "DomainType": {"max": 253, "pattern": r"^[a-z0-9](?:[a-z0-9\-\.]{0,251}[a-z0-9])?$"},
}
"""Constraints in which the model is not what the service does, by shape."""


@dataclass
class Service:
    """One of the two services: its model and the registry of its handlers."""

    name: str
    """Name in botocore's data, and in the scope of signatures."""
    invalid: str
    """The exception that says a request breaks a constraint."""
    operations: dict[str, Operation] = field(init=False)
    target: str = field(init=False)
    """Prefix of ``X-Amz-Target``."""

    def __post_init__(self) -> None:
        """Load the model."""
        # Without the constructor's defaults: nobody's home folder has a say in what the contract is.
        loader = Loader(include_default_search_paths=False, extra_search_paths=[Loader.BUILTIN_DATA_PATH])
        description = loader.load_service_model(self.name, "service-2")
        for name, rules in OTHERWISE.items():
            description["shapes"].get(name, {}).update(rules)
        description = without_prose(description, {})
        self.model = model = ServiceModel(description, self.name)
        self.target = model.metadata["targetPrefix"]
        self.operations = {name: Operation(name, self, model.operation_model(name)) for name in model.operation_names}
        self.compiler = Compiler()
        self.strict_compiler = Compiler(strict=True)
        self._by_function = {name.lower(): name for name in self.operations}

    def operation(self, handler: Handler) -> Handler:
        """Register a handler under the operation that its function is named for: ``sign_up`` is SignUp."""
        name = self._by_function.get(handler.__name__.replace("_", ""))
        if name is None:
            raise LookupError(f"{self.name} has no operation like {handler.__name__}")
        if self.operations[name].handler is not None:
            raise LookupError(f"{name} is registered twice")
        self.operations[name] = Operation(name, self, self.operations[name].model, handler)
        return handler


user_pools = Service("cognito-idp", invalid="InvalidParameterException")
# Captures of cognito-identity show ValidationException here, which its model leaves out.
identity_pools = Service("cognito-identity", invalid="ValidationException")
SERVICES = {service.target: service for service in (user_pools, identity_pools)}


def model(operation: str) -> OperationModel:
    """Return Amazon's model of an operation of either service."""
    service = user_pools if operation in user_pools.operations else identity_pools
    return service.operations[operation].model
