"""What an app client may be set to: flows, OAuth, redirects, lifetimes, attributes. Pure, but for the pool's scopes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from identity.foundation.errors import (
    Invalid,
    NotAvailable,
    OAuthFlowRefused,
    ScopeUnknown,
    refuse,
)
from pools.models import AppClient, ResourceServer, UserPool
from pools.services.pools import schema

ALLOW = frozenset(
    {
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_CUSTOM_AUTH",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_AUTH",
        "ALLOW_TOKEN_EXCHANGE_DELEGATION",
        "ALLOW_TOKEN_EXCHANGE_IMPERSONATION",
    }
)
LEGACY = frozenset({"ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH"})
BUILT_IN_SCOPES = (
    "openid",
    "email",
    "phone",
    "profile",
    "aws.cognito.signin.user.admin",
)
OAUTH_FLOWS = ("code", "implicit", "client_credentials")
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
LIFETIMES = {
    "access": ("access_token", 300, 86_400, "hours", 1),
    "id": ("id_token", 300, 86_400, "hours", 1),
    "refresh": ("refresh_token", 3600, 315_360_000, "days", 30),
}
SESSION_LEAST, SESSION_MOST = 3, 15
MAX_GRACE = 60
MAX_SCOPES = 50
MAX_URLS = 100
URL_LENGTH = 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*", re.IGNORECASE)
# Schemes that a browser runs or reads by itself: never a place to send a code to.
FORBIDDEN_SCHEMES = frozenset(
    {
        "javascript",
        "data",
        "vbscript",
        "file",
        "about",
        "blob",
        "view-source",
        "ws",
        "wss",
    }
)
COLUMNS = (
    "auth_flows",
    "oauth_enabled",
    "oauth_flows",
    "scopes",
    "callback_urls",
    "logout_urls",
    "default_redirect_uri",
    "identity_providers",
    "read_attributes",
    "write_attributes",
    "access_seconds",
    "id_seconds",
    "refresh_seconds",
    "validity",
    "session_minutes",
    "hide_existence",
    "revocation",
    "rotation",
    "rotation_grace_seconds",
    "propagate_context",
    "openid_strict",
    "explicit",
)
KNOWN = frozenset(
    {
        "client_name",
        "generate_secret",
        "client_secret",
        "refresh_token_validity",
        "access_token_validity",
        "id_token_validity",
        "token_validity_units",
        "read_attributes",
        "write_attributes",
        "explicit_auth_flows",
        "supported_identity_providers",
        "callback_urls",
        "logout_urls",
        "default_redirect_uri",
        "allowed_oauth_flows",
        "allowed_oauth_scopes",
        "allowed_oauth_flows_user_pool_client",
        "analytics_configuration",
        "prevent_user_existence_errors",
        "enable_token_revocation",
        "enable_propagate_additional_user_context_data",
        "auth_session_validity",
        "refresh_token_rotation",
        "openid_strict",
    }
)
UNTOLD = frozenset({"client_secret", "generate_secret", "client_name", "openid_strict"})
"""What the wire API does not tell back, or tells always."""


def apply(client: AppClient, pool: UserPool, given: Mapping[str, Any]) -> None:
    """Put settings into a row that is not saved yet; what is not given is Cognito's default.

    Raises:
        Invalid, ScopeUnknown, OAuthFlowRefused, NotAvailable: a setting breaks a rule.

    """
    settings = {name: value for name, value in given.items() if value is not None}
    if unknown := settings.keys() - KNOWN:
        raise Invalid(f"Unknown settings: {', '.join(sorted(unknown))}")
    if settings.get("analytics_configuration"):
        raise NotAvailable(
            "AnalyticsConfiguration is not available in this release.",
            field="analytics_configuration",
        )
    client.auth_flows = _flows(settings)
    _lifetimes(client, settings)
    _sessions(client, settings)
    client.read_attributes = _attributes(pool, settings, "read_attributes")
    client.write_attributes = _attributes(pool, settings, "write_attributes")
    _check_writable(pool, client.write_attributes)
    _oauth(client, pool, settings)
    client.openid_strict = bool(settings.get("openid_strict", client.openid_strict))
    client.explicit = sorted(settings.keys() & KNOWN - UNTOLD)


def _flows(settings: Mapping[str, Any]) -> list[str]:
    flows = list(dict.fromkeys(settings.get("explicit_auth_flows") or []))
    if unknown := set(flows) - ALLOW - LEGACY:
        raise Invalid(f"Unknown sign-in flow {min(unknown)}.", field="explicit_auth_flows")
    if set(flows) & ALLOW and set(flows) & LEGACY:
        raise Invalid(
            "Cannot specify ExplicitAuthFlows which are prefixed with ALLOW_ and which are not.",
            field="explicit_auth_flows",
        )
    return flows


def _lifetimes(client: AppClient, settings: Mapping[str, Any]) -> None:
    units = settings.get("token_validity_units") or {}
    told: dict[str, object] = {}
    for kind, (member, least, most, unit, default) in LIFETIMES.items():
        amount = settings.get(f"{member}_validity")
        chosen = str(units.get(member) or unit)
        if chosen not in SECONDS:
            raise Invalid(f"Unknown time unit {chosen}.", field="token_validity_units")
        if kind == "refresh" and amount == 0:
            amount, chosen = None, unit if not units.get(member) else chosen
        # A unit without an amount leaves Cognito's default life as it is.
        seconds = default * SECONDS[unit] if amount is None else int(amount) * SECONDS[chosen]
        if not least <= seconds <= most:
            raise Invalid(
                f"Invalid range for token validity: {member.replace('_', ' ')} lives {least} to {most} seconds.",
                field=f"{member}_validity",
            )
        setattr(client, f"{kind}_seconds", seconds)
        if amount is not None:
            told[kind] = int(amount)
    if units:
        # Refresh tokens are told with an amount always: without one that was given, the default's unit is told too.
        told["units"] = {
            kind: units[member]
            for kind, (member, *_) in LIFETIMES.items()
            if units.get(member) and (kind != "refresh" or kind in told)
        }
    if client.refresh_seconds < max(client.access_seconds, client.id_seconds):
        raise Invalid(
            "Refresh token validity must not be shorter than that of access and ID tokens.",
            field="refresh_token_validity",
        )
    client.validity = told


def told_units(client: AppClient) -> dict[str, str]:
    """Return the units of a client's lifetimes as Cognito tells them: all three once any was given (COGNITO.md C.2)."""
    given = client.validity.get("units")
    if not isinstance(given, dict):
        return {}
    return {member: given.get(kind, unit) for kind, (member, _, _, unit, _) in LIFETIMES.items()}


