"""An installation that knows the providers of the public, two OpenID and two SAML providers, and their logins."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError
from joserfc.jwk import RSAKey

from identity.foundation import clock
from pools.services.pools import signing_keys
from tests import servers
from tests.federation.assertions import CORP, described, response
from tests.federation.emulator import Answerer, Asked, Emulator, Reply, running, told
from tests.federation.openid_provider import public, rsa_key, signed, without_none
from tests.federation.saml.identity_provider import ACS, AUDIENCE, Edit, nothing
from tests.federation.servers import Told, serving
from tests.federation.social_emulator import AMAZON_ID, APPLE_ID, FACEBOOK_ID, GOOGLE_ID, SocialProviders
from tests.federation.test_sts import GIVEN
from tests.live import Live

ACCOUNT = "000000000000"
ROLE, ADMIN_ROLE = "arn:aws:iam:::role/Member", "arn:aws:iam:::role/Admin"
GOOGLE, APPLE, FACEBOOK, AMAZON = "accounts.google.com", "appleid.apple.com", "graph.facebook.com", "www.amazon.com"
REALM, AWAY = "realm", "away"
CLIENT, SECOND = "the-client", "the-second"
APPLICATIONS = {GOOGLE: GOOGLE_ID, APPLE: APPLE_ID, FACEBOOK: FACEBOOK_ID, AMAZON: AMAZON_ID, REALM: CLIENT}
SIGNED = (GOOGLE, APPLE, REALM)
ASKED = (FACEBOOK, AMAZON)
ISSUERS = {GOOGLE: "https://accounts.google.com", APPLE: "https://appleid.apple.com"}
KEYS = {GOOGLE: "google", APPLE: "apple", REALM: "realm"}


class Realm(Emulator):
    """An OpenID provider beneath a path whose end looks like the id of a user pool."""

    path = "/realms/our_realm"

    def routes(self) -> Mapping[str, Answerer]:
        """Return what answers."""
        return {
            f"GET {self.path}/.well-known/openid-configuration": lambda _: told(
                {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
            ),
            f"GET {self.path}/keys": self.keys,
        }

    @property
    def issuer(self) -> str:
        """Return what it calls itself."""
        return self.url + self.path

    def keys(self, asked: Asked) -> Reply:
        """Tell the key."""
        self.expect(asked, ())
        return told({"keys": [public(rsa_key(KEYS[REALM]))]})


class World:
    """The installation, and identity pools of it."""

    def __init__(self, live: Live, url: str, social: SocialProviders, realm: Realm, sts: Told, away: str) -> None:
        """Know them."""
        self.live, self.social, self.realm, self.sts, self.away = live, social, realm, sts, away
        self.identity = live.boto("cognito-identity", url=url)
        self.public = live.boto("cognito-identity", url=url, signed=False)
        self.idp = live.boto(url=url)
        for client in (self.identity, self.public, self.idp):
            client.meta.events.register("before-sign", self.host)
        self.sent: list[str] = []
        """Every token that was made."""

    def host(self, request: Any, **_given: Any) -> None:  # noqa: ANN401 - boto3's own
        """Name the installation, whose second process this is, in a request."""
        request.headers["Host"] = urlsplit(self.live.base_url).netloc

    def name(self, provider: str) -> str:
        """Return what a provider is called in ``Logins``."""
        issuers = {REALM: self.realm.issuer, AWAY: self.away}
        return issuers[provider].partition("://")[2] if provider in issuers else provider

    def arn(self, provider: str) -> str:
        """Return the ARN of an OpenID provider."""
        return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{self.name(provider)}"

    def pool(self, *providers: str, **settings: Any) -> str:
        """Make an identity pool that has these providers (all, where none is named), and a role."""
        named = providers or tuple(APPLICATIONS)
        made: str = self.identity.create_identity_pool(
            **{
                "IdentityPoolName": "test",
                "AllowUnauthenticatedIdentities": True,
                "AllowClassicFlow": True,
                "SupportedLoginProviders": {name: APPLICATIONS[name] for name in named if name not in {REALM, AWAY}},
                "OpenIdConnectProviderARNs": [self.arn(name) for name in named if name in {REALM, AWAY}],
                **settings,
            }
        )["IdentityPoolId"]
        self.identity.set_identity_pool_roles(IdentityPoolId=made, Roles={"authenticated": ROLE})
        return made

    def assertion(self, subject: str = "ada", edit: Edit = nothing, **provider: Any) -> str:
        """Return a response of the SAML provider about somebody."""
        made = response(subject, edit, **provider)
        self.sent.append(made)
        return made

    def claims(self, provider: str, subject: str, **changes: Any) -> dict[str, Any]:
        """Return an ID token's claims; None leaves one out."""
        now = clock.epoch()
        issuers = {**ISSUERS, REALM: self.realm.issuer, AWAY: self.away}
        about = {"iss": issuers[provider], "sub": subject, "aud": APPLICATIONS.get(provider, CLIENT)}
        return without_none({**about, "iat": now, "exp": now + 600, **changes})

    def token(self, provider: str, subject: str, **changes: Any) -> str:
        """Return a login of somebody at a provider; ``aud`` and other claims may be changed."""
        if provider in ASKED:
            made = f"{secrets.token_urlsafe(24)}|x"
            self.social.tokens[made], self.social.people[made] = changes.get("aud", APPLICATIONS[provider]), subject
        else:
            key = KEYS.get(provider, "realm")
            made = signed(self.claims(provider, subject, **changes), {"alg": "RS256", "kid": key}, rsa_key(key))
        self.sent.append(made)
        return made

    def forged(self, provider: str, header: Mapping[str, Any], key: Any, **changes: Any) -> str:  # noqa: ANN401
        """Return an ID token with any header, signed by any key."""
        made = signed(self.claims(provider, "ada", **changes), header, key)
        self.sent.append(made)
        return made

    def logins(self, **subjects: str) -> dict[str, str]:
        """Return logins by ``google=``, ``realm=`` and so on."""
        providers = {"google": GOOGLE, "apple": APPLE, "facebook": FACEBOOK, "amazon": AMAZON, "realm": REALM}
        return {self.name(providers[who]): self.token(providers[who], subject) for who, subject in subjects.items()}

    def get_id(self, pool: str, logins: Mapping[str, str]) -> str:
        """Return the identity of logins."""
        found: str = self.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
        return found

    def given(self, identity: str, logins: Mapping[str, str]) -> dict[str, Any]:
        """Return the claims of the token that an identity is given."""
        token = self.public.get_open_id_token(IdentityId=identity, Logins=logins)["Token"]
        return dict(signing_keys.unverified_claims(token))

    def role(self, pool: str, logins: Mapping[str, str]) -> str:
        """Return the role that the STS is asked for."""
        identity = self.get_id(pool, logins)
        found = self.public.get_credentials_for_identity(IdentityId=identity, Logins=logins)
        assert found["Credentials"]["AccessKeyId"] == "ASIAKEY"
        return parse_qs(self.sts.asked[-1].decode())["RoleArn"][0]

    def refused(self, pool: str, provider: str, token: str) -> tuple[str, str]:
        """Return why a login is refused."""
        return refusal(self.public.get_id, IdentityPoolId=pool, Logins={self.name(provider): token})


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:  # noqa: ANN401 - a boto3 method
    """Return code and text of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"].removesuffix("Exception"), error["Message"]


@contextmanager
def installation(live: Live) -> Iterator[World]:
    """Run it. No token that was brought to it is in its log afterwards."""
    social, realm, away = SocialProviders(), Realm(), f"http://127.0.0.1:{servers.free_port()}"
    answers = serving(Told(body=GIVEN, headers={"content-type": "text/xml"}))
    with running(social), running(realm), answers as sts, tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder) / "idp.xml"
        metadata.write_text(described())
        trusted = f"{realm.issuer}/={CLIENT},{SECOND}; {away}={CLIENT}; https://accounts.google.com=mobile-app"
        saml = f"{CORP}={metadata},{AUDIENCE},{ACS}\n{CORP}.away={away}"
        with live.second_web(
            SOCIAL_PROVIDERS_URL=social.url,
            OPENID_PROVIDERS=trusted,
            SAML_PROVIDERS=saml,
            STS_ENDPOINT_URL=sts.url,
        ) as url:
            world = World(live, url, social, realm, sts, away)
            yield world
    log = live.log("web2")
    assert log
    assert [token for token in world.sent if token in log] == []


def stranger() -> RSAKey:
    """Return a key that no provider has."""
    return rsa_key("stranger")
