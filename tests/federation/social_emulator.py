"""Google, Facebook, Amazon and Apple on loopback, each under the names of its own hosts, as they describe themselves.

Strict where they are strict and where they should be: secrets, codes, PKCE where it is sent, Apple's signed secret and
posted answer, Facebook's commas and proof. Whatever is sent beyond what is expected is a complaint, which fails a test.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from identity.foundation import clock
from tests.federation.emulator import Answerer, Asked, Emulator, Reply, sent_on, told
from tests.federation.openid_provider import half_hash, public, rsa_key, signed, without_none

SECRET = "an app's s3cret"
GOOGLE_ID, FACEBOOK_ID = "1example.apps.googleusercontent.com", "1234567890123456"
AMAZON_ID, APPLE_ID = "amzn1.application-oa2-client.1example", "com.example.web"
AMAZON_APP = "amzn1.application.1example"
"""What else Amazon calls the application: its own identity pools are given this one."""
TEAM, KEY = "TEAM123456", "KEY1234567"
APPLE_KEY = ec.generate_private_key(ec.SECP256R1())
HALF_A_YEAR = 15_777_000
WAY = ("response_type", "client_id", "redirect_uri", "scope", "state")
PROOF = ("code_challenge", "code_challenge_method")
TRADE = ("grant_type", "code", "redirect_uri", "client_id", "client_secret")


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """Return a key as Apple's file has it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class SocialProviders(Emulator):
    """All four. ``denies`` has each of them say no; ``claims`` and ``person`` change what they tell."""

    def __init__(self) -> None:
        """Have met nobody."""
        super().__init__()
        self.denies = False
        self.claims: dict[str, Any] = {}
        """Changes of ID tokens; None leaves a claim out."""
        self.person: dict[str, Any] = {}
        """Changes of what is told of the person elsewhere."""
        self.known_to_apple: set[str] = set()
        """Apps to which Apple has told a name before."""
        self.tokens: dict[str, str] = {}
        """Apps by the access tokens that they were given."""
        self.people: dict[str, str] = {}
        """Whose access tokens are that are nobody's usual."""

    def routes(self) -> Mapping[str, Answerer]:
        """Return what answers."""
        return {
            "GET /accounts.google.com/o/oauth2/v2/auth": self.google_authorize,
            "POST /www.googleapis.com/oauth2/v4/token": self.google_token,
            "GET /www.googleapis.com/oauth2/v3/certs": lambda _: told({"keys": [public(rsa_key("google"))]}),
            "GET /people.googleapis.com/v1/people/me": self.google_person,
            "GET /openidconnect.googleapis.com/v1/userinfo": self.google_userinfo,
            "GET /www.facebook.com/v17.0/dialog/oauth": self.facebook_authorize,
            "GET /graph.facebook.com/v17.0/oauth/access_token": self.facebook_token,
            "POST /graph.facebook.com/v17.0/oauth/access_token": self.facebook_token,
            "GET /graph.facebook.com/v17.0/me": self.facebook_person,
            "GET /graph.facebook.com/v17.0/app": self.facebook_app,
            "GET /www.amazon.com/ap/oa": self.amazon_authorize,
            "POST /api.amazon.com/auth/o2/token": self.amazon_token,
            "GET /api.amazon.com/auth/o2/tokeninfo": self.amazon_tokeninfo,
            "GET /api.amazon.com/user/profile": self.amazon_person,
            "GET /appleid.apple.com/auth/authorize": self.apple_authorize,
            "POST /appleid.apple.com/auth/token": self.apple_token,
            "GET /appleid.apple.com/auth/keys": lambda _: told({"keys": [public(rsa_key("apple"))]}),
        }

    def given(self, asked: Asked, verifies: bool) -> Asked | None:
        """Return the request that a code was given for, and know its access token; None for a code that is none."""
        begun = self.redeem(asked, verifies=verifies)
        if begun is not None:
            self.tokens[self.access_token(asked)] = asked["client_id"]
        return begun

    def access_token(self, asked: Asked) -> str:
        """Return an access token for an app."""
        return f"token-of-{asked['client_id']}"

    def id_token(self, key: str, issuer: str, begun: Asked, subject: str, **claims: Any) -> str:
        """Return an ID token of a provider for whoever began a trip."""
        now = clock.epoch()
        made = {
            "iss": issuer,
            "aud": begun["client_id"],
            "sub": subject,
            "nonce": begun["nonce"],
            "iat": now,
            "exp": now + 600,
            "at_hash": half_hash(self.access_token(begun)),
            **claims,
            **self.claims,
        }
        return signed(without_none(made), {"alg": "RS256", "kid": key}, rsa_key(key))

    # -- Google (OpenID Connect; People API) -------------------------------------------------------------------------

    def google_authorize(self, asked: Asked) -> Reply:
        """Send back with more than was asked for, as Google does."""
        self.expect(asked, (*WAY, *PROOF, "nonce"), ("login_hint", "prompt"))
        self.check("openid" in asked["scope"].split(), "google: no openid")
        if self.denies:
            return sent_on(asked["redirect_uri"], error="access_denied", state=asked["state"])
        beside = {"scope": asked["scope"], "authuser": "0", "hd": "id.example", "prompt": "none"}
        iss = "https://accounts.google.com"
        return sent_on(asked["redirect_uri"], state=asked["state"], iss=iss, code=self.code(asked), **beside)

    def google_token(self, asked: Asked) -> Reply:
        """Trade a code."""
        self.expect(asked, (*TRADE, "code_verifier"))
        begun = self.given(asked, verifies=True)
        if begun is None or asked["client_secret"] != SECRET:
            return told({"error": "invalid_grant", "error_description": "Bad Request"}, 400)
        claims = {"email": "ada@id.example", "email_verified": True, "hd": "id.example", "name": "Ada"}
        token = self.id_token("google", "https://accounts.google.com", begun, "108204", **claims, azp=GOOGLE_ID)
        answer = {"access_token": self.access_token(asked), "expires_in": 3599, "token_type": "Bearer"}
        return told({**answer, "scope": begun["scope"], "id_token": token})

    def google_person(self, asked: Asked) -> Reply:
        """Tell the fields that are asked for."""
        self.expect(asked, ("personFields",))
        self.check(asked.bearer in self.tokens, "people: another token")
        known = {
            "birthdays": [
                {"date": {"month": 12, "day": 10}},
                {"metadata": {"primary": True}, "date": {"year": 1815, "month": 12, "day": 10}},
            ],
            "phoneNumbers": [{"value": "+44 20 1"}, {"metadata": {"primary": True}, "value": "+44 20 2"}],
            "nicknames": [],
            "locales": [{"metadata": {"primary": True}, "value": "en"}],
        }
        wanted = {name: known[name] for name in asked["personFields"].split(",") if name in known}
        return told({"resourceName": "people/108204", **wanted, **self.person})

    def google_userinfo(self, asked: Asked) -> Reply:
        """Tell of the person as OpenID Connect has it."""
        self.expect(asked, ())
        return told({"sub": "108204", "picture": "https://id.example/ada.png", **self.person})

    # -- Facebook (Facebook Login, manual flow; Graph API) -----------------------------------------------------------

    def facebook_authorize(self, asked: Asked) -> Reply:
        """Send back with the fragment that Facebook adds."""
        self.expect(asked, WAY)
        self.check(re.fullmatch(r"[a-z_]+(,[a-z_]+)*", asked["scope"]), "facebook: scopes without commas")
        place = f"{asked['redirect_uri']}#_=_"
        if self.denies:
            no = {"error_reason": "user_denied", "error_code": "200", "error_description": "Permissions error"}
            return sent_on(place, state=asked["state"], error="access_denied", **no)
        return sent_on(place, state=asked["state"], code=self.code(asked))

    def facebook_token(self, asked: Asked) -> Reply:
        """Trade a code, or refuse it with an object."""
        self.expect(asked, TRADE)
        if self.given(asked, verifies=False) is None:
            error = {"message": "This authorization code has been used.", "type": "OAuthException", "code": 100}
            return told({"error": {**error, "error_subcode": 36009, "fbtrace_id": "A"}}, 400)
        self.check(asked["client_secret"] == SECRET, "facebook: another secret")
        return told({"access_token": self.access_token(asked), "token_type": "bearer", "expires_in": 5_183_944})

    def facebook_person(self, asked: Asked) -> Reply:
        """Tell the fields that are asked for, to whoever proves to be the app; who it is, to whoever has the token."""
        if asked["fields"] == "id":
            return self.facebook_id(asked, self.people.get(asked.bearer, "10159"))
        self.expect(asked, ("fields", "appsecret_proof"))
        proof = hmac.new(SECRET.encode(), asked.bearer.encode(), hashlib.sha256).hexdigest()
        self.check(asked.bearer in self.tokens, "facebook: another token")
        self.check(asked["appsecret_proof"] == proof, "facebook: no proof")
        known = {
            "id": "10159",
            "name": "Ada Lovelace",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "email": "ada@id.example",
            "picture": {"data": {"url": "https://id.example/ada.png", "is_silhouette": False}},
        }
        wanted = {name: known[name] for name in asked["fields"].split(",") if name in known}
        return told(without_none({**wanted, **self.person}))

    def facebook_app(self, asked: Asked) -> Reply:
        """Tell the app that a token was given to."""
        return self.facebook_id(asked, self.tokens.get(asked.bearer, ""))

    def facebook_id(self, asked: Asked, found: str) -> Reply:
        """Tell an id to whoever has a token that is one."""
        self.expect(asked, ("fields",))
        if asked.bearer not in self.tokens:
            return told({"error": {"message": "Malformed access token", "type": "OAuthException", "code": 190}}, 400)
        return told(without_none({"id": found, **self.person}))

    # -- Login with Amazon -------------------------------------------------------------------------------------------

    def amazon_authorize(self, asked: Asked) -> Reply:
        """Send back."""
        self.expect(asked, (*WAY, *PROOF))
        self.check(" " not in asked["scope"] or "," not in asked["scope"], "amazon: scopes with commas")
        if self.denies:
            no = {"error": "access_denied", "error_description": "Access not permitted."}
            return sent_on(asked["redirect_uri"], state=asked["state"], **no)
        return sent_on(asked["redirect_uri"], state=asked["state"], code=self.code(asked), scope=asked["scope"])

    def amazon_token(self, asked: Asked) -> Reply:
        """Trade a code."""
        self.expect(asked, (*TRADE, "code_verifier"))
        if self.given(asked, verifies=True) is None or asked["client_secret"] != SECRET:
            return told({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        return told({"access_token": self.access_token(asked), "token_type": "bearer", "expires_in": 3600})

    def amazon_tokeninfo(self, asked: Asked) -> Reply:
        """Tell whose a token is, and whom it was given to."""
        self.expect(asked, ("access_token",))
        client = self.tokens.get(asked["access_token"])
        if client is None:
            return told({"error": "invalid_token"}, 400)
        who = self.people.get(asked["access_token"], "amzn1.account.ADA")
        about = {"iss": "https://www.amazon.com", "user_id": who, "aud": client, "exp": 3597}
        return told(without_none({**about, "app_id": AMAZON_APP, "iat": 3, **self.claims}))

    def amazon_person(self, asked: Asked) -> Reply:
        """Tell of the person."""
        self.expect(asked, ())
        self.check(asked.bearer in self.tokens, "amazon: another token")
        known = {"user_id": "amzn1.account.ADA", "name": "Ada", "email": "ada@id.example", "postal_code": "98052"}
        return told(without_none({**known, **self.person}))

    # -- Sign in with Apple ------------------------------------------------------------------------------------------

    def apple_authorize(self, asked: Asked) -> Reply:
        """Have the browser post the answer; the first time with what the person chose to be called."""
        self.expect(asked, (*WAY, "nonce", "response_mode"))
        self.check(asked["response_mode"] == "form_post", "apple: answers are posted to whoever asks for a name")
        fields = {"state": asked["state"]}
        if self.denies:
            fields |= {"error": "user_cancelled_authorize"}
        else:
            fields |= {"code": self.code(asked)}
            if asked["client_id"] not in self.known_to_apple:
                self.known_to_apple.add(asked["client_id"])
                name = {"firstName": "Ada", "lastName": "Lovelace"}
                fields |= {"user": json.dumps({"name": name, "email": "forged@elsewhere.example"})}
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items()
        )
        page = f'<form method="post" action="{html.escape(asked["redirect_uri"])}">{inputs}</form>'
        return Reply(200, page.encode(), {"content-type": "text/html; charset=utf-8"})

    def apple_token(self, asked: Asked) -> Reply:
        """Trade a code for whoever signs a secret as Apple wants it."""
        self.expect(asked, TRADE)
        if problem := self.secret_problem(asked["client_secret"]):
            self.check(holds=False, words=f"apple: {problem}")
            return told({"error": "invalid_client"}, 400)
        begun = self.given(asked, verifies=False)
        if begun is None:
            return told({"error": "invalid_grant"}, 400)
        claims = {"email": "x7@privaterelay.appleid.com", "email_verified": "true", "is_private_email": "true"}
        token = self.id_token("apple", "https://appleid.apple.com", begun, "001.ada.7", **claims, nonce_supported=True)
        answer = {"access_token": self.access_token(asked), "token_type": "Bearer", "expires_in": 3600}
        return told({**answer, "refresh_token": "r", "id_token": token})

    def secret_problem(self, secret: str) -> str:
        """Return what is wrong with a client secret; empty where nothing is (Creating a client secret)."""
        try:
            token = jwt.decode(secret, ECKey.import_key(APPLE_KEY.public_key()), algorithms=["ES256"])
        except (JoseError, ValueError) as problem:
            return f"a secret that is none: {problem}"
        now, claims = clock.epoch(), token.claims
        rules = {
            "kid": token.header.get("kid") == KEY,
            "iss": claims.get("iss") == TEAM,
            "sub": claims.get("sub") == APPLE_ID,
            "aud": claims.get("aud") == "https://appleid.apple.com",
            "iat": isinstance(claims.get("iat"), int) and claims["iat"] <= now,
            "exp": isinstance(claims.get("exp"), int) and now < claims["exp"] <= now + HALF_A_YEAR,
        }
        return ", ".join(name for name, holds in rules.items() if not holds)