def _sessions(client: AppClient, settings: Mapping[str, Any]) -> None:
    minutes = int(settings.get("auth_session_validity") or 3)
    if not SESSION_LEAST <= minutes <= SESSION_MOST:
        raise Invalid(
            "AuthSessionValidity lies between 3 and 15 minutes.",
            field="auth_session_validity",
        )
    client.session_minutes = minutes
    existence = settings.get("prevent_user_existence_errors") or "LEGACY"
    if existence not in ("LEGACY", "ENABLED"):
        raise Invalid(
            "PreventUserExistenceErrors is LEGACY or ENABLED.",
            field="prevent_user_existence_errors",
        )
    client.hide_existence = existence == "ENABLED"
    if "enable_token_revocation" in settings:
        client.revocation = bool(settings["enable_token_revocation"])
    client.propagate_context = bool(settings.get("enable_propagate_additional_user_context_data"))
    if client.propagate_context and not client.confidential:
        raise Invalid(
            "EnablePropagateAdditionalUserContextData needs a client secret.",
            field="enable_propagate_additional_user_context_data",
        )
    rotation = settings.get("refresh_token_rotation") or {}
    client.rotation = rotation.get("feature") == "ENABLED"
    client.rotation_grace_seconds = int(rotation.get("retry_grace_period_seconds") or 0)
    if not 0 <= client.rotation_grace_seconds <= MAX_GRACE:
        raise Invalid(
            "RetryGracePeriodSeconds lies between 0 and 60.",
            field="refresh_token_rotation",
        )
    if client.rotation and "ALLOW_REFRESH_TOKEN_AUTH" in client.auth_flows:
        raise Invalid(
            "Refresh token rotation and ALLOW_REFRESH_TOKEN_AUTH exclude each other.",
            field="refresh_token_rotation",
        )


def _attributes(pool: UserPool, settings: Mapping[str, Any], member: str) -> list[str] | None:
    given = settings.get(member)
    if given is None:
        return None
    known = schema.rules(pool)
    for name in given:
        rule = known.get(name)
        if rule is None or rule.developer_only:
            raise Invalid(f"Invalid {member.replace('_', ' ')} specified while creating a client", field=member)
    return list(dict.fromkeys(given))


def _check_writable(pool: UserPool, given: Sequence[str] | None) -> None:
    if given is None:
        return
    missing = [name for name in schema.required(pool) if name not in given]
    if missing or set(given) & (schema.VERIFIED | {"sub"}):
        raise Invalid(
            "Invalid write attributes specified while creating a client",
            field="write_attributes",
        )


