"""What the details of a provider may hold, what is filled in, and in whose words the rest is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pytest_django import Settings

from federation import discovery
from identity.foundation import destinations
from identity.foundation.errors import Invalid
from pools import ports
from tests.federation.social_emulator import pem

NEEDED = {"client_id": "the-client", "client_secret": "s3cret and more", "authorize_scopes": "email profile"}
OIDC = {
    "client_id": "the-client",
    "authorize_scopes": "openid email",
    "oidc_issuer": "https://upstream.example",
    "attributes_request_method": "GET",
}
MANUAL = {
    "authorize_url": "https://upstream.example/authorize",
    "token_url": "https://upstream.example/token",
    "attributes_url": "https://upstream.example/me?fields=all",
    "jwks_uri": "https://upstream.example/keys",
}


FILE = pem(ec.generate_private_key(ec.SECP256R1()))
BODY = "".join(FILE.splitlines()[1:-1])
APPLE = {
    "client_id": "com.example.web",
    "team_id": "TEAM123456",
    "key_id": "KEY1234567",
    "private_key": BODY,
    "authorize_scopes": "email name",
}
MINIMAL = {
    "OIDC": {**OIDC, **MANUAL},
    "Google": NEEDED,
    "Facebook": {**NEEDED, "authorize_scopes": "public_profile, email"},
    "LoginWithAmazon": NEEDED,
    "SignInWithApple": APPLE,
}
FILLED_IN = {
    # As DescribeIdentityProvider tells them (botocore, CreateIdentityProviderRequest$ProviderDetails).
    "OIDC": {"attributes_url_add_attributes": "false"},
    "Google": {
        "attributes_url": "https://people.googleapis.com/v1/people/me?personFields=",
        "attributes_url_add_attributes": "true",
        "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
        "oidc_issuer": "https://accounts.google.com",
        "token_request_method": "POST",
        "token_url": "https://www.googleapis.com/oauth2/v4/token",
    },
    "Facebook": {
        "api_version": "v17.0",
        "attributes_url": "https://graph.facebook.com/v17.0/me?fields=",
        "attributes_url_add_attributes": "true",
        "authorize_url": "https://www.facebook.com/v17.0/dialog/oauth",
        "token_request_method": "GET",
        "token_url": "https://graph.facebook.com/v17.0/oauth/access_token",
    },
    "LoginWithAmazon": {
        "attributes_url": "https://api.amazon.com/user/profile",
        "attributes_url_add_attributes": "false",
        "authorize_url": "https://www.amazon.com/ap/oa",
        "token_request_method": "POST",
        "token_url": "https://api.amazon.com/auth/o2/token",
    },
    "SignInWithApple": {
        "attributes_url_add_attributes": "false",
        "authorize_url": "https://appleid.apple.com/auth/authorize",
        "oidc_issuer": "https://appleid.apple.com",
        "token_request_method": "POST",
        "token_url": "https://appleid.apple.com/auth/token",
    },
}


@pytest.fixture(autouse=True)
def in_production(settings: Settings) -> Iterator[None]:
    """Allow nothing that only development allows, and hold nothing of earlier tests."""
    settings.INSECURE_PROVIDERS = False
    destinations.permits.cache_clear()
    discovery.documents.forget_everything()
    yield
    destinations.permits.cache_clear()
    discovery.documents.forget_everything()


def refusal(kind: str, details: dict[str, str]) -> Invalid:
    """Return why a provider's details are refused."""
    with pytest.raises(Invalid) as caught:
        ports.provider_kinds[kind].check_details(details)
    return caught.value


