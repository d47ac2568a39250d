"""Kinds of identity providers as operators know them: names, the fields of their details, and where to find those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.utils.translation import gettext_lazy

from identity.console.tables import Text
from pools.services.providers import provider_rules


class Control(Enum):
    """How a detail is typed."""

    TEXT = "text"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105 - a kind of field
    FILE = "file"
    """Lines of a file, which are secret."""
    ONE_OF = "one of"


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail of a provider, as its form asks for it."""

    name: str
    label: Text
    help: Text = ""
    control: Control = Control.TEXT
    is_required: bool = True
    initial: str = ""
    options: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of provider."""

    type: str
    """Amazon's name of it."""
    slug: str
    label: Text
    about: Text
    where: Text
    """Where its details are found, and where the redirect URI has to be entered."""
    details: tuple[Detail, ...]
    endpoints: tuple[Detail, ...] = ()
    """Details that a provider tells of itself where it can."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Attributes of a pool, and the claims that usually hold them."""

    @property
    def is_social(self) -> bool:
        """Say whether a pool has one of it at most, by its own name."""
        return self.type in provider_rules.SOCIAL


def client_secret(label: Text, text: Text = "", *, is_required: bool = True) -> Detail:
    """Return the field of our secret at a provider."""
    return Detail("client_secret", label, text, Control.SECRET, is_required)


def endpoint(name: str, label: Text) -> Detail:
    """Return the field of an address that discovery tells."""
    return Detail(name, label, control=Control.ADDRESS, is_required=False)


SCOPES = gettext_lazy("Scopes")
SPACED = gettext_lazy("What is asked for, with a space between each two.")
CLIENT_ID, CLIENT_SECRET = gettext_lazy("Client ID"), gettext_lazy("Client secret")
USUAL = {
    "email": "email",
    "email_verified": "email_verified",
    "name": "name",
    "given_name": "given_name",
    "family_name": "family_name",
}
KINDS = (
    Kind(
        "OIDC",
        "oidc",
        gettext_lazy("OpenID Connect"),
        gettext_lazy("Any provider that speaks it: Okta, Auth0, Entra ID, Keycloak, another pool of Cognate."),
        gettext_lazy(
            "Register a web application at the provider, with the redirect URI above. It gives you a client ID, and a "
            "client secret if the application keeps one."
        ),
        (
            Detail(
                "oidc_issuer",
                gettext_lazy("Issuer"),
                gettext_lazy(
                    "The provider’s own address, as its tokens name it. Below it lies "
                    "/.well-known/openid-configuration, from which everything else is read."
                ),
                Control.ADDRESS,
            ),
            Detail("client_id", CLIENT_ID, gettext_lazy("What the provider calls this pool.")),
            client_secret(
                CLIENT_SECRET,
                gettext_lazy("Leave it empty for an application without one: the code is proven by PKCE alone."),
                is_required=False,
            ),
            Detail("authorize_scopes", SCOPES, SPACED, initial="openid email profile"),
            Detail(
                "attributes_request_method",
                gettext_lazy("Ask for userinfo by"),
                gettext_lazy("GET fits almost every provider."),
                Control.ONE_OF,
                initial="GET",
                options={"GET": "GET", "POST": "POST"},
            ),
        ),
        (
            endpoint("authorize_url", gettext_lazy("Authorization endpoint")),
            endpoint("token_url", gettext_lazy("Token endpoint")),
            endpoint("attributes_url", gettext_lazy("Userinfo endpoint")),
            endpoint("jwks_uri", gettext_lazy("Address of the keys (JWKS)")),
        ),
        mapping=USUAL,
    ),
    Kind(
        "Google",
        "google",
        "Google",
        gettext_lazy("People sign in with their Google account."),
        gettext_lazy(
            "In the Google Cloud console open APIs & Services, Credentials, and create an OAuth client ID of the type "
            "Web application. Enter the redirect URI above among its authorised redirect URIs."
        ),
        (
            Detail("client_id", CLIENT_ID, gettext_lazy("It ends with .apps.googleusercontent.com.")),
            client_secret(CLIENT_SECRET),
            Detail("authorize_scopes", SCOPES, SPACED, initial="openid email profile"),
        ),
        mapping={**USUAL, "picture": "picture"},
    ),
    Kind(
        "Facebook",
        "facebook",
        "Facebook",
        gettext_lazy("People sign in with their Facebook account."),
        gettext_lazy(
            "In Meta for Developers create an app with Facebook Login. Its ID and secret are under App settings, "
            "Basic; enter the redirect URI above among the Valid OAuth Redirect URIs."
        ),
        (
            Detail("client_id", gettext_lazy("App ID")),
            client_secret(gettext_lazy("App secret")),
            Detail(
                "authorize_scopes",
                gettext_lazy("Permissions"),
                gettext_lazy("What is asked for, with a comma between each two."),
                initial="public_profile,email",
            ),
            Detail(
                "api_version",
                gettext_lazy("Version of the Graph API"),
                gettext_lazy("For example v21.0. Leave it empty for v17.0."),
                is_required=False,
            ),
        ),
        mapping={"email": "email", "name": "name", "given_name": "first_name", "family_name": "last_name"},
    ),
    Kind(
        "LoginWithAmazon",
        "amazon",
        gettext_lazy("Login with Amazon"),
        gettext_lazy("People sign in with their Amazon account."),
        gettext_lazy(
            "In the developer console of Login with Amazon create a security profile. Its ID and secret are under Web "
            "Settings; enter the redirect URI above among the Allowed Return URLs."
        ),
        (
            Detail("client_id", CLIENT_ID, gettext_lazy("It begins with amzn1.application-oa2-client.")),
            client_secret(CLIENT_SECRET),
            Detail("authorize_scopes", SCOPES, SPACED, initial="profile"),
        ),
        mapping={"email": "email", "name": "name"},
    ),
    Kind(
        "SignInWithApple",
        "apple",
        gettext_lazy("Sign in with Apple"),
        gettext_lazy("People sign in with their Apple Account, and may hide their address."),
        gettext_lazy(
            "In Apple’s developer account, under Certificates, Identifiers & Profiles, make an App ID with Sign in "
            "with Apple, a Services ID with the redirect URI above as its Return URL, and a key."
        ),
        (
            Detail("client_id", gettext_lazy("Services ID"), gettext_lazy("Like com.example.web; not the App ID.")),
            Detail("team_id", gettext_lazy("Team ID"), gettext_lazy("At the top right of the developer account.")),
            Detail("key_id", gettext_lazy("Key ID"), gettext_lazy("Of the key that was made for it.")),
            Detail(
                "private_key",
                gettext_lazy("Private key"),
                gettext_lazy("The whole text of the .p8 file, which Apple lets you download once."),
                Control.FILE,
            ),
            Detail("authorize_scopes", SCOPES, SPACED, initial="email name"),
        ),
        mapping={
            "email": "email",
            "email_verified": "email_verified",
            "name": "name",
            "given_name": "firstName",
            "family_name": "lastName",
        },
    ),
)
BY_TYPE = {kind.type: kind for kind in KINDS}
BY_SLUG = {kind.slug: kind for kind in KINDS}


def label(provider_type: str) -> Text:
    """Return what operators call a kind; Amazon's name of one that has no form here."""
    kind = BY_TYPE.get(provider_type)
    return kind.label if kind is not None else provider_type
