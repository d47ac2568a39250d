"""Apps that register themselves, by metadata of their own (RFC 7591), where their pool lets them.

An app that registers is held to more than one that an operator makes, as far as Cognito leaves that open: it is OpenID
strict, so that one without a secret needs PKCE; nobody signs in to it by the wire API, which would give tokens beyond
its scopes; it sees none of a pool's own attributes, and never whether an account exists. There is no way to change a
registration (RFC 7592): operators change or delete the app. Who may register is checked by whoever calls.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, Invalid, ScopeUnknown
from pools.models import AppClient, UserPool
from pools.services.pools import app_clients, client_rules, client_secrets
from pools.services.pools.registration_settings import RegistrationRefused, allowed_flows

Registered = AppClient.Registered
OPENID_SCOPES = ("openid", "email", "phone", "profile")
"""What every app may ask for when it registers, and has where it asks for nothing."""
FLOWS = {"authorization_code": "code", "refresh_token": "code", "client_credentials": "client_credentials"}
"""The OAuth flow of Cognito's that an RFC's grant belongs to."""
GRANT_TYPES = {"code": ("authorization_code", "refresh_token"), "client_credentials": ("client_credentials",)}
RESPONSE_TYPES = {"code": ("code",), "client_credentials": ()}
NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]+", re.ASCII)
METHODS = ("client_secret_basic", "client_secret_post", "none")
"""How an app may prove itself to the token endpoint; the first where it does not say (section 2)."""
TEXTS = ("client_name", "scope", "token_endpoint_auth_method", "software_statement")
LISTS = ("redirect_uris", "grant_types", "response_types", "post_logout_redirect_uris")
UNMET: dict[str, Callable[[Any], bool]] = {
    "jwks": lambda _: False,
    "jwks_uri": lambda _: False,
    "token_endpoint_auth_signing_alg": lambda _: False,
    "id_token_signed_response_alg": lambda value: value == "RS256",
    "subject_type": lambda value: value == "public",
    "default_max_age": lambda _: False,
    "sector_identifier_uri": lambda _: False,
    "request_uris": lambda value: value == [],
    **dict.fromkeys(
        (
            *("id_token_encrypted_response_alg", "userinfo_signed_response_alg", "userinfo_encrypted_response_alg"),
            *("request_object_signing_alg", "request_object_encryption_alg", "authorization_signed_response_alg"),
            *("introspection_signed_response_alg", "backchannel_logout_uri", "frontchannel_logout_uri"),
            *("tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri"),
        ),
        lambda _: False,
    ),
    **dict.fromkeys(
        (
            *("require_signed_request_object", "require_pushed_authorization_requests", "dpop_bound_access_tokens"),
            *("tls_client_certificate_bound_access_tokens", "use_mtls_endpoint_aliases"),
        ),
        lambda value: value is False,
    ),
}
"""Metadata by which an app would be held to, or promised, what this release does not do; each says which value asks for
nothing. Whatever else is not named in this module is ignored, as section 2 has it, and not told back."""


class MetadataRefused(DomainError):
    """A member of the metadata cannot be had (``invalid_client_metadata``)."""

    public = "The client metadata cannot be used."


class RedirectRefused(DomainError):
    """A redirect URI is missing, or no browser may be sent there (``invalid_redirect_uri``)."""

    public = "A redirect URI cannot be used."


class StatementRefused(DomainError):
    """The software statement is none (``invalid_software_statement``)."""

    public = "The software_statement is not a JWT."


class StatementUnapproved(DomainError):
    """Nobody whose software statements are believed is known here (``unapproved_software_statement``)."""

    public = "No issuer of software statements is trusted here."


@dataclass(slots=True)
class Application:
    """What an app says of itself, on its way through the checks."""

    pool: UserPool
    metadata: Mapping[str, Any]
    """Members as they were sent; one that is null counts as left out."""
    registered: Registered
    allowed_flows: frozenset[str]

    def text(self, name: str, default: str = "") -> str:
        """Return a member that is a text."""
        return str(self.metadata.get(name, default))

    def texts(self, name: str) -> list[str]:
        """Return a member that is a list, each value once; empty where it was left out."""
        return list(dict.fromkeys(self.metadata.get(name, ())))

    @property
    def method(self) -> str:
        """Return how the app is to prove itself."""
        return self.text("token_endpoint_auth_method", METHODS[0])

    @property
    def flows(self) -> list[str]:
        """Return the flows of the grants that it wants; where it does not say, it is people's (section 2)."""
        grants = self.texts("grant_types") or ["authorization_code"]
        return list(dict.fromkeys(FLOWS[grant] for grant in grants))

    @property
    def scopes(self) -> list[str]:
        """Return the scopes that it wants; where it does not say, people's apps have those of OpenID Connect."""
        asked = list(dict.fromkeys(self.text("scope").split()))
        return asked or (list(OPENID_SCOPES) if "code" in self.flows else [])

    @property
    def name(self) -> str:
        """Return what operators know it by; where it does not say, or in other letters than theirs, where it leads."""
        place = next(map(app_clients.place_of, self.texts("redirect_uris")), "Machine")
        return (spelled(self.text("client_name")) or spelled(place))[: client_rules.NAME_LENGTH]


