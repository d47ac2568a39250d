"""Logins of identity pools: which provider a name means, and whether a token speaks for anyone there.

A user pool of ours has two names: its issuer without the scheme, and the one that Amazon gives to user pools. Both
mean the same logins, which are kept under the second, since an installation's address may change. In providers and
role mappings a name is kept as it was given, and read by ``kept_pool_id`` wherever the installation is now. What the
ARNs of OpenID and SAML providers mean is ``openid_providers``' and ``saml_providers``'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from identity.foundation import clock, destinations, names
from identity.foundation.errors import ClientNotFound, Invalid, LoginRefused, PoolNotFound
from pools import ports
from pools.models import DEVELOPERS, IdentityLogin, IdentityPool
from pools.models.hot import Person
from pools.ports import VerifiedLogin
from pools.services import access
from pools.services.identity_pools import openid_providers, saml_providers
from pools.services.pools import signing_keys
from pools.services.tokens.verify import verify_id

MOST = 10
PATIENCE = 5.0
"""Seconds in which all providers of a call's logins have to answer, however many they are."""
ADDRESSES = ("email", "phone_number")
TOKEN_LENGTH = 50_000
NO_PROVIDER = "Invalid Cognito Identity Provider"
"""Amazon's words for a user pool or a client that is not there (aws-cdk#11054)."""
NO_MATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool."
NO_LONGER = "Invalid login token. Token is no longer valid."
DEVELOPER_USER = "developer_user"
"""The claim, ours, of tokens that developers are given: who it is there. No other token of an identity has it."""
TAGS_CLAIM = "https://aws.amazon.com/tags"
APART = ";"
"""The one separator that Amazon's pattern of such a value has; no id of Google's, Facebook's or Apple's holds it."""


def own_pool_id(provider: str) -> str:
    """Return the id of the user pool of ours that a provider's name means, if it has the form of one."""
    for place in (own_name(""), names.without_scheme(names.issuer(""))):
        if provider.startswith(place):
            found = provider.removeprefix(place)
            return found if names.POOL_ID.match(found) else ""
    return ""


def kept_pool_id(provider: str) -> str:
    """Return the id of the user pool of ours that a kept name means, if it means one.

    That it named a pool of ours was checked when it was set; the installation may have moved since.
    """
    place, _, found = provider.rpartition("/")
    is_another = provider in ports.login_verifiers.names() or openid_providers.is_meant(provider)
    return found if place and not is_another and names.POOL_ID.match(found) else ""


def shown(provider: str) -> str:
    """Return a kept name as a client can use it now: Amazon's as it was given, an issuer by today's address."""
    own = kept_pool_id(provider)
    return names.without_scheme(names.issuer(own)) if own and provider != own_name(own) else provider


def shown_providers(pool: IdentityPool) -> list[dict[str, Any]]:
    """Return a pool's user pool providers, as they were set, by the names that clients can use now.

    Amazon tells that a provider's tokens are not checked with the pool where nothing was said of it.
    """
    unsaid = {"server_side_token_check": False}
    return [{**unsaid, **line, "provider_name": shown(line["provider_name"])} for line in pool.providers]


def own_name(pool_id: str) -> str:
    """Return the name under which a user pool's logins are kept."""
    return f"cognito-idp.{settings.REGION}.amazonaws.com/{pool_id}"


def canonical(provider: str) -> str:
    """Return the one name of a provider, however it was written."""
    own = own_pool_id(provider)
    return own_name(own) if own else openid_providers.name_of(provider) or provider


def is_known(provider: str) -> bool:
    """Say whether this installation can verify logins of a provider."""
    return (
        bool(own_pool_id(provider))
        or provider in ports.login_verifiers.names()
        or openid_providers.name_of(provider) in openid_providers.known()
        or provider in saml_providers.known()
    )


def check_named(provider: str, client_id: str) -> None:
    """Refuse a user pool or a client that is not there; of one that is deleted later, logins are refused.

    Raises:
        Invalid: there is none.

    """
    try:
        access.client_in(access.pool(own_pool_id(provider)), client_id)
    except (PoolNotFound, ClientNotFound) as problem:
        raise Invalid(NO_PROVIDER, field="cognito_identity_providers", detail=problem.message) from None


def verify(pool: IdentityPool, logins: Mapping[str, str]) -> list[VerifiedLogin]:
    """Return whom the logins speak for, in the order given. All must hold.

    Raises:
        Invalid: too many, or two for one provider.
        LoginRefused: a token is forged, expired, of another provider, or made for another application.
        OutsideUnavailable: a foreign provider's keys cannot be had.

    """
    named = openid_providers.names_in(pool) | saml_providers.named_in(pool)
    foreign = pool.configuration.get("supported_login_providers") or named
    if logins and not pool.providers and not foreign and not developer_name(pool):
        raise LoginRefused(NO_MATCH)
    if len(logins) > MOST:
        raise Invalid(f"At most {MOST} logins are allowed.", field="logins")
    with destinations.within(PATIENCE):
        found = [_verify(pool, provider, token) for provider, token in logins.items()]
    if len({login.provider for login in found}) < len(found):
        raise Invalid("A provider is named twice.", field="logins")
    return found


def _verify(pool: IdentityPool, provider: str, token: str) -> VerifiedLogin:
    if not token or len(token) > TOKEN_LENGTH:
        raise LoginRefused(ports.NOT_SIGNED)
    if provider == DEVELOPERS:
        return _verify_developers(pool, token)
    if saml_providers.is_meant(provider):
        return _verify_saml(pool, provider, token)
    own = own_pool_id(provider)
    return _verify_own(pool, own, token) if own else _verify_foreign(pool, provider, token)


