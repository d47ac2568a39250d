"""Facebook Login."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy

from federation import access_tokens, claims, json_answers, token_requests
from federation import details as checks
from federation.code_flow import CodeFlow, Trip, attributes_url
from federation.detail_fields import client_secret
from federation.details import Details
from federation.refusals import forged
from federation.social import places
from pools.ports import ExternalIdentity, VerifiedLogin
from pools.ports.kinds import About, Detail

NEWEST = "v17.0"
"""The version of Amazon's examples, where details name none."""
SCOPES = r"[a-z0-9_]+(?:(?:, ?| )[a-z0-9_]+)*"
FIELD = re.compile(r"[a-z_]{1,64}")
PUBLIC = ("id", "name", "first_name", "last_name", "picture")
"""What ``public_profile`` grants, for a pool that wants nothing in particular."""
ABOUT = About(
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
    subject_claim="id",
    is_social=True,
    button=gettext_lazy("Continue with Facebook"),
    mark="hosted/marks/facebook.svg",
)


class Facebook(CodeFlow):
    """``Facebook``: OAuth 2.0 with commas between scopes, and a profile; no ID token."""

    about = ABOUT
    table = checks.of_social_network(
        {
            "api_version": NEWEST,
            "attributes_url_add_attributes": "true",
            "token_request_method": "GET",
        },
        authorize_scopes=checks.matching(SCOPES, "authorize_scopes of Facebook: names with commas between."),
        api_version=checks.matching(r"v\d{1,3}\.\d{1,2}", "api_version of Facebook has the form v17.0."),
    )
    has_verifier = False

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed by the endpoints of the version. Raises Invalid."""
        completed = super().check_details(details)
        graph = f"https://graph.facebook.com/{completed['api_version']}"
        return {
            "attributes_url": f"{graph}/me?fields=",
            "authorize_url": f"https://www.facebook.com/{completed['api_version']}/dialog/oauth",
            "token_url": f"{graph}/oauth/access_token",
            **completed,
        }

    def place(self, url: str) -> str:
        """Return where a URL is asked for."""
        return places.at(url)

    def scope(self, details: Details) -> str:
        """Return the scopes with commas between."""
        return ",".join(re.split(r"[, ]+", details["authorize_scopes"]))

    def error_of(self, told: token_requests.Told) -> tuple[str, str]:
        """Return type and message of the Graph API's errors, which are objects."""
        error = told.get("error")
        if not isinstance(error, Mapping):
            return super().error_of(told)
        return str(error.get("type") or "OAuthException"), str(error.get("message") or "")

    def identify(self, trip: Trip) -> ExternalIdentity:
        """Return whose profile it is, asked for with proof that the app itself asks (Graph API, appsecret_proof)."""
        names = (
            dict.fromkeys(("id", *sorted(filter(FIELD.fullmatch, trip.wanted)))) if trip.wanted else self.fields(trip)
        )
        url = self.address(attributes_url(trip.details, tuple(names)))
        token = trip.tokens.access_token
        proof = hmac.new(trip.details["client_secret"].encode(), token.encode(), hashlib.sha256).hexdigest()
        query = urlencode({"appsecret_proof": proof})
        profile = json_answers.profile(f"{url}{'&' if '?' in url else '?'}{query}", token=token, what="profile")
        subject = profile.get("id")
        if not claims.is_subject(subject):
            raise forged("profile: id is missing")
        return ExternalIdentity(subject, profile)

    def fields(self, trip: Trip) -> tuple[str, ...]:
        """Return what the scopes grant."""
        return (*PUBLIC, *(["email"] if "email" in self.scope(trip.details).split(",") else []))


class FacebookLogins:
    """Logins of identity pools: an access token, of which the Graph API says whose it is, and which app's.

    An identity pool names an app and has no secret of it. ``debug_token`` asks for one, ``/app`` does not: it answers
    for the token's own app. An app that insists on ``appsecret_proof`` is refused by Facebook.
    """

    def verify(self, token: str, *, audiences: Collection[str]) -> VerifiedLogin:
        """Return who a token is about. Raises as :meth:`pools.ports.LoginVerifier.verify`."""
        with access_tokens.asked_about(token):
            app = graph("app", token)
        if app not in audiences:
            raise access_tokens.other_application("app: id is somebody else")
        with access_tokens.asked_about(token):
            person = graph("me", token)
        return VerifiedLogin("graph.facebook.com", person, app, {"aud": app, "sub": person}, kind=app)


def graph(node: str, token: str) -> str:
    """Return the id that a node of the Graph API has for an access token. Raises as :func:`json_answers.profile`."""
    url = places.at(f"https://graph.facebook.com/{NEWEST}/{node}?fields=id")
    found = json_answers.profile(url, token=token, what=node).get("id")
    if not claims.is_subject(found):
        raise forged(f"{node}: id is missing")
    return found
