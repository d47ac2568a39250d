"""Writes docs/coverage.md from the wire contract, the tables of settings and ``coverage_tables``.

``--check`` says whether it is current.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

from botocore.model import ListShape, MapShape, Shape, StructureShape

from identity.management.coverage_tables import IN_ALL, IN_ONE, TESTS, Less, Note
from identity.management.document_command import DocumentCommand
from pools.cognito import operations, shapes
from pools.cognito.contract import Operation, Service, identity_pools, user_pools
from pools.services.identity_pools import identity_pool_settings
from pools.services.pools import client_settings, pool_rules, pool_settings
from pools.services.pools.settings_table import Availability

del operations  # registered by being imported

HEAD = """# Coverage

Made from Amazon's model, the handlers of its operations and the tables of settings by
`manage.py write_coverage_docs`; do not edit.

Every operation of both services is here. One that is *done* is answered as Amazon answers it, and a test calls it as a
client does; one that is *not yet* answers `… is not available in this release.` **Members that are not on this page do
what they do at Amazon**: of an operation that is done, its row names the others, and they are explained below.

- *Kept only*: checked, kept and told back, but nothing follows. [More](#kept-only)
- *Not used*: taken, and nothing is done with it, because what it is for is not there. [More](#not-used)
- *Not yet*: refused by name. [More](#not-yet)
- *Refused*: for good, by a text that says what to do instead. [More](#refused)

"""
KEPT_ONLY = """
## Kept only

**Nothing is enforced, and nothing follows from these**: they are checked, kept, and told back as Amazon tells them, so
that tools which set them go on. The log and the console name those that a pool or an app was given.

No trigger of `LambdaConfig` is called. Where one may refuse or change something, the flow ends with Amazon's
`UnexpectedLambdaException`: PreSignUp at sign-up and AdminCreateUser; PreAuthentication and PreTokenGeneration at
sign-in and for each token; DefineAuthChallenge and its two others at CUSTOM_AUTH; either custom sender where any code
or invitation is due. PostConfirmation, PostAuthentication, CustomMessage and UserMigration are left out, and the log
says so.
"""
SETTINGS = """
Settings, by the operation that makes the thing, or the only one that takes them:

| operation | member |
| --- | --- |
"""
NOT_USED = """
## Not used

Taken as Amazon's model has them, and neither kept nor told.
"""
NOT_YET = """
## Not yet

Refused by name: `… is not available in this release.` Only values that mean the same as leaving a member out are taken.
"""
REFUSED = """
## Refused

For good, with Amazon's `InvalidParameterException`: they mean nothing here. Only values that mean the same as leaving a
member out are taken.
"""
TABLES = {
    "CreateUserPool": pool_settings.TABLE,
    "CreateUserPoolClient": client_settings.TABLE,
    "CreateIdentityPool": identity_pool_settings.TABLE,
}
TAKERS = {
    "CreateUserPool": ("CreateUserPool", "UpdateUserPool", "SetUserPoolMfaConfig"),
    "CreateUserPoolClient": ("CreateUserPoolClient", "UpdateUserPoolClient"),
    "CreateIdentityPool": ("CreateIdentityPool", "UpdateIdentityPool"),
}
"""The operations that take settings of a table."""
TITLES = {user_pools.name: "User pools", identity_pools.name: "Identity pools"}
SUBJECTS = (
    ("Device", "devices"),
    ("WebAuthn", "passkeys"),
    ("Branding", "appearance of pages"),
    ("UICustomization", "appearance of pages"),
    ("Terms", "terms of use"),
    ("CIMD", "clients that register themselves"),
    ("ClientMetadata", "clients that register themselves"),
    ("Replica", "replicas"),
    ("PointInTime", "recovery of a pool"),
    ("AuthEvent", "threat protection"),
    ("RiskConfiguration", "threat protection"),
    ("LogDelivery", "logs and quotas"),
    ("ProvisionedLimit", "logs and quotas"),
    ("Session", "sessions"),
    ("ClientToken", "tokens"),
    ("DerivedToken", "tokens"),
)
"""What operations that are not there yet are about, by a word of their name; the first that fits."""
FEW = 5


def listed(availability: Availability) -> Iterator[str]:
    """Yield a table of the settings that are no more available than that, and do not say why; nothing for none."""
    found = list(rows(availability))
    yield from (SETTINGS, *found) if found else ()


def rows(availability: Availability) -> Iterator[str]:
    """Yield a line for each setting that is no more available than that, and does not say why."""
    for operation, table in TABLES.items():
        for setting in table.settings:
            if setting.availability is availability and setting.is_on_wire and not setting.why:
                taken = "SetUserPoolMfaConfig" if setting.name in pool_rules.OF_SECOND_FACTORS else operation
                yield f"| {taken} | `{shapes.member_name(taken, setting.name)}` |\n"


def answered(service: Service) -> list[Operation]:
    """Return the operations that have a handler."""
    return [operation for operation in service.operations.values() if operation.handler is not None]


def takes(shape: Shape | None, names: list[str]) -> bool:
    """Say whether an input has a member by that name; what a list holds is of the same name, and a map has any key."""
    match shape, names:
        case _, []:
            return True
        case StructureShape(), [name, *inner]:
            return name in shape.members and takes(shape.members[name], inner)
        case ListShape(), _:
            return takes(shape.member, names)
        case MapShape(), [_]:
            return not isinstance(shape.value, StructureShape) or takes(shape.value, names)
        case MapShape(), _:
            return takes(shape.value, names)
    return False


def notes(operation: Operation) -> dict[str, Note]:
    """Return what is noted of an operation's members, settings aside."""
    of_all = {name: note for name, note in IN_ALL.items() if takes(operation.model.input_shape, name.split("."))}
    before = f"{operation.name}."
    return of_all | {name.removeprefix(before): note for name, note in IN_ONE.items() if name.startswith(before)}


def settings(operation: Operation) -> Iterator[tuple[Less, str, str]]:
    """Yield how an operation's settings do less than at Amazon, by their names, and why, where they say it."""
    for of, takers in TAKERS.items():
        for setting in TABLES[of].settings if operation.name in takers else ():
            if setting.availability is Availability.DONE or not setting.is_on_wire:
                continue
            of_factors = setting.name in pool_rules.OF_SECOND_FACTORS
            if of_factors == (operation.name == "SetUserPoolMfaConfig"):
                yield Less(setting.availability), shapes.member_name(operation.name, setting.name), setting.why


def lesser(operation: Operation) -> list[tuple[Less, str]]:
    """Return the members of an operation that do less than at Amazon."""
    of_settings = ((less, name) for less, name, _ in settings(operation))
    return [*of_settings, *((note.less, name) for name, note in notes(operation).items())]


def cell(operation: Operation) -> str:
    """Return the same as a row names them: a few by their names, many by their number."""
    found, said = lesser(operation), []
    for less in Less:
        names = [f"`{name}`" for each, name in found if each is less]
        if names:
            anchor = less.replace(" ", "-")
            said.append(f"{less}: {', '.join(names) if len(names) <= FEW else f'[{len(names)} members](#{anchor})'}")
    return "; ".join(said)


def subject(operation: Operation) -> tuple[str, str]:
    """Return what an answered operation is about, as a title and a sentence: its module's."""
    module = inspect.getmodule(operation.handler)
    assert module is not None and module.__doc__ is not None  # noqa: S101, PT018 - handlers live in modules
    name = module.__name__.rpartition(".")[2].replace("_", " ").capitalize()
    return name, module.__doc__.partition("\n")[0].partition(". ")[0].rstrip(".")


def overview(service: Service) -> str:
    """Return a service's numbers."""
    done = answered(service)
    numbers = [len(service.operations), len(done), len(service.operations) - len(done)]
    found = [less for operation in done for less, _ in lesser(operation)]
    return f"| {TITLES[service.name]} | {' | '.join(map(str, [*numbers, *map(found.count, Less)]))} |\n"


def chapter(service: Service) -> Iterator[str]:
    """Yield a service's operations: those that are done by their subjects, then the others."""
    yield f"\n## {TITLES[service.name]}\n"
    done = answered(service)
    for title, sentence in sorted({subject(operation) for operation in done}):
        yield f"\n### {title if title != TITLES[service.name] else f'{title} themselves'}\n\n{sentence}.\n\n"
        yield "| operation | state | asked by | members that do less |\n| --- | --- | --- | --- |\n"
        for operation in done:
            if subject(operation)[0] == title:
                file = TESTS[service.name].get(operation.name, "")
                yield f"| {operation.name} | done | [{file}](../tests/{file}) | {cell(operation)} |\n"
    later = [name for name, operation in service.operations.items() if operation.handler is None]
    if later:
        yield "\n### Of later releases\n\n| operation | state | about |\n| --- | --- | --- |\n"
        in_order = sorted((about(name), name) for name in later)
        yield from (f"| {name} | not yet | {words} |\n" for words, name in in_order)


def about(name: str) -> str:
    """Return what an operation that is not there yet is about."""
    return next((words for part, words in SUBJECTS if part in name), "users")


def explained(less: Less) -> Iterator[str]:
    """Yield a table of the members that do less in this way and say why."""
    found: dict[tuple[str, str], list[str]] = {}
    for service in (user_pools, identity_pools):
        for operation in answered(service):
            of_notes = ((note.less, name, note.why) for name, note in notes(operation).items())
            for each, name, why in (*settings(operation), *of_notes):
                if each is less and why:
                    found.setdefault((name, why), []).append(operation.name)
    yield "\n| member | of | why |\n| --- | --- | --- |\n"
    yield from (f"| `{name}` | {', '.join(takers)} | {why} |\n" for (name, why), takers in sorted(found.items()))


class Command(DocumentCommand):
    """Write the page, or check it."""

    help = __doc__ or ""
    document = "coverage.md"

    def text(self) -> str:
        """Return the whole page."""
        return "".join(self.parts())

    def parts(self) -> Iterable[str]:
        """Yield the page's parts."""
        yield HEAD
        yield "| | operations | done | not yet | members kept only | not used | not yet | refused |\n"
        yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        for service in (user_pools, identity_pools):
            yield overview(service)
        yield "\nA member is counted in each operation that takes it.\n"
        for service in (user_pools, identity_pools):
            yield from chapter(service)
        yield from (KEPT_ONLY, *listed(Availability.KEPT_ONLY), *explained(Less.KEPT_ONLY))
        yield from (NOT_USED, *explained(Less.NOT_USED))
        yield from (NOT_YET, *listed(Availability.NOT_YET), *explained(Less.NOT_YET))
        yield from (REFUSED, *explained(Less.REFUSED))
