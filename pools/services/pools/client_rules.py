"""What the values of an app's settings may be, and the rules between them. Pure, but for what the pool has to be named.

Which settings there are is ``client_settings``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from identity.foundation import names
from identity.foundation.errors import DomainError, Invalid, NotAvailable, OAuthFlowRefused, ScopeUnknown
from pools.models import AppClient, IdentityProvider, ResourceServer, UserPool
from pools.services.pools import schema
from pools.services.pools.settings_table import Given, rule, unique

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
REGISTRATION, REGISTER = "aws.cognito/dcr", "register"
REGISTER_SCOPE = f"{REGISTRATION}/{REGISTER}"
"""The resource server that a pool has while apps may register themselves, and the scope that lets its holder do so."""
OAUTH_FLOWS = ("code", "implicit", "client_credentials")
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
NAME_LENGTH = 128
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
FLOWS, OAUTH, OAUTH_ON = "explicit_auth_flows", "allowed_oauth_flows", "allowed_oauth_flows_user_pool_client"
SCOPES, URLS, REDIRECT = "allowed_oauth_scopes", "callback_urls", "default_redirect_uri"
ROTATION, GRACE = "refresh_token_rotation.feature", "refresh_token_rotation.retry_grace_period_seconds"
CONTEXT, PROVIDERS = "enable_propagate_additional_user_context_data", "supported_identity_providers"
READ, WRITE = "read_attributes", "write_attributes"
ANALYTICS = tuple(
    f"analytics_configuration.{member}"
    for member in ("application_arn", "application_id", "role_arn", "external_id", "user_data_shared")
)
THE_POOL = "COGNITO"
"""The pool itself among the providers of an app."""


# -- what a value may be ---------------------------------------------------------------------------------------------


def name_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being a client's name."""
    if not names.is_of_resource(value):
        yield Invalid("Client names hold 1 to 128 letters, digits, spaces or +=,.@-_", field=field, code="client_name")