def _oauth(client: AppClient, pool: UserPool, settings: Mapping[str, Any]) -> None:
    client.oauth_enabled = bool(settings.get("allowed_oauth_flows_user_pool_client"))
    client.oauth_flows = list(dict.fromkeys(settings.get("allowed_oauth_flows") or []))
    client.scopes = list(dict.fromkeys(settings.get("allowed_oauth_scopes") or []))
    client.callback_urls = _urls(settings, "callback_urls")
    client.logout_urls = _urls(settings, "logout_urls")
    client.default_redirect_uri = str(settings.get("default_redirect_uri") or "")
    client.identity_providers = list(dict.fromkeys(settings.get("supported_identity_providers") or []))
    if client.default_redirect_uri and client.default_redirect_uri not in client.callback_urls:
        raise Invalid(
            "DefaultRedirectURI must be one of CallbackURLs.",
            field="default_redirect_uri",
        )
    for provider in client.identity_providers:
        if provider != "COGNITO":
            raise NotAvailable(
                f"The provider {provider} does not exist for User Pool {pool.public_id}.",
                field="supported_identity_providers",
            )
    _check_flows(client)
    _check_scopes(client, pool)


def _check_flows(client: AppClient) -> None:
    flows = set(client.oauth_flows)
    if unknown := flows - set(OAUTH_FLOWS):
        raise OAuthFlowRefused(f"Unknown OAuth flow {min(unknown)}.")
    if "implicit" in flows:
        raise NotAvailable(
            "The implicit grant is not available in this release: use code with PKCE.",
            field="allowed_oauth_flows",
        )
    if "client_credentials" in flows and len(flows) > 1:
        raise OAuthFlowRefused("client_credentials flow can not be selected along with code flow or implicit flow.")
    if "client_credentials" in flows and not client.confidential:
        raise OAuthFlowRefused("client_credentials flow can not be selected if client does not have a client secret.")
    if client.oauth_enabled and not (flows and client.scopes):
        raise Invalid(
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.",
            field="allowed_oauth_flows",
        )
    if client.oauth_enabled and flows - {"client_credentials"} and not client.callback_urls:
        raise Invalid("CallbackURLs are required for the code flow.", field="callback_urls")


def _check_scopes(client: AppClient, pool: UserPool) -> None:
    if len(client.scopes) > MAX_SCOPES:
        raise Invalid("A client has at most 50 scopes.", field="allowed_oauth_scopes")
    custom = [scope for scope in client.scopes if scope not in BUILT_IN_SCOPES]
    if custom:
        servers = ResourceServer.objects.filter(pool_id=pool.pk)
        known = {f"{server.identifier}/{scope['name']}" for server in servers for scope in server.scopes}
        if unknown := [scope for scope in custom if scope not in known]:
            raise ScopeUnknown(f"Invalid scope requested: {unknown[0]}")
    if "client_credentials" in client.oauth_flows and len(custom) != len(client.scopes):
        raise OAuthFlowRefused("client_credentials flow can not be selected with the scopes of people.")
    profile = {"email", "phone", "profile"} & set(client.scopes)
    if profile and "openid" not in client.scopes:
        raise Invalid(
            f"{min(profile)} scope needs the openid scope.",
            field="allowed_oauth_scopes",
        )


def _urls(settings: Mapping[str, Any], member: str) -> list[str]:
    given = list(dict.fromkeys(settings.get(member) or []))
    refuse(url_problems(given, member))
    return given


def url_problems(given: Sequence[str], member: str) -> Iterator[Invalid]:
    """Yield what is wrong with the addresses that an app gives for browsers to be sent to, one refusal an address."""
    if len(given) > MAX_URLS:
        yield Invalid("At most 100 addresses can be given.", field=member)
        return
    for url in given:
        if problem := redirect_problem(url):
            yield Invalid(f"{url[:200]}: {problem}", field=member)


def redirect_problem(url: str) -> str:
    """Return what is wrong with an address that browsers are to be sent to, empty where nothing is."""
    if not 1 <= len(url) <= URL_LENGTH or any(character.isspace() or not character.isprintable() for character in url):
        return "addresses hold 1 to 1024 characters without spaces"
    if "#" in url:
        return "addresses have no fragment"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    scheme = parts.scheme.lower()
    if not SCHEME.fullmatch(scheme) or scheme in FORBIDDEN_SCHEMES:
        return "not an address that browsers may be sent to"
    if scheme in ("http", "https"):
        if not host or "\\" in url or parts.username is not None or "*" in parts.netloc:
            return "the host is missing or ambiguous"
        if scheme == "http" and host not in LOOPBACK:
            return "only https, but for this machine's own addresses"
    return ""