@pytest.mark.parametrize("kind", MINIMAL)
def test_what_was_given_is_kept_and_what_amazon_fills_in_is_added(kind: str) -> None:
    completed = ports.provider_kinds[kind].check_details(MINIMAL[kind])

    assert completed == {**MINIMAL[kind], **FILLED_IN[kind]}
    assert ports.provider_kinds[kind].check_details(completed) == completed


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        *(
            (
                "OIDC",
                key,
                "clientId, authorizeScopes, oidcIssuer and attributesRequestMethod are all required idp details.",
            )
            for key in ("client_id", "authorize_scopes", "oidc_issuer", "attributes_request_method")
        ),
        *(
            (kind, key, "clientId, clientSecret and authorizeScopes are all required idp details.")
            for kind in ("Google", "Facebook", "LoginWithAmazon")
            for key in ("client_id", "client_secret", "authorize_scopes")
        ),
        *(
            ("SignInWithApple", key, "clientId, privateKey, teamId, and keyId are all required idp details.")
            for key in APPLE
        ),
    ],
)
@pytest.mark.parametrize("empty", [True, False])
def test_a_required_detail_that_is_missing_or_empty_is_refused_in_amazons_words(
    kind: str, key: str, text: str, empty: bool
) -> None:
    details = {**MINIMAL[kind], key: ""}
    if not empty:
        del details[key]

    refused = refusal(kind, details)

    assert (refused.message, refused.code, refused.field) == (text, "missing_detail", f"provider_details.{key}")


URL_KEYS = [
    (kind, key) for kind, filled in {**FILLED_IN, "OIDC": MANUAL}.items() for key in filled if key.endswith("url")
]


@pytest.mark.parametrize(("kind", "key"), [*URL_KEYS, ("OIDC", "jwks_uri"), ("OIDC", "oidc_issuer")])
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://upstream.example/x", "not_https"),
        ("ftp://upstream.example/x", "not_https"),
        ("javascript:alert(1)", "not_https"),
        ("upstream.example/x", "not_https"),
        ("https:", "url"),
        ("https://", "url"),
        ("https://runner:hunter2@upstream.example/x", "url"),
        ("https://upstream.example/x#part", "url"),
        ("https://upstream.example/a b", "url"),
        ("https://upstream.example\\@elsewhere.example/x", "url"),
        ("https://upstream.example/\nx", "url"),
        ("https://upstream.example:0/x", "url"),
        ("https://upstream.example:99999/x", "url"),
        ("https://[::1/x", "url"),
        ("https://upstr\u00e9am.example/x", "url"),
        (f"https://upstream.example/{'x' * 2048}", "url"),
    ],
)
def test_an_endpoint_is_an_https_address_and_nothing_else(kind: str, key: str, url: str, code: str) -> None:
    refused = refusal(kind, {**MINIMAL[kind], key: url})

    assert (refused.code, refused.field) == (code, f"provider_details.{key}")
    if code == "not_https":
        assert refused.message == "OIDC endpoint must start with https://"


def test_where_the_installation_allows_it_an_endpoint_may_be_http(settings: Settings) -> None:
    settings.INSECURE_PROVIDERS = True
    details = {**MINIMAL["OIDC"], "oidc_issuer": "http://localhost:9", "token_url": "http://localhost:9/token"}

    assert ports.provider_kinds["OIDC"].check_details(details)["token_url"] == "http://localhost:9/token"


def test_an_issuer_has_no_query() -> None:
    assert refusal("OIDC", {**MINIMAL["OIDC"], "oidc_issuer": "https://upstream.example?x=1"}).code == "url"