def flow_problems(value: Sequence[str], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with the flows of the wire API."""
    flows = set(value)
    if unknown := flows - ALLOW - LEGACY:
        yield Invalid(f"Unknown sign-in flow {min(unknown)}.", field=field)
    if flows & ALLOW and flows & LEGACY:
        yield Invalid("Auth flow name with prefix 'ALLOW' cannot be used with legacy auth flow names.", field=field)


def unit_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a word from being a unit of time."""
    if value not in SECONDS:
        yield Invalid(f"Unknown time unit {value}.", field=field)


def oauth_flow_problems(value: Sequence[str], field: str) -> Iterator[DomainError]:
    """Yield what is wrong with the grants."""
    flows = set(value)
    if unknown := flows - set(OAUTH_FLOWS):
        yield OAuthFlowRefused(f"Unknown OAuth flow {min(unknown)}.", code="oauth_flow")
    if "implicit" in flows:
        text = "The implicit grant is not available in this release: use code with PKCE."
        yield NotAvailable(text, field=field, code="implicit")
    if "client_credentials" in flows and len(flows) > 1:
        text = "client_credentials flow can not be selected along with code flow or implicit flow."
        yield OAuthFlowRefused(text, code="machine_and_people")


# -- rules between settings ------------------------------------------------------------------------------------------


def seconds(given: Given, kind: str) -> int:
    """Return how long a token lives. A unit without an amount leaves Amazon's default life as it is."""
    member, _, _, unit, default = LIFETIMES[kind]
    amount = given.get(f"{member}_validity")
    return (
        default * SECONDS[unit]
        if amount is None
        else int(amount) * SECONDS[str(given[f"token_validity_units.{member}"])]
    )


def lives_are_in_range(given: Given, _: AppClient) -> Iterator[Invalid]:
    """Each token lives neither too short nor too long, whatever unit it is given in."""
    for kind, (member, least, most, *_unit) in LIFETIMES.items():
        if not least <= seconds(given, kind) <= most:
            text, field = "Invalid range for token validity.", f"{member}_validity"
            yield Invalid(text, field=field, code="lifetime", parameters={"least": least, "most": most})


def refresh_lives_longest(given: Given, _: AppClient) -> Iterator[Invalid]:
    """A refresh token outlives what it is exchanged for."""
    if seconds(given, "refresh") < max(seconds(given, "access"), seconds(given, "id")):
        text = "Access and Id Token expiration times must be less than or equal to refresh token expiration times."
        yield Invalid(text, field="refresh_token_validity", code="refresh_lifetime")


def context_needs_a_secret(given: Given, client: AppClient) -> Iterator[Invalid]:
    """Only a server that proves itself may say what its user's address is."""
    if given[CONTEXT] and not client.confidential:
        text = "Client Secret is required to set EnablePropagateAdditionalUserContextData as true"
        yield Invalid(text, field=CONTEXT)


def analytics_is_whole(given: Given, _: AppClient) -> Iterator[Invalid]:
    """An application of Amazon Pinpoint is named by its ARN, or by its id with whose role sends to it."""
    arn, app_id, role, external_id, shared = (given[name] for name in ANALYTICS)
    is_given = arn or app_id or role or external_id or shared is not None
    is_by_arn, is_by_id = arn and not (app_id or external_id), app_id and role and external_id and not arn
    if is_given and not (is_by_arn or is_by_id):
        either = "either <application arn> or <application id, role arn, external id> are valid"
        text = f"Invalid analytics configuration given, {either}"
        yield Invalid(text, field="analytics_configuration", code="analytics")


def rotation_is_the_only_refresh(given: Given, _: AppClient) -> Iterator[Invalid]:
    """Refresh tokens are spent by each use, or by none."""
    if given[ROTATION] == "ENABLED" and "ALLOW_REFRESH_TOKEN_AUTH" in given[FLOWS]:
        yield Invalid("Refresh token rotation and ALLOW_REFRESH_TOKEN_AUTH exclude each other.", field=ROTATION)


def attributes_exist(given: Given, client: AppClient) -> Iterator[Invalid]:
    """The pool has the attributes of both lists."""
    known = schema.rules(client.pool)
    for name in (READ, WRITE):
        rules = [known.get(attribute) for attribute in given[name] or ()]
        if any(rule is None or rule.developer_only for rule in rules):
            yield Invalid(_unfit(name, client), field=name)


def required_attributes_are_writable(given: Given, client: AppClient) -> Iterator[Invalid]:
    """Whoever signs up through a client can give what the pool requires, and no client writes what is not people's."""
    listed = given[WRITE]
    if not listed:
        return
    missing = [name for name in schema.required(client.pool) if name not in listed]
    if missing or set(listed) & (schema.VERIFIED | {"sub"}):
        yield Invalid(_unfit(WRITE, client), field=WRITE)


def _unfit(name: str, client: AppClient) -> str:
    """Return what Amazon says of a list (serverless-cognito-add-custom-attributes#4, aws-sdk-java#1395)."""
    doing = "creating" if client._state.adding else "updating"  # noqa: SLF001 - Django documents it
    return f"Invalid {name.replace('_', ' ')} specified while {doing} a client"


def redirect_is_a_callback(given: Given, _: AppClient) -> Iterator[Invalid]:
    """Where people go by default is one of the places where they may go."""
    if given[REDIRECT] and given[REDIRECT] not in given[URLS]:
        text = f"The default redirect URI {given[REDIRECT]} is not in the callback URIs list."
        yield Invalid(text, field=REDIRECT, code="default_redirect")


def providers_exist(given: Given, client: AppClient) -> Iterator[Invalid]:
    """Each provider is the pool itself, or one of the pool's own."""
    named = [provider for provider in unique(given[PROVIDERS]) if provider != THE_POOL]
    rows = IdentityProvider.objects.filter(pool_id=client.pool.pk, name__in=named)
    known = set(rows.values_list("name", flat=True)) if named else set[str]()
    for provider in named:
        if provider not in known:
            text = f"The provider {provider} does not exist for User Pool {client.pool.public_id}."
            yield Invalid(text, field=PROVIDERS, code="no_such_provider", parameters={"name": provider})


def machines_keep_a_secret(given: Given, client: AppClient) -> Iterator[DomainError]:
    """Whoever signs in for itself alone proves who it is."""
    if "client_credentials" in given[OAUTH] and not client.confidential:
        text = "client_credentials flow can not be selected if client does not have a client secret."
        yield OAuthFlowRefused(text, code="machine_secret")


def oauth_is_whole(given: Given, _: AppClient) -> Iterator[DomainError]:
    """OAuth needs a grant and a scope, and people a way back."""
    flows = set(given[OAUTH])
    if given[OAUTH_ON] and not (flows and given[SCOPES]):
        text = (
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."
        )
        yield Invalid(text, field=OAUTH, code="oauth_scope")
    if given[OAUTH_ON] and flows - {"client_credentials"} and not given[URLS]:
        text = "CallbackUrls can not be empty when code flow or implicit flow is selected"
        yield OAuthFlowRefused(text, field=URLS, code="callback_url")


def custom_scopes(pool: UserPool) -> set[str]:
    """Return the scopes of a pool's resource servers, as they are at this moment."""
    servers = ResourceServer.objects.filter(pool_id=pool.pk)
    return {f"{server.identifier}/{scope['name']}" for server in servers for scope in server.scopes}


def registered_apps_register_none(given: Given, client: AppClient) -> Iterator[Invalid]:
    """An app that registered itself never lets others register (AWS: API_UserPoolClientType, ClientType)."""
    if client.registered and REGISTER_SCOPE in given[SCOPES]:
        text = f"App clients created through dynamic client registration can't have the {REGISTER_SCOPE} scope."
        yield Invalid(text, field=SCOPES, code="register_scope")


def scopes_exist(given: Given, client: AppClient) -> Iterator[DomainError]:
    """Scopes are those that every pool has, and those of the pool's resource servers."""
    scopes = unique(given[SCOPES])
    if len(scopes) > MAX_SCOPES:
        yield Invalid("A client has at most 50 scopes.", field=SCOPES, code="too_many_scopes")
    custom = [scope for scope in scopes if scope not in BUILT_IN_SCOPES]
    if custom:
        known = custom_scopes(client.pool)
        if unknown := [scope for scope in custom if scope not in known]:
            text = f"Invalid scope requested: {unknown[0]}"
            yield ScopeUnknown(text, code="no_such_scope", parameters={"scope": unknown[0]})
    if "client_credentials" in given[OAUTH] and len(custom) != len(scopes):
        text = "client_credentials flow can not be selected with the scopes of people."
        yield OAuthFlowRefused(text, code="machine_scopes")
    profile = {"email", "phone", "profile"} & set(scopes)
    if profile and "openid" not in scopes:
        text = f"{min(profile)} scope needs the openid scope."
        yield Invalid(text, field=SCOPES, code="openid", parameters={"scope": min(profile)})


LIVES = [name for member, *_ in LIFETIMES.values() for name in (f"{member}_validity", f"token_validity_units.{member}")]
RULES = (
    rule(lives_are_in_range, *LIVES),
    rule(refresh_lives_longest, *LIVES),
    rule(context_needs_a_secret, CONTEXT),
    rule(analytics_is_whole, *ANALYTICS),
    rule(rotation_is_the_only_refresh, ROTATION, FLOWS),
    rule(attributes_exist, READ, WRITE),
    rule(required_attributes_are_writable, WRITE),
    rule(redirect_is_a_callback, REDIRECT, URLS),
    rule(providers_exist, PROVIDERS),
    rule(machines_keep_a_secret, OAUTH),
    rule(oauth_is_whole, OAUTH, OAUTH_ON, SCOPES, URLS),
    rule(registered_apps_register_none, SCOPES),
    rule(scopes_exist, SCOPES, OAUTH),
)


# -- addresses that browsers are sent to -----------------------------------------------------------------------------


URL_PROBLEMS = {
    "url_length": ": addresses hold 1 to 1024 characters without spaces",
    "url_fragment": " cannot use fragment",
    "url_form": ": not an address",
    "url_scheme": ": not an address that browsers may be sent to",
    "url_host": ": the host is missing or ambiguous",
    "url_plain": " cannot use the HTTP protocol.",
}
"""What is said behind an address that is wrong, by the code of the refusal."""


def url_problems(given: Sequence[str], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with the addresses that an app gives for browsers to be sent to, one refusal an address."""
    if len(given) > MAX_URLS:
        yield Invalid("At most 100 addresses can be given.", field=field, code="too_many_urls")
        return
    for url in given:
        if code := redirect_problem(url):
            text = f"{url[:200]}{URL_PROBLEMS[code]}"
            yield Invalid(text, field=field, code=code, parameters={"url": url[:200]})


def redirect_problem(url: str) -> str:
    """Return the code of what is wrong with an address that browsers are to be sent to, empty where nothing is."""
    if not 1 <= len(url) <= URL_LENGTH or any(character.isspace() or not character.isprintable() for character in url):
        return "url_length"
    if "#" in url:
        return "url_fragment"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "url_form"
    scheme = parts.scheme.lower()
    if not SCHEME.fullmatch(scheme) or scheme in FORBIDDEN_SCHEMES:
        return "url_scheme"
    if scheme in ("http", "https"):
        if not host or "\\" in url or parts.username is not None or "*" in parts.netloc:
            return "url_host"
        if scheme == "http" and host not in LOOPBACK:
            return "url_plain"
    return ""
