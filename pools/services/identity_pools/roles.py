"""Which role a caller gets, and which of the token's claims become session tags."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from identity.foundation.errors import Invalid, NotAuthorized, NotAvailable, RoleRefused
from pools.models import DEVELOPERS, IdentityPool, PrincipalTagMap
from pools.ports import VerifiedLogin
from pools.services.identity_pools import openid_providers, saml_providers
from pools.services.identity_pools.logins import is_known, kept_pool_id, own_name, own_pool_id, shown
from pools.services.people import groups

DEFAULT_TAGS = {"client": "aud", "username": "sub"}
"""Tag to claim, where a provider's map says ``use_defaults``."""
OTHER_DEFAULT_TAGS = {"www.amazon.com": {"client": "aud", "username": "user_id"}}
"""The same of providers that call somebody's id otherwise. AWS: Default provider mappings."""
MOST_RULES = 25
MOST_TAGS = 50
KEY_LENGTH = 128
VALUE_LENGTH = 256
LETTERS = "LZN"
"""Unicode's major categories that a tag may hold, beside these signs. Without ``*`` and ``?``: on some servers a
tag is a pattern, and people write the attributes that feed tags."""
SIGNS = frozenset("_.:/=+-@")


def choose(
    pool: IdentityPool, logins: Sequence[VerifiedLogin], *, custom_role: str | None
) -> tuple[str, VerifiedLogin | None]:
    """Return the role's ARN, and the login that decided (the first, where none did).

    Raises:
        Invalid: a guest asks for a role.
        NotAuthorized: the asked role is not this caller's, or which it is stays open and the pool says no.
        RoleRefused: the pool has no role for such callers, or a mapping that cannot be read.

    """
    if not logins:
        if custom_role:
            raise Invalid("CustomRoleArn is not supported for unauthenticated access.", field="custom_role_arn")
        return _default(pool.guest_role), None
    mappings = _mappings(pool)
    for login in logins:
        mapping = mappings.get((login.provider, login.audience)) or mappings.get((login.provider, ""))
        if mapping is not None:
            return _by_mapping(pool, mapping, login, custom_role), login
    if custom_role and custom_role != pool.member_role:
        return custom_role, _by_assertion(logins, custom_role)
    return _default(pool.member_role), logins[0]


def _by_assertion(logins: Sequence[VerifiedLogin], custom_role: str) -> VerifiedLogin:
    """Return the login whose assertion offers a role. AWS: API_GetCredentialsForIdentity (CustomRoleArn)."""
    for login in logins:
        if saml_providers.is_meant(login.provider) and custom_role in saml_providers.roles(login):
            return login
    raise _not_yours(custom_role)


def _mappings(pool: IdentityPool) -> dict[tuple[str, str], Mapping[str, Any]]:
    found = {mapping_key(key): mapping for key, mapping in pool.role_mappings.items()}
    openid = {*openid_providers.names_in(pool), *filter(None, map(openid_providers.name_of, pool.role_mappings))}
    for provider, _ in found:
        # Only they and pools of ours have a path. Whom an unread mapping would have denied must not get the default
        # role; whose provider is known no longer gets none.
        is_foreign = provider in openid or saml_providers.is_meant(provider)
        if "/" in provider and not kept_pool_id(provider) and not is_foreign:
            raise RoleRefused(detail=f"role mapping cannot be read: {provider}")
    return found


def _by_mapping(pool: IdentityPool, mapping: Mapping[str, Any], login: VerifiedLogin, custom_role: str | None) -> str:
    read = _from_token(login.claims) if mapping["type"] == "Token" else _from_rules(mapping, login.claims)
    offered, preferred = read
    if custom_role:
        if saml_providers.is_meant(login.provider):  # rules say what may be had, the assertion who may have it
            offered = [role for role in offered if role in saml_providers.roles(login)]
        if custom_role not in offered:
            raise _not_yours(custom_role)
        return custom_role
    if preferred:
        return preferred
    if mapping.get("ambiguous_role_resolution") == "AuthenticatedRole":
        return _default(pool.member_role)
    raise NotAuthorized("No role can be chosen for this identity.", detail="ambiguous role: deny")


