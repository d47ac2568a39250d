"""Login with Amazon."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode, urljoin

from django.utils.translation import gettext_lazy

from federation import access_tokens, claims, json_answers
from federation import details as checks
from federation.code_flow import CodeFlow, Trip, attributes_url
from federation.detail_fields import CLIENT_ID, client_secret, scopes
from federation.refusals import forged
from federation.social import places
from identity.foundation import outbound
from identity.foundation.errors import LoginRefused
from pools.ports import ExternalIdentity, VerifiedLogin
from pools.ports.kinds import About, Detail

TOKEN_URL = "https://api.amazon.com/auth/o2/token"  # noqa: S105 - an address
APPLICATION = ("aud", "app_id")
"""How tokeninfo names an application: by its client id, and by the older id that identity pools are given at AWS."""
ABOUT = About(
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
        client_secret(),
        scopes("profile"),
    ),
    mapping={"email": "email", "name": "name"},
    subject_claim="user_id",
    is_social=True,
    button=gettext_lazy("Login with Amazon"),
    mark="hosted/marks/amazon.svg",
)


class LoginWithAmazon(CodeFlow):
    """``LoginWithAmazon``: OAuth 2.0 and a profile; no ID token."""

    about = ABOUT
    table = checks.of_social_network(
        {
            "attributes_url": "https://api.amazon.com/user/profile",
            "attributes_url_add_attributes": "false",
            "authorize_url": "https://www.amazon.com/ap/oa",
            "token_url": TOKEN_URL,
        },
    )

    def place(self, url: str) -> str:
        """Return where a URL is asked for."""
        return places.at(url)

    def identify(self, trip: Trip) -> ExternalIdentity:
        """Return whose profile it is, once Amazon has said that the token is for us (Login with Amazon, tokeninfo)."""
        token = trip.tokens.access_token
        told = tokeninfo(token, self.address(urljoin(trip.details["token_url"], "tokeninfo")))
        if told.get("aud") != trip.details["client_id"]:
            raise forged("tokeninfo: aud is somebody else")
        profile = json_answers.profile(
            self.address(attributes_url(trip.details, trip.wanted)), token=token, what="profile"
        )
        subject = profile.get("user_id")
        if not claims.is_subject(subject):
            raise forged("profile: user_id is missing")
        if told.get("user_id") != subject:
            raise forged("profile: user_id is somebody else")
        return ExternalIdentity(subject, profile)


class AmazonLogins:
    """Logins of identity pools: an access token, which Amazon says is an application's and whose it is."""

    def verify(self, token: str, *, audiences: Collection[str]) -> VerifiedLogin:
        """Return who a token is about. Raises as :meth:`pools.ports.LoginVerifier.verify`."""
        with access_tokens.asked_about(token):
            told = tokeninfo(token, places.at(urljoin(TOKEN_URL, "tokeninfo")))
        audience = next((told[name] for name in APPLICATION if told.get(name) in audiences), "")
        if not audience:
            raise access_tokens.other_application("tokeninfo: aud is somebody else")
        subject, left = told.get("user_id"), claims.seconds(told.get("exp"))
        if not claims.is_subject(subject) or left is None or left <= 0:
            raise LoginRefused(detail="tokeninfo: user_id or exp is missing")
        about = {"iss": told.get("iss"), "user_id": subject, "aud": audience}
        return VerifiedLogin("www.amazon.com", subject, audience, about, kind=audience)


def tokeninfo(token: str, url: str) -> dict[str, Any]:
    """Return what Amazon says there of an access token: whose it is and which application's (Login with Amazon).

    Raises:
        LoginRefused: it is none, or no longer.
        OutsideUnavailable: Amazon does not answer.
        Overloaded: too many calls are under way.

    """
    query = urlencode({"access_token": token})
    return json_answers.told(outbound.http("GET", f"{url}?{query}", headers=json_answers.ACCEPT), "tokeninfo")