def _verify_own(pool: IdentityPool, own: str, token: str) -> VerifiedLogin:
    clients = [line["client_id"] for line in pool.providers if kept_pool_id(line["provider_name"]) == own]
    if not clients:
        raise LoginRefused(ports.OTHER_APPLICATION)
    try:
        user_pool = access.pool(own)
    except PoolNotFound:
        raise LoginRefused(ports.OTHER_APPLICATION, detail="the user pool is gone") from None
    claims, person = verify_id(token, pool=user_pool, client_ids=clients)
    proven = _with_proven_addresses(claims, person)
    return VerifiedLogin(own_name(own), str(claims["sub"]), str(claims["aud"]), proven, kind="CognitoSignIn")


def _verify_foreign(pool: IdentityPool, provider: str, token: str) -> VerifiedLogin:
    """Return whom a token of a provider that is no pool of ours speaks for.

    Google and Apple may be named as what they are and by ARN: then the applications of both are taken.
    """
    name = provider.removesuffix("/")  # which Auth0 has at the end of its issuer, and apps make the name of that
    trusted = openid_providers.known().get(name) if name in openid_providers.names_in(pool) else None
    audiences = {*applications(pool, name), *(trusted.client_ids if trusted else ())}
    verifier = ports.login_verifiers.get(name)
    if verifier is not None and audiences:
        login = verifier.verify(token, audiences=audiences)
    elif trusted is not None:
        openid = ports.issuer_verifiers[ports.OPENID]
        login = openid.verify(token, issuer=trusted.issuer, audiences=audiences)
    else:
        raise LoginRefused(ports.OTHER_APPLICATION)
    if login.provider != name or login.audience not in audiences:
        raise LoginRefused(ports.OTHER_APPLICATION, detail=f"verified as {login.provider} for {login.audience}")
    return replace(login, claims=_with_proven_addresses(login.claims))


def _verify_saml(pool: IdentityPool, arn: str, response: str) -> VerifiedLogin:
    """Return whom a SAML response speaks for."""
    provider = saml_providers.known().get(arn) if arn in saml_providers.named_in(pool) else None
    if provider is None:
        raise LoginRefused(ports.OTHER_APPLICATION)
    login = ports.assertion_verifiers[ports.ASSERTIONS].verify(response, arn=arn, provider=provider)
    return replace(login, claims=_with_proven_addresses(login.claims))


def applications(pool: IdentityPool, provider: str) -> list[str]:
    """Return the applications whose logins at a provider of the public a pool takes."""
    return divided(pool.configuration.get("supported_login_providers", {}).get(provider, ""))


def divided(given: str) -> list[str]:
    """Return the applications that a value of ``SupportedLoginProviders`` names: one, or several with ``;`` between."""
    return list(filter(None, given.split(APART)))


def developer_name(pool: IdentityPool) -> str:
    """Return what a pool's developers call themselves as a provider; empty where there are none."""
    return str(pool.configuration.get("developer_provider_name") or "")


def developers_login(pool: IdentityPool, user: str, *, tags: Mapping[str, str] | None = None) -> VerifiedLogin:
    """Return the login of whom a pool's developers call ``user``, with the principal tags that they gave."""
    return VerifiedLogin(DEVELOPERS, user, pool.public_id, {"tags": dict(tags or {})})


def _verify_developers(pool: IdentityPool, token: str) -> VerifiedLogin:
    """Return whom a token of ours speaks for that a pool's developers were given.

    It counts as long as they know that identity by that id: not after either was unlinked, merged away or deleted.
    """
    claims = signing_keys.verify(None, signing_keys.Use.IDENTITY, token)
    if claims is None:
        raise LoginRefused(ports.NOT_SIGNED)
    user, now, expires = claims.get(DEVELOPER_USER), clock.epoch(), claims["exp"]
    if claims["aud"] != pool.public_id or not isinstance(user, str):
        raise LoginRefused(ports.OTHER_APPLICATION)
    if expires <= now:
        raise ports.login_expired(expires, now)
    known = IdentityLogin.objects.filter(pool_id=pool.pk, provider=DEVELOPERS, subject=user)
    if not known.filter(identity__pool_id=pool.pk, identity__public_id=claims["sub"]).exists():
        raise LoginRefused(NO_LONGER)
    given = claims.get(TAGS_CLAIM, {}).get("principal_tags", {})
    return developers_login(pool, user, tags={tag: value for tag, (value,) in given.items()})


def _with_proven_addresses(claims: Mapping[str, Any], person: Person | None = None) -> dict[str, Any]:
    """Return claims in which an address that nobody has proven is absent, and nothing says that it was proven.

    Roles and tags are given by claims, and people write their addresses themselves. Of our own people the row decides:
    a token may be older than it, and may lack what its client cannot read. A foreign issuer must say that an address is
    verified (OpenID Connect Core section 5.1; some send the text "true"): many that say nothing let anyone write any.
    """
    kept = dict(claims)
    for address in ADDRESSES:
        flag = f"{address}_verified"
        if person is None:
            proven = claims.get(flag) is True or claims.get(flag) == "true"
        else:
            present = getattr(person, address)
            proven = getattr(person, flag) is True and claims.get(address, present) == present
        if not proven:
            kept.pop(address, None)
            if flag in kept:
                kept[flag] = False
    return kept
