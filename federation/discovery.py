"""What an OpenID provider tells of itself (OpenID Connect Discovery 1.0), as far as a relying party asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from federation import details, json_answers
from federation.published import Published
from identity.foundation.errors import OutsideUnavailable

PATH = "/.well-known/openid-configuration"
ENDPOINTS = {
    "authorize_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "attributes_url": "userinfo_endpoint",
    "jwks_uri": "jwks_uri",
}
"""Keys of a provider's details and what discovery calls the same."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a provider tells of itself."""

    issuer: str
    endpoints: Mapping[str, str]
    """By keys of details; what the provider does not have is missing."""
    end_session: str
    """Where people are signed out (OpenID Connect RP-Initiated Logout 1.0), empty where it does not say."""
    tells_issuer: bool
    """It promises to name itself in every answer (RFC 9207 3)."""


def read(issuer: str) -> Discovered:
    """Return what an issuer tells of itself, at most a day old.

    Raises:
        OutsideUnavailable: nothing, or nothing that can be right.
        Overloaded: too many calls are under way.

    """
    return documents.get(issuer)


def names(issuer: str) -> tuple[str, ...]:
    """Return what a configured issuer may call itself.

    Exactly that, or with one slash more at its end: Amazon's guides configure Auth0, which has one, without, and both
    names lead to one document.
    """
    return (issuer, f"{issuer}/")


def fetch(issuer: str) -> Discovered:
    """Ask an issuer. Raises as :func:`read`."""
    url = checked(issuer).removesuffix("/") + PATH
    told = json_answers.document(url)
    if told.get("issuer") not in names(issuer):
        raise OutsideUnavailable(code="another_issuer", detail=f"{url} is about another issuer")
    endpoints = {key: told[name] for key, name in ENDPOINTS.items() if told.get(name)}
    for key, endpoint in endpoints.items():
        if not isinstance(endpoint, str) or any(details.url_problems(key, endpoint)):
            name = ENDPOINTS[key]
            raise OutsideUnavailable(
                code="unusable_endpoint", parameters={"name": name}, detail=f"{url} has no usable {name}"
            )
    end = told.get("end_session_endpoint", "")
    if not isinstance(end, str) or any(details.url_problems("end_session_endpoint", end)):
        end = ""
    tells_issuer = told.get("authorization_response_iss_parameter_supported") is True
    return Discovered(told["issuer"], endpoints, end, tells_issuer)


def checked(url: str) -> str:
    """Return a URL of a provider that was configured, which may have been where less was asked of it.

    Raises:
        OutsideUnavailable: it is not https, and the installation wants that.

    """
    if not details.is_secure_enough(url):
        raise OutsideUnavailable(code="not_https", detail=f"{url} is not https")
    return url


documents = Published(fetch)