def spelled(name: str) -> str:
    """Return a name in the characters that Amazon's names of clients have (ClientNameType), which are ASCII.

    Letters lose their accents, and what is left becomes a space: many names have brackets. The answer says how a name
    is registered (section 3.2.1).
    """
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return " ".join(NOT_IN_NAMES.sub(" ", plain).split())


# -- checks, in the order in which they are made --------------------------------------------------------------------


def members_have_their_types(application: Application) -> None:
    """Refuse texts that are none, and lists of anything else."""
    for name in TEXTS:
        if not isinstance(application.metadata.get(name, ""), str):
            raise MetadataRefused(f"The member {name} is not a string.")
    for name in LISTS:
        value = application.metadata.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise MetadataRefused(f"The member {name} is not a list of strings.")


def statement_is_absent(application: Application) -> None:
    """Refuse a software statement, which would have to outrank what is said beside it (section 2.3)."""
    statement = application.metadata.get("software_statement")
    if statement is not None:
        parts = str(statement).split(".")
        raise StatementUnapproved if len(parts) == 3 and all(parts[:2]) else StatementRefused  # noqa: PLR2004 - a JWT's


def nothing_is_asked_in_vain(application: Application) -> None:
    """Refuse what would not be kept: keys of clients, signed or encrypted answers, other kinds of subjects."""
    for name, asks_for_nothing in UNMET.items():
        if name in application.metadata and not asks_for_nothing(application.metadata[name]):
            raise MetadataRefused(f"The member {name} is not supported with this value.")


def name_can_be_shown(application: Application) -> None:
    """Refuse a name that is too long, or has characters that hide, or turn what stands beside them round."""
    name = application.metadata.get("client_name")
    if name is not None and (not name.strip() or len(name) > client_rules.NAME_LENGTH or not name.isprintable()):
        raise MetadataRefused("The client_name holds 1 to 128 printable characters.")


def grants_are_allowed(application: Application) -> None:
    """Refuse grants that are none, that the pool does not let apps register for, or that no app has together."""
    grants = application.metadata.get("grant_types")
    if grants is not None and (not grants or not FLOWS.keys() >= set(grants)):
        raise MetadataRefused("The grant_types are authorization_code with refresh_token, or client_credentials.")
    if grants is not None and "refresh_token" in grants and "authorization_code" not in grants:
        raise MetadataRefused("The grant refresh_token needs authorization_code beside it.")
    if len(application.flows) > 1:
        raise MetadataRefused("The grant client_credentials goes with no other.")
    if not application.allowed_flows.issuperset(application.flows):
        raise MetadataRefused("The grant_types are not allowed here.")


def response_types_fit(application: Application) -> None:
    """Refuse response types that the grants do not have (section 2.1)."""
    asked, own = application.metadata.get("response_types"), RESPONSE_TYPES[application.flows[0]]
    if asked is not None and tuple(dict.fromkeys(asked)) != own:
        raise MetadataRefused("The response_types do not fit the grant_types.")


def method_fits(application: Application) -> None:
    """Refuse ways to prove oneself that are not there, and none of a machine."""
    if application.method not in METHODS:
        raise MetadataRefused("The token_endpoint_auth_method is client_secret_basic, client_secret_post or none.")
    if application.method == "none" and "client_credentials" in application.flows:
        raise MetadataRefused("The grant client_credentials needs a client secret.")