@pytest.mark.parametrize(
    ("kind", "key", "value", "code"),
    [
        *((kind, "colour", "red", "unknown_detail") for kind in MINIMAL),
        ("SignInWithApple", "client_secret", "s3cret", "unknown_detail"),
        ("SignInWithApple", "attributes_url", "https://appleid.apple.com/me", "unknown_detail"),
        ("Google", "jwks_uri", "https://www.googleapis.com/oauth2/v3/certs", "unknown_detail"),
        *(("OIDC", "client_id", value, "visible_characters") for value in (" a", "a ", "a\n", "\u00e9", "x" * 2049)),
        *((kind, "client_secret", "a\n", "visible_characters") for kind in MINIMAL if kind != "SignInWithApple"),
        *((kind, "authorize_scopes", 'open"id', "scopes") for kind in ("OIDC", "Google", "LoginWithAmazon")),
        *(("SignInWithApple", "authorize_scopes", value, "scopes") for value in ("email  name", "email name ", "e\tn")),
        *(("Facebook", "authorize_scopes", value, "form") for value in ("email,", ",email", "a,,b", "a;b", "Email")),
        *(("Facebook", "api_version", value, "form") for value in ("17.0", "v17", "v17.0/..", "v17.0\n", "v1234.0")),
        *(
            ("Google", "oidc_issuer", value, "form")
            for value in ("https://accounts.google.com/", "accounts.google.com")
        ),
        ("SignInWithApple", "oidc_issuer", "https://appleid.apple.com.example", "form"),
        ("Google", "token_request_method", "PUT", "not_among"),
        ("Google", "attributes_url_add_attributes", "yes", "not_among"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused(kind: str, key: str, value: str, code: str) -> None:
    refused = refusal(kind, {**MINIMAL[kind], key: value})

    assert (refused.code, refused.field) == (code, f"provider_details.{key}")
    assert refused.parameters["key"] == key


def test_an_unknown_request_method_is_refused_in_amazons_words() -> None:
    refused = refusal("OIDC", {**MINIMAL["OIDC"], "attributes_request_method": "PUT"})

    assert refused.message == (
        "1 validation error detected: Value 'PUT' at 'attributesRequestMethod' failed to satisfy constraint: "
        "Member must satisfy enum value set: [POST, GET]"
    )


@pytest.mark.parametrize("scopes", ["public_profile", "public_profile,email", "public_profile, email", "a_b c"])
def test_facebooks_scopes_are_taken_with_commas_as_with_spaces(scopes: str) -> None:
    details = {**MINIMAL["Facebook"], "authorize_scopes": scopes}

    assert ports.provider_kinds["Facebook"].check_details(details)["authorize_scopes"] == scopes


def test_facebooks_endpoints_follow_from_its_version_unless_given() -> None:
    mine = "https://graph.facebook.com/v6.0/oauth/access_token"

    completed = ports.provider_kinds["Facebook"].check_details(
        {**MINIMAL["Facebook"], "api_version": "v21.0", "token_url": mine}
    )

    assert completed["authorize_url"] == "https://www.facebook.com/v21.0/dialog/oauth"
    assert completed["attributes_url"] == "https://graph.facebook.com/v21.0/me?fields="
    assert completed["token_url"] == mine


@pytest.mark.parametrize(
    "key",
    [
        FILE,
        BODY,
        FILE.replace("\n", "\r\n"),
        FILE.replace("\n", "\\n"),
        f"{BODY}\n",
        "\n".join(FILE.splitlines()[1:-1]),
    ],
    ids=["file", "body", "windows", "spelled-out", "line-end", "lines"],
)
def test_apples_key_is_taken_as_its_file_and_as_the_body_of_it(key: str) -> None:
    details = {**APPLE, "private_key": key}

    assert ports.provider_kinds["SignInWithApple"].check_details(details)["private_key"] == key


PUBLIC = ec.generate_private_key(ec.SECP256R1()).public_key()
NO_KEYS = {
    "nonsense": "nonsense!",
    "other-base64": base64.b64encode(b"nonsense").decode(),
    "rsa": pem(rsa.generate_private_key(65537, 2048)),
    "p384": pem(ec.generate_private_key(ec.SECP384R1())),
    "public": PUBLIC.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
    "locked": ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    .decode(),
    "half": BODY[:80],
    "letters": "\u00e9" * 40,
    "huge": BODY + " " * 5000,
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_apples_key_is_one_for_es256(name: str) -> None:
    refused = refusal("SignInWithApple", {**APPLE, "private_key": NO_KEYS[name]})

    assert refused.message == "Provided private key cannot be used for Sign in with Apple."
    assert refused.code == "private_key"
    assert NO_KEYS[name] not in f"{refused.parameters}{refused.detail}"
