"""SAML providers of identity pools: which ARNs a pool may name, and what an assertion says of roles.

At AWS such an ARN names an identity provider in IAM; here ``SAML_PROVIDERS`` says what it means. Nobody is trusted
because a user pool has them for an identity provider. Verifies nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from django.conf import settings

from identity.foundation.errors import Invalid
from identity.foundation.saml_issuers import ARN, SamlProvider
from pools.models import IdentityPool
from pools.ports import VerifiedLogin

ROLE: Final = "https://aws.amazon.com/SAML/Attributes/Role"
"""The attribute that tells roles, each as ``role,provider`` in either order. AWS: Configure SAML assertions."""
CLAIMS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
DEFAULT_TAGS: Final = {"client": f"{CLAIMS}nameidentifier", "username": f"{CLAIMS}name"}
"""Tag to claim, where a provider's map says ``use_defaults``. AWS: Default provider mappings."""


def known() -> Mapping[str, SamlProvider]:
    """Return the providers that this installation trusts, by their ARNs."""
    given: Mapping[str, SamlProvider] = settings.SAML_PROVIDERS
    return given


def is_meant(provider: str) -> bool:
    """Say whether a text is the ARN of a SAML provider, known or not: that is its one name."""
    return ARN.fullmatch(provider) is not None


def named_in(pool: IdentityPool) -> set[str]:
    """Return the ARNs of a pool's SAML providers; one may be known no longer."""
    return set(pool.configuration.get("saml_provider_arns") or ())


def problems(value: Sequence[str], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with the ARNs of a pool's SAML providers. Amazon's own words for it are not known."""
    found = set[str]()
    for arn in value:
        if arn not in known():
            yield Invalid("Invalid SAML Provider", field=field, code="unknown_saml_provider", detail=arn)
        elif arn in found:
            yield Invalid(f"{arn} is named twice.", field=field)
        found.add(arn)


def roles(login: VerifiedLogin) -> list[str]:
    """Return the roles that an assertion tells for its own provider."""
    told = login.claims.get(ROLE, ())
    pairs = [value.split(",") for value in ([told] if isinstance(told, str) else told)]
    stripped = [[part.strip() for part in pair] for pair in pairs if len(pair) == len(("role", "provider"))]
    return [part for pair in stripped if login.provider in pair for part in pair if part != login.provider]
