"""What names, mappings and identifiers of an identity provider may be. Its details are its kind's to check.

Texts are Amazon's where somebody has printed them (aws-cli#3179, aws-cli#9729).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from identity.foundation import names
from identity.foundation.errors import Invalid
from pools import ports
from pools.models import UserPool
from pools.ports.kinds import About
from pools.services.pools import schema

USERNAME = "username"
LOCAL = "cognito"
"""The pool itself among its providers, in whatever case it is written."""
NAME_LEAST, NAME_MOST = 3, 32
IDENTIFIERS = 50
IDENTIFIER = re.compile(r"[\w\s+=.@-]{1,40}", re.ASCII)
CLAIM = 2048
LEVELS = frozenset({"Level1", "Level2", "Level3", "Level4"})
ACR = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}")


def kinds() -> Iterator[About]:
    """Yield what each kind of provider says of itself."""
    for name in ports.provider_kinds.names():
        yield ports.provider_kinds[name].about


def about(kind: str) -> About | None:
    """Return what a kind of provider says of itself; None of one that this release does not have."""
    found = ports.provider_kinds.get(kind)
    return found.about if found is not None else None


def is_social(kind: str) -> bool:
    """Say whether a kind is a social network's."""
    found = about(kind)
    return found is not None and found.is_social


def subject_claim(kind: str) -> str:
    """Return the claim by which people of a kind are known; empty where it is none that a mapping could name."""
    found = about(kind)
    return found.subject_claim if found is not None else ""


def name_problems(name: str, kind: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being the name of a provider of a type.

    A social network has one provider, of its own name; no other type has that name, nor the pool's own.
    """
    if not NAME_LEAST <= len(name) <= NAME_MOST or not names.is_plain(name) or "_" in (name[0], *name[2:]):
        text = "Provider names hold 3 to 32 characters without spaces."
        yield Invalid(text, field="provider_name", code="provider_name")
    elif name.lower() == LOCAL or ((is_social(name) or is_social(kind)) and name != kind):
        text = f"Provider {name} cannot be of type {kind}."
        yield Invalid(text, field="provider_name", code="provider_name_of_kind", parameters={"name": name})


def identifier_problems(identifiers: Sequence[str]) -> Iterator[Invalid]:
    """Yield what keeps texts from being a provider's identifiers."""
    if len(identifiers) > IDENTIFIERS or len(set(identifiers)) != len(identifiers):
        yield Invalid("At most 50 identifiers, each once.", field="idp_identifiers", code="too_many_identifiers")
    if any(not IDENTIFIER.fullmatch(each) for each in identifiers):
        yield Invalid("Identifiers hold 1 to 40 characters.", field="idp_identifiers", code="identifier")


def acr_problems(mapping: Mapping[str, str], kind: str) -> Iterator[Invalid]:
    """Yield what keeps a map of levels from being a provider's."""
    found = about(kind)
    if mapping and (found is None or not found.has_levels):
        yield Invalid("Only OIDC identity providers support AcrMapping.", field="acr_mapping", code="levels_of_oidc")
    if mapping.keys() - LEVELS or any(not ACR.fullmatch(value) for value in mapping.values()):
        yield Invalid("AcrMapping maps Level1 to Level4 to one value each.", field="acr_mapping", code="levels")


def completed_mapping(mapping: Mapping[str, str], kind: str) -> dict[str, str]:
    """Return a mapping of attributes as Cognito keeps it: with the username, which is who somebody is there."""
    claim = subject_claim(kind)
    return {**mapping, **({USERNAME: claim} if claim and USERNAME not in mapping else {})}


def mapping_problems(pool: UserPool, mapping: Mapping[str, str], kind: str) -> Iterator[Invalid]:
    """Yield what keeps a completed mapping from being a provider's.

    Each attribute is one of the pool's that can change, since it is written at each sign-in; the username is no other
    claim than the one by which people are known.
    """
    known = schema.rules(pool)
    wrong = [
        name
        for name, claim in mapping.items()
        if not 1 <= len(claim) <= CLAIM
        or (claim != (subject_claim(kind) or claim) if name == USERNAME else not _can_be_written(known.get(name)))
    ]
    if wrong:
        listed = ", ".join(wrong)
        text = f"AttributeMapping contains invalid mapping: [{listed}]"
        yield Invalid(text, field="attribute_mapping", code="attribute_mapping", parameters={"names": listed})


def writable_attributes(pool: UserPool) -> list[str]:
    """Return the attributes of a pool that a mapping may name, in the schema's order."""
    return [name for name, rule in schema.rules(pool).items() if _can_be_written(rule)]


def _can_be_written(rule: schema.Rule | None) -> bool:
    return rule is not None and rule.mutable and not rule.developer_only