def _from_token(claims: Mapping[str, Any]) -> tuple[list[str], str]:
    roles = claims.get("cognito:roles")
    offered = [str(role) for role in roles] if isinstance(roles, list) else []
    return offered, str(claims.get("cognito:preferred_role") or "")


def _from_rules(mapping: Mapping[str, Any], claims: Mapping[str, Any]) -> tuple[list[str], str]:
    rules = mapping.get("rules_configuration", {}).get("rules", [])
    offered = [str(rule["role_arn"]) for rule in rules if _matches(rule, claims.get(rule["claim"]))]
    return offered, offered[0] if offered else ""


def _matches(rule: Mapping[str, Any], claim: Any) -> bool:  # noqa: ANN401 - any JSON
    """Say whether a rule applies. A list (groups) is asked for one whole element: ``Contains`` never means a part."""
    if claim is None or isinstance(claim, dict):
        return False
    wanted, kind = str(rule["value"]), str(rule["match_type"])
    if isinstance(claim, list):
        elements = [text_of(element) for element in claim]
        if kind == "StartsWith":
            return any(element.startswith(wanted) for element in elements)
        return (wanted in elements) != (kind == "NotEqual")
    value = text_of(claim)
    holds = {
        "Equals": value == wanted,
        "NotEqual": value != wanted,
        "StartsWith": value.startswith(wanted),
        "Contains": wanted in value,
    }
    return holds[kind]


def _default(role: str) -> str:
    if not role:
        raise RoleRefused(detail="no role is set")
    return role


def _not_yours(role: str) -> NotAuthorized:
    return NotAuthorized("The requested role is not available to this identity.", detail=role)


def split_key(key: str) -> tuple[str, str]:
    """Return provider, as it was written, and client of a role mapping's key: ``provider:client`` or ``provider``."""
    provider, _, client = key.rpartition(":")
    return (provider, client) if kept_pool_id(provider) else (key, "")


def mapping_key(key: str) -> tuple[str, str]:
    """Return the provider's one name, and the client, of a role mapping's key, wherever we were when it was set."""
    provider, client = split_key(key)
    own = kept_pool_id(provider)
    return (own_name(own) if own else openid_providers.name_of(provider) or provider), client


def check_role(role: str) -> None:
    """Refuse what is no role's ARN.

    Raises:
        Invalid: it has not the form of one.

    """
    if not groups.is_role(role):
        raise Invalid("A role's ARN has 20 to 2048 characters of the form arn:….", field="roles")


def check_mapping(pool: IdentityPool, key: str, mapping: Mapping[str, Any]) -> None:
    """Refuse a role mapping that could not be followed.

    Raises:
        NotAvailable: this release does not know the provider.
        Invalid: the identity pool does not name it, or the mapping breaks a rule.

    """
    provider, _ = split_key(key)
    not_configured = f"({key}) is not a valid RoleMapping ProviderName or is not a configured provider."
    if not is_known(provider):
        raise NotAvailable(not_configured, field="role_mappings")
    if not is_configured(pool, key):
        raise Invalid(not_configured, field="role_mappings")
    rules = (mapping.get("rules_configuration") or {}).get("rules") or []
    if mapping["type"] == "Token" and not own_pool_id(provider):
        raise Invalid("Only user pools choose roles by token.", field="role_mappings")
    if mapping["type"] == "Rules" and not 1 <= len(rules) <= MOST_RULES:
        raise Invalid(f"Rules need one to {MOST_RULES} rules.", field="role_mappings")
    if not mapping.get("ambiguous_role_resolution"):
        raise Invalid("AmbiguousRoleResolution is required with Type.", field="role_mappings")
    for rule in rules:
        check_role(rule["role_arn"])


def check_tagging(pool: IdentityPool, provider: str) -> None:
    """Refuse a provider whose logins the identity pool would never take; what Amazon says of it is not known.

    Raises:
        NotAvailable: this release does not know the provider.
        Invalid: the identity pool does not name it.

    """
    not_configured = f"({provider}) is not a valid IdentityProviderName or is not a configured provider."
    if not is_known(provider):
        raise NotAvailable(not_configured, field="identity_provider_name")
    if not is_configured(pool, provider):
        raise Invalid(not_configured, field="identity_provider_name")


