"""The OpenID providers that an installation trusts, as a setting gives them.

Asks nobody, and knows nothing of who uses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from identity.foundation import origins

LONGEST_NAME = 128
"""Characters of an issuer without its scheme: no login could name a longer one (Amazon's IdentityProviderName)."""
CLIENT_ID = re.compile(r"[\x21-\x7e]{1,255}")
"""IAM's length (API_CreateOpenIDConnectProvider)."""
BETWEEN = re.compile(r"[;\r\n]")

Issuers = dict[str, tuple[str, ...]]
"""Client ids by issuer, which has no slash at its end."""


def read(given: object) -> object:
    """Return :data:`Issuers` of a text: ``https://issuer=client,client`` with ``;`` or a line's end between two.

    Raises:
        ValueError: an entry cannot be read; it is named by its number.

    """
    if not isinstance(given, str):
        return given
    found: Issuers = {}
    known = set[str]()
    for number, entry in enumerate(entries(given), start=1):
        issuer, clients = divided(number, entry)
        name = issuer.partition("://")[2]
        if name in known:
            raise ValueError(f"entry {number} is an issuer that was named before")
        known.add(name)
        found[issuer] = clients
    return found


def entries(text: str) -> Iterator[str]:
    """Yield what stands between separators, if anything does."""
    yield from filter(None, (entry.strip() for entry in BETWEEN.split(text)))


def divided(number: int, entry: str) -> tuple[str, tuple[str, ...]]:
    """Return an entry's issuer and its client ids, each once. Raises ValueError as :func:`read`."""
    url, _, listed = entry.partition("=")
    clients = tuple(dict.fromkeys(filter(None, (client.strip() for client in listed.split(",")))))
    try:
        issuer = "".join(origins.divided(url.strip()))
    except ValueError as problem:
        raise ValueError(f"the issuer of entry {number} has {problem}") from None
    if len(issuer.partition("://")[2]) > LONGEST_NAME:
        raise ValueError(f"the issuer of entry {number} is longer than {LONGEST_NAME} characters")
    if not clients:
        raise ValueError(f"entry {number} has no client id: https://issuer=client,client;https://other=client")
    if not all(CLIENT_ID.fullmatch(client) for client in clients):
        raise ValueError(f"a client id of entry {number} has a character that none has")
    return issuer, clients
