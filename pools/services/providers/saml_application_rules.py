"""What the registration of a SAML application may hold. What is written in certificates and metadata SAML reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from identity.foundation import names
from identity.foundation.errors import Invalid
from pools import ports
from pools.models import SamlApplication, UserPool
from pools.services.pools import schema

USERNAME: Final = "cognito:username"
GROUPS: Final = "cognito:groups"
"""What is told as attributes beside those of the schema, by the names that tokens have for them."""
FORMATS: Final = tuple(SamlApplication.NameIdFormat.values)
MOST_ADDRESSES, MOST_CERTIFICATES, MOST_ATTRIBUTES = 20, 10, 50
LONGEST_ENTITY_ID, LONGEST_NAME, LONGEST_STATE = 1024, 256, 1024
MOST_INDEX = 65535

Settings = Mapping[str, Any]


def problems(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """Yield all that is wrong with a whole registration; nobody is asked."""
    for rule in RULES:
        yield from rule(pool, settings)


def sources(pool: UserPool) -> list[str]:
    """Return what of a person an application may be told: attributes of the pool, the username and the groups."""
    return [USERNAME, GROUPS, *(name for name, rule in schema.rules(pool).items() if not rule.developer_only)]


def entity_id(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """An application has a name that cannot be taken for another by looking at it (SAML core 8.3.6)."""
    del pool
    found = settings["entity_id"]
    if not 0 < len(found) <= LONGEST_ENTITY_ID or not found.isprintable() or found != found.strip():
        text = f"Entity ids hold 1 to {LONGEST_ENTITY_ID} visible characters."
        yield Invalid(text, field="entity_id", code="entity_id", parameters={"most": LONGEST_ENTITY_ID})


def addresses(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """Answers go to some addresses, each once, and messages for signing out to one."""
    del pool
    protocol = ports.application_protocols[ports.SAML_APPLICATIONS]
    found, indexes = settings["acs_urls"], settings["acs_indexes"]
    if not 1 <= len(found) <= MOST_ADDRESSES or len(set(found)) != len(found):
        text = f"There are 1 to {MOST_ADDRESSES} addresses for answers, each once."
        yield Invalid(text, field="acs_urls", code="acs_urls", parameters={"most": MOST_ADDRESSES})
    if (
        len(indexes) != len(found)
        or len(set(indexes)) != len(indexes)
        or any(not 0 <= n <= MOST_INDEX for n in indexes)
    ):
        yield Invalid("Each address for answers has an index of its own.", field="acs_indexes", code="acs_indexes")
    for field, urls in (("acs_urls", found), ("slo_url", [settings["slo_url"]] if settings["slo_url"] else [])):
        if not all(map(protocol.is_address, urls)):
            text = "The address is no URL that starts with https://"
            yield Invalid(text, field=field, code="application_address")


def certificates(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """What an application signs or decrypts by can be read, and is strong enough."""
    del pool
    protocol = ports.application_protocols[ports.SAML_APPLICATIONS]
    if len(settings["certificates"]) > MOST_CERTIFICATES:
        text = "There are too many certificates."
        yield Invalid(text, field="certificates", code="too_many_certificates", parameters={"most": MOST_CERTIFICATES})
    told = [(each, False) for each in settings["certificates"]]
    if settings["encryption_certificate"]:
        told.append((settings["encryption_certificate"], True))
    elif settings["encrypts"]:
        text = "Assertions are encrypted for a certificate."
        yield Invalid(text, field="encryption_certificate", code="no_encryption_certificate")
    for each, encrypts in told:
        try:
            protocol.check_certificate(each, encrypts=encrypts)
        except Invalid as problem:
            yield problem


def signatures(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """Nobody takes an answer that anybody could have written."""
    del pool
    if not (settings["signs_assertion"] or settings["signs_response"]):
        text = "Either the assertion or the response is signed."
        yield Invalid(text, field="signs_assertion", code="nothing_signed")


def name_id(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """People are named in a format that is issued, by an attribute that has one value."""
    if settings["name_id_format"] not in FORMATS:
        text = f"The format of names is one of {', '.join(FORMATS)}."
        yield Invalid(text, field="name_id_format", code="name_id_format", parameters={"words": ", ".join(FORMATS)})
    attribute = settings["name_id_attribute"]
    if attribute and attribute not in [name for name in sources(pool) if name != GROUPS]:
        yield _unknown_source("name_id_attribute", attribute)


def attributes(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """What is told of people has a name, and is known of them."""
    found, known = settings["attributes"], sources(pool)
    if len(found) > MOST_ATTRIBUTES:
        text = f"At most {MOST_ATTRIBUTES} attributes are told."
        yield Invalid(text, field="attributes", code="too_many_attributes", parameters={"most": MOST_ATTRIBUTES})
    for name, source in found.items():
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
            text = f"Names of attributes hold 1 to {LONGEST_NAME} visible characters."
            yield Invalid(text, field="attributes", code="attribute_name", parameters={"most": LONGEST_NAME})
        if source not in known:
            yield _unknown_source("attributes", source)


def relay_state(pool: UserPool, settings: Settings) -> Iterator[Invalid]:
    """What an application is given back is a text that fits."""
    del pool
    found = settings["default_relay_state"]
    if len(found) > LONGEST_STATE or not found.isprintable():
        text = f"A relay state holds at most {LONGEST_STATE} visible characters."
        yield Invalid(text, field="default_relay_state", code="relay_state", parameters={"most": LONGEST_STATE})


def _unknown_source(field: str, source: str) -> Invalid:
    shown = source[:LONGEST_NAME] if names.is_plain(source) else ""
    text = f"People of the pool have no {shown}."
    return Invalid(text, field=field, code="unknown_source", parameters={"name": shown})


Rule = Callable[[UserPool, Settings], Iterator[Invalid]]
RULES: tuple[Rule, ...] = (
    entity_id,
    addresses,
    certificates,
    signatures,
    name_id,
    attributes,
    relay_state,
)