def browsers_may_be_sent_back(application: Application) -> None:
    """Refuse redirect URIs that no app may have, and none where people come back."""
    uris = application.texts("redirect_uris")
    if not uris and "code" in application.flows:
        raise RedirectRefused("The redirect_uris are missing.")
    if problem := problem_of(uris):
        raise RedirectRefused(f"A redirect URI cannot be used: {problem}.")
    if problem := problem_of(application.texts("post_logout_redirect_uris")):
        raise MetadataRefused(f"One of the post_logout_redirect_uris cannot be used: {problem}.")


def problem_of(uris: Sequence[str]) -> str:
    """Return what is wrong with addresses, empty where nothing is: no more than ASCII (RFC 3986), and as all apps'."""
    if len(uris) > client_rules.MAX_URLS:
        return "there are more than 100"
    if not all(uri.isascii() for uri in uris):
        return "addresses are ASCII"
    codes = filter(None, map(client_rules.redirect_problem, uris))
    return next((client_rules.URL_PROBLEMS[code] for code in codes), "")


def scopes_are_allowed(application: Application) -> None:
    """Refuse scopes beside OpenID Connect's that the pool does not allow, and ever the one that lets register."""
    allowed = {*OPENID_SCOPES, *application.pool.registration_scopes} - {client_rules.REGISTER_SCOPE}
    if not application.scopes:
        raise MetadataRefused("The scope is missing: a machine names what it asks for.")
    if not allowed.issuperset(application.scopes):
        raise MetadataRefused("A scope is not known or not allowed.")


CHECKS = (
    members_have_their_types,
    statement_is_absent,
    nothing_is_asked_in_vain,
    name_can_be_shown,
    grants_are_allowed,
    response_types_fit,
    method_fits,
    browsers_may_be_sent_back,
    scopes_are_allowed,
)


# -- registration ----------------------------------------------------------------------------------------------------


def register(pool: UserPool, metadata: Mapping[str, Any], *, registered: Registered, by: Actor) -> dict[str, Any]:
    """Make the app that metadata describes; return what it is registered with, its secret included (section 3.2.1).

    Raises:
        RegistrationRefused: the pool lets nobody register so.
        MetadataRefused, RedirectRefused, StatementRefused, StatementUnapproved: the metadata cannot be had.
        LimitExceeded: the pool has too many apps, or too many that registered so.
        PoolNotFound: the pool was deleted meanwhile.

    """
    flows = allowed_flows(pool, registered)
    if not flows:
        raise RegistrationRefused
    given = {name: value for name, value in metadata.items() if value is not None}
    application = Application(pool, given, registered, flows)
    for check in CHECKS:
        check(application)
    try:
        client = app_clients.create(
            pool, application.name, settings=settings_of(application), registered=registered, by=by
        )
    except (Invalid, ScopeUnknown) as problem:
        raise MetadataRefused(detail=problem.message) from None
    return document(client, application)


def settings_of(application: Application) -> dict[str, Any]:
    """Return the settings that an app gets by registering."""
    after_logout = application.texts("post_logout_redirect_uris")
    return {
        "generate_secret": application.method != "none",
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_flows": application.flows,
        "allowed_oauth_scopes": application.scopes,
        "callback_urls": application.texts("redirect_uris"),
        # Where anybody may register, nobody is sent on after signing out: /logout would lead wherever they like.
        "logout_urls": [] if application.registered == Registered.OPENLY else after_logout,
        "supported_identity_providers": ["COGNITO"],
        "explicit_auth_flows": ["ALLOW_REFRESH_TOKEN_AUTH"],
        "prevent_user_existence_errors": "ENABLED",
        "read_attributes": sorted(app_clients.READABLE),
        "write_attributes": sorted(app_clients.WRITABLE),
        "openid_strict": True,
    }


def document(client: AppClient, application: Application) -> dict[str, Any]:
    """Return an app's registration: its id, its secret, and all metadata that is registered, defaults included."""
    [flow] = client.oauth_flows
    secrets = client_secrets.values(client)
    addresses = {"redirect_uris": client.callback_urls, "post_logout_redirect_uris": client.logout_urls}
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        **({"client_secret": secrets[0], "client_secret_expires_at": 0} if secrets else {}),
        "client_name": client.name,
        **{name: urls for name, urls in addresses.items() if urls},
        "grant_types": list(GRANT_TYPES[flow]),
        "response_types": list(RESPONSE_TYPES[flow]),
        "token_endpoint_auth_method": application.method,
        "scope": " ".join(client.scopes),
    }
