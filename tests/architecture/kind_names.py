"""Where a kind of identity provider may be named: its own file, and the table that lists kinds. Else it is a branch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.source import Source

NAMES = {"OIDC", "Google", "Facebook", "LoginWithAmazon", "SignInWithApple", "SAML"}
"""Amazon's types, as code would compare with them."""
OWN = "the kind's own file"
LISTED = {
    "federation/oidc.py": OWN,
    "federation/saml_provider.py": OWN,
    "federation/social/amazon.py": OWN,
    "federation/social/apple.py": OWN,
    "federation/social/facebook.py": OWN,
    "federation/social/google.py": OWN,
    "pools/hosted/saml.py": "the addresses that its protocol has at a pool",
    "identity/demo/partner.py": "the demo's own provider",
}
"""By file, the reason. One that names no kind any more must leave the list."""


def names(source: Source) -> list[int]:
    """Return the lines of a file that name a kind."""
    return [node.lineno for node in source.walk() if isinstance(node, ast.Constant) and node.value in NAMES]


def kind_names(source: Source) -> Iterator[str]:
    """A kind of provider is one file: no other names it, as nothing is decided by which kind it is."""
    if source.is_product and not source.is_migration and source.path not in LISTED:
        yield from (f"line {at} names a kind of identity provider" for at in names(source))