def is_configured(pool: IdentityPool, key: str) -> bool:
    """Say whether a role mapping's key names a provider of the pool, and a client of it where it names one."""
    provider, client = mapping_key(key)
    named = {mapping_key(f"{line['provider_name']}:{line['client_id']}") for line in pool.providers}
    named |= {(provider, "") for provider, _ in named}
    named |= {(provider, "") for provider in pool.configuration.get("supported_login_providers", {})}
    named |= {(provider, "") for provider in openid_providers.names_in(pool) | saml_providers.named_in(pool)}
    return (provider, client) in named


def shown_key(key: str) -> str:
    """Return a kept key of a role mapping as a client can use it now."""
    provider, _ = split_key(key)
    return shown(provider) + key.removeprefix(provider)


def text_of(claim: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a claim as text: true and false as JSON has them."""
    if isinstance(claim, bool):
        return "true" if claim else "false"
    return str(claim)


def tags(pool: IdentityPool, logins: Sequence[VerifiedLogin]) -> dict[str, str]:
    """Return the session tags of a caller: by the first login whose provider has a map, or to which some were given.

    Raises:
        RoleRefused: a claim cannot be a tag.

    """
    if not logins:
        return {}
    maps = {row.provider: row for row in PrincipalTagMap.objects.filter(pool_id=pool.pk)}
    for login in logins:
        if login.provider == DEVELOPERS and login.claims["tags"]:
            return dict(login.claims["tags"])
        if login.provider in maps:
            return _mapped(maps[login.provider], login.claims)
    return {}


def default_tags(provider: str) -> dict[str, str]:
    """Return tag to claim of a provider whose map says ``use_defaults``."""
    if saml_providers.is_meant(provider):
        return dict(saml_providers.DEFAULT_TAGS)
    return dict(OTHER_DEFAULT_TAGS.get(provider, DEFAULT_TAGS))


def _mapped(row: PrincipalTagMap, claims: Mapping[str, Any]) -> dict[str, str]:
    wanted = default_tags(row.provider) if row.use_defaults else row.tags
    found = {tag: claims.get(claim) for tag, claim in wanted.items()}
    return {tag: _value(tag, claim) for tag, claim in found.items() if claim not in (None, "", [])}


def _value(tag: str, claim: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(claim, list) and len(claim) == 1:
        (claim,) = claim
    if isinstance(claim, list | dict):
        raise RoleRefused(detail=f"tag {tag}: more than one value")
    value = text_of(claim)
    if len(value) > VALUE_LENGTH or not is_printable(value):
        raise RoleRefused(detail=f"tag {tag}: too long, or a character that tags cannot have")
    return value


def is_printable(value: str) -> bool:
    """Say whether a tag can hold this text."""
    return all(sign in SIGNS or unicodedata.category(sign)[0] in LETTERS for sign in value)


def check_values(given: Mapping[str, str]) -> None:
    """Refuse values that tags cannot have; their lengths are :func:`check_tags`'s.

    Raises:
        Invalid: as named.

    """
    for tag, value in given.items():
        if not is_printable(value):
            raise Invalid(f"The value of principal tag {tag} is not valid.", field="principal_tags")


def check_tags(wanted: Mapping[str, str]) -> None:
    """Refuse a map that no STS would take.

    Raises:
        Invalid: too many tags, a wrong name, or two that differ only in case.

    """
    if len(wanted) > MOST_TAGS:
        raise Invalid(f"At most {MOST_TAGS} principal tags are allowed.", field="principal_tags")
    if len({tag.lower() for tag in wanted}) < len(wanted):
        raise Invalid("Principal tags differ only in case.", field="principal_tags")
    for tag, claim in wanted.items():
        if not 1 <= len(tag) <= KEY_LENGTH or not is_printable(tag) or tag.lower().startswith("aws:"):
            raise Invalid(f"{tag} cannot be a principal tag.", field="principal_tags")
        if not 1 <= len(claim) <= VALUE_LENGTH:
            raise Invalid(f"The attribute of principal tag {tag} is not valid.", field="principal_tags")
