"""SAML responses that are brought as logins of an identity pool: issued to an application's own sign-in, not to ours.

All rules of responses hold but for the request, which is that application's and known to it alone. An assertion is not
used up by being brought: Amazon takes one for GetId and again for GetCredentialsForIdentity, as long as it is valid.
So whoever holds it is its owner until it ends, as with an ID token. None is decrypted: nobody was told of a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from federation.published import Published
from federation.saml import apart, metadata, responses, service_provider
from federation.saml.metadata import IdentityProviderMetadata
from federation.saml.responses import SignedIn
from federation.saml.rules import NAME_FORMAT, Expected
from federation.saml.signatures import RULE as SIGNATURE
from identity.foundation import clock
from identity.foundation.destinations import TOTAL
from identity.foundation.errors import Invalid, LoginRefused, OutsideUnavailable
from identity.foundation.saml_issuers import SamlProvider
from pools.ports import NOT_SIGNED, OTHER_APPLICATION, OTHER_ISSUER, LoginDenied, VerifiedLogin, login_expired

SAID: Final[Mapping[str, str]] = {
    "Issuer": OTHER_ISSUER,
    "AudienceRestriction": OTHER_APPLICATION,
    SIGNATURE: NOT_SIGNED,
}
"""By the rule that is broken, in Amazon's words; others are said without."""
TRANSIENT: Final = f"{NAME_FORMAT}transient"
NAME_IDENTIFIER: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
"""The claim that a NameID is, to providers that have claims; of others the NameID stands for it."""
IN_MILLISECONDS: Final = 1000
"""As Amazon counts when it says that an assertion is over (amazon-cognito-identity-js#684)."""


def verified(response: str, arn: str, provider: SamlProvider) -> VerifiedLogin:
    """Return who a response is about that a provider issued to its application, and that has not ended.

    Raises:
        LoginRefused: it is not; the detail names the check.
        OutsideUnavailable: the provider's metadata cannot be had, or are over.
        Overloaded: too many calls are under way.

    """
    wanted = expected(provider)
    try:
        signed_in = apart.run(lambda: responses.read(response, wanted))
    except LoginRefused as refusal:
        raise said(refusal) from None
    except (LoginDenied, OutsideUnavailable) as status:  # which a provider tells of itself: nobody signed in there
        raise LoginRefused(detail=f"saml response: {status.detail}") from None
    name = signed_in.name_id
    if name.format == TRANSIENT:
        raise LoginRefused(detail="saml assertion NameID: it is transient, and would be somebody new each time")
    return VerifiedLogin(arn, name.value, provider.audience, claims(signed_in))


def expected(provider: SamlProvider) -> Expected:
    """Return what a provider's responses have to be. Raises OutsideUnavailable, Overloaded."""
    known = documents.get(provider.metadata)
    if known.valid_until is not None and known.valid_until <= clock.now():
        raise OutsideUnavailable(code="expired_metadata", detail=f"the metadata at {provider.metadata} are over")
    return Expected(
        issuer=known.entity_id,
        certificates=known.certificates,
        acs_url=provider.recipient,
        audience=provider.audience,
        is_of_others=True,
    )


def said(refusal: LoginRefused) -> LoginRefused:
    """Return a refusal in Amazon's words, where there are some."""
    given = refusal.parameters
    if "ended" in given:
        ended, now = (moment * IN_MILLISECONDS for moment in (int(given["ended"]), clock.epoch()))
        return LoginRefused(login_expired(ended, now).message, detail=refusal.detail)
    return LoginRefused(SAID.get(str(given.get("rule"))), detail=refusal.detail)


def claims(signed_in: SignedIn) -> dict[str, str | Sequence[str]]:
    """Return what an assertion tells of somebody, by the attributes' names: a text, or a list where there are more."""
    told = {name: values[0] if len(values) == 1 else list(values) for name, values in signed_in.attributes.items()}
    return {NAME_IDENTIFIER: signed_in.name_id.value, **told}


# -- metadata --------------------------------------------------------------------------------------------------------


def fetch(place: str) -> IdentityProviderMetadata:
    """Read the metadata at an address or in a file. Raises OutsideUnavailable, Overloaded."""
    data = from_file(place) if place.startswith("/") else service_provider.loaded(place, metadata.LARGEST, TOTAL)
    try:
        return apart.run(lambda: metadata.read(data))
    except Invalid as problem:
        raise OutsideUnavailable(
            code=problem.code, parameters=problem.parameters, detail=f"the metadata at {place}: {problem.message}"
        ) from None


def from_file(path: str) -> bytes:
    """Return what is in a file, as much of it as metadata may be and a byte. Raises OutsideUnavailable."""
    try:
        with Path(path).open("rb") as file:
            return file.read(metadata.LARGEST + 1)
    except OSError as problem:
        detail = f"the metadata at {path}: {problem.strerror}"
        raise OutsideUnavailable(code="unreadable_file", detail=detail) from None


documents = Published(fetch)
"""By where they are. New certificates count ten minutes after they are published, at most."""
