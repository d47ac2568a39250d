"""OpenID providers of identity pools: which of those that this installation trusts an ARN or a name means.

At AWS such an ARN names an identity provider in IAM, which has an issuer and client ids; here ``OPENID_PROVIDERS`` says
both. Nobody is trusted because a user pool has them for an identity provider. Verifies nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from identity.foundation import names
from identity.foundation.errors import Invalid
from pools.models import IdentityPool

ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):oidc-provider/(?P<name>[^\s/][^\s]*)")


@dataclass(frozen=True, slots=True)
class OpenIdProvider:
    """A provider that this installation trusts, for these clients."""

    issuer: str
    client_ids: tuple[str, ...]


def known() -> Mapping[str, OpenIdProvider]:
    """Return the providers that this installation trusts, by their names: the issuer without its scheme."""
    given: Mapping[str, tuple[str, ...]] = settings.OPENID_PROVIDERS
    return {names.without_scheme(issuer): OpenIdProvider(issuer, clients) for issuer, clients in given.items()}


def name_of(provider: str) -> str:
    """Return the one name of the provider that an ARN of this account, known or not, or a known name means; or none.

    A slash at the end makes no other provider, as it makes no other issuer in a user pool's.
    """
    found = ARN.fullmatch(provider)
    if found is not None:
        return found["name"].rstrip("/") if found["account"] == settings.ACCOUNT_ID else ""
    name = provider.removesuffix("/")
    return name if name in known() else ""


def is_meant(provider: str) -> bool:
    """Say whether a text is an ARN, whosever, or the name of a known OpenID provider: no user pool's name then."""
    return provider.startswith("arn:") or bool(name_of(provider))


def names_in(pool: IdentityPool) -> set[str]:
    """Return the names of a pool's OpenID providers; one may be known no longer."""
    return set(filter(None, map(name_of, pool.configuration.get("open_id_connect_provider_arns") or ())))


def problems(value: Sequence[str], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with the ARNs of a pool's OpenID providers. Amazon's own words for it are not known."""
    found = set[str]()
    for arn in value:
        name = name_of(arn) if ARN.fullmatch(arn) else ""
        if name not in known():
            yield Invalid("Invalid OpenId Connect Provider", field=field, code="unknown_openid_provider", detail=arn)
        elif name in found:
            yield Invalid(f"{arn} is named twice.", field=field)
        found.add(name)
