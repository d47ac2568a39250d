"""Login with Amazon."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin

from federation import claims, json_answers
from federation import details as checks
from federation.code_flow import CodeFlow, Trip, attributes_url
from federation.details import Table
from federation.refusals import forged
from federation.social import places
from identity.foundation import outbound
from pools.ports import ExternalIdentity


class LoginWithAmazon(CodeFlow):
    """``LoginWithAmazon``: OAuth 2.0 and a profile; no ID token."""

    table = Table(
        required=("client_id", "client_secret", "authorize_scopes"),
        missing="clientId, clientSecret and authorizeScopes are all required idp details.",
        checks={
            "client_id": checks.name_problems,
            "client_secret": checks.name_problems,
            "authorize_scopes": checks.scope_problems,
            **checks.ENDPOINTS,
        },
        defaults={
            "attributes_url": "https://api.amazon.com/user/profile",
            "attributes_url_add_attributes": "false",
            "authorize_url": "https://www.amazon.com/ap/oa",
            "token_request_method": "POST",
            "token_url": "https://api.amazon.com/auth/o2/token",
        },
    )

    def place(self, url: str) -> str:
        """Return where a URL is asked for."""
        return places.at(url)

    def identify(self, trip: Trip) -> ExternalIdentity:
        """Return whose profile it is, once Amazon has said that the token is for us (Login with Amazon, tokeninfo)."""
        token = trip.tokens.access_token
        query = urlencode({"access_token": token})
        url = self.address(urljoin(trip.details["token_url"], "tokeninfo"))
        told = json_answers.told(outbound.http("GET", f"{url}?{query}", headers=json_answers.ACCEPT), "tokeninfo")
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
