"""What a provider's details may hold: which keys, and which values. Every kind has a table of them.

Asks nobody: what a kind finds out by itself is the kind's. What is refused is said in Amazon's own words where they are
known (API_CreateIdentityProvider, ``ProviderDetails``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from identity.foundation import origins
from identity.foundation.errors import Invalid, refuse

Details = Mapping[str, str]
Check = Callable[[str, str], Iterator[Invalid]]
"""Yields what is wrong with the value of a key; values are never empty."""

LONGEST = 2048
VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
"""RFC 6749 A.1 and A.2, less spaces at the ends: nobody means those that copying adds."""
SCOPES = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
"""RFC 6749 3.3."""
NO_URL = re.compile(r"[^\x21-\x7e]|[\\<>\"^`{|}#]")
"""What no address of an endpoint holds (RFC 3986 2): parsers disagree about what they make of it."""


@dataclass(frozen=True, slots=True)
class Table:
    """The keys of a kind's details."""

    required: tuple[str, ...]
    missing: str
    """Amazon's words where one of them is missing."""
    checks: Mapping[str, Check]
    """Of every key that may be there."""
    defaults: Details

    def completed(self, given: Details) -> dict[str, str]:
        """Return details with defaults for what is missing. An empty value counts as missing.

        Raises:
            Invalid: the first thing that is wrong. ``field`` is ``provider_details``, with a dot and the key.

        """
        refuse(self.problems(given))
        return {**self.defaults, **{key: value for key, value in given.items() if value}}

    def problems(self, given: Details) -> Iterator[Invalid]:
        """Yield all that is wrong with details, in Amazon's order."""
        if unknown := sorted(given.keys() - self.checks.keys()):
            key = unknown[0][:LONGEST]
            yield refused(key, "unknown_detail", f"Provider details of this type have no {key}.")
        for key in self.required:
            if not given.get(key):
                yield refused(key, "missing_detail", self.missing)
        for key, value in given.items():
            if value and key in self.checks:
                yield from self.checks[key](key, value)


def refused(key: str, code: str, text: str, **parameters: str | int) -> Invalid:
    """Return a refusal of a key's value."""
    return Invalid(text, field=f"provider_details.{key}", code=code, parameters={"key": key, **parameters})


# -- what a value may be ---------------------------------------------------------------------------------------------


def name_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being an id or a secret: something that is not visible ASCII."""
    if len(value) > LONGEST or not VISIBLE.fullmatch(value):
        text = f"{key} holds 1 to {LONGEST} visible characters."
        yield refused(key, "visible_characters", text, most=LONGEST)


def scope_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being scopes with a space between each two."""
    if len(value) > LONGEST or not SCOPES.fullmatch(value):
        yield refused(key, "scopes", f"{key} is not a list of scopes.")


def url_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being the address of an endpoint: not https, or nothing that all read alike."""
    if not is_secure_enough(value):
        yield refused(key, "not_https", "OIDC endpoint must start with https://")
    elif not is_address(value):
        yield refused(key, "url", f"{key} is not a URL.")


def issuer_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being an issuer: an address without query (OpenID Connect Discovery 1.0, 3)."""
    yield from url_problems(key, value)
    if "?" in value:
        yield refused(key, "url", f"{key} is not a URL.")


def is_secure_enough(url: str) -> bool:
    """Say whether a URL is https, or http where the installation allows it."""
    scheme = url.partition(":")[0].lower()
    return scheme == "https" or (scheme == "http" and settings.INSECURE_PROVIDERS)


def is_address(url: str) -> bool:
    """Say whether a URL has a real host and port, and neither user, password nor fragment."""
    if len(url) > LONGEST or NO_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
        host, port = origins.name(parts.hostname or ""), parts.port
    except ValueError:
        return False
    return bool(host) and port != 0 and "@" not in parts.netloc


def among(*words: str) -> Check:
    """Return a check that a value is one of these words."""

    def problems(key: str, value: str) -> Iterator[Invalid]:
        if value not in words:
            first, *others = key.split("_")
            member = first + "".join(word.title() for word in others)
            text = (
                f"1 validation error detected: Value '{value[:LONGEST]}' at '{member}' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(words)}]"
            )
            yield refused(key, "not_among", text, words=", ".join(words))

    return problems


def matching(pattern: str, text: str) -> Check:
    """Return a check that a value has a form; ``text`` says which."""
    form = re.compile(pattern)

    def problems(key: str, value: str) -> Iterator[Invalid]:
        if not form.fullmatch(value):
            yield refused(key, "form", text)

    return problems


ENDPOINTS: Mapping[str, Check] = {
    "attributes_url": url_problems,
    "attributes_url_add_attributes": among("true", "false"),
    "authorize_url": url_problems,
    "token_request_method": among("POST", "GET"),
    "token_url": url_problems,
}
"""Of a provider with endpoints that are known: Amazon fills them in, tells them, and takes others in their place."""


def of_social_network(defaults: Details, **checks: Check) -> Table:
    """Return the table of a kind whose endpoints are known and which knows us by id and secret."""
    return Table(
        required=("client_id", "client_secret", "authorize_scopes"),
        missing="clientId, clientSecret and authorizeScopes are all required idp details.",
        checks={
            "client_id": name_problems,
            "client_secret": name_problems,
            "authorize_scopes": scope_problems,
            **ENDPOINTS,
            **checks,
        },
        defaults={"token_request_method": "POST", **defaults},
    )
