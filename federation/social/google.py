"""Sign in with Google."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext_lazy

from federation import details as checks
from federation import json_answers
from federation.code_flow import Trip, attributes_url
from federation.detail_fields import CLIENT_ID, USUAL, client_secret, scopes
from federation.details import Details
from federation.openid_flow import OpenIdFlow
from federation.refusals import forged
from federation.social import places
from identity.foundation import outbound
from pools.ports.kinds import About, Detail

ISSUER = "https://accounts.google.com"
OLDER = "accounts.google.com"
"""What some of its tokens still call it."""
JWKS_URI = "https://www.googleapis.com/oauth2/v3/certs"
PEOPLE = "https://people.googleapis.com/"
PERSON_FIELDS = frozenset(
    {
        *("addresses", "ageRanges", "biographies", "birthdays", "calendarUrls", "clientData", "coverPhotos"),
        *("emailAddresses", "events", "externalIds", "genders", "imClients", "interests", "locales", "locations"),
        *("memberships", "metadata", "miscKeywords", "names", "nicknames", "occupations", "organizations"),
        *("phoneNumbers", "photos", "relations", "sipAddresses", "skills", "urls", "userDefined"),
    }
)
"""What the People API can be asked for; it refuses a request with any other (people.get, personFields)."""
WORDS = ("value", "displayName", "formattedValue", "name", "url")
"""Where an entry of a field has its text."""
ABOUT = About(
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
        client_secret(),
        scopes("openid email profile"),
    ),
    mapping={**USUAL, "picture": "picture"},
    subject_claim="sub",
    is_social=True,
    button=gettext_lazy("Sign in with Google"),
    mark="hosted/marks/google.svg",
)


class Google(OpenIdFlow):
    """``Google``: OpenID Connect with endpoints that are known, and the People API for what its ID token lacks."""

    about = ABOUT
    table = checks.of_social_network(
        {
            "attributes_url": f"{PEOPLE}v1/people/me?personFields=",
            "attributes_url_add_attributes": "true",
            "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
            "oidc_issuer": ISSUER,
            "token_url": "https://www.googleapis.com/oauth2/v4/token",
        },
        oidc_issuer=checks.matching(re.escape(ISSUER), f"oidc_issuer of Google is {ISSUER}"),
    )
    understands = ("login_hint", "prompt")

    def place(self, url: str) -> str:
        """Return where a URL is asked for."""
        return places.at(url)

    def issuers(self, details: Details) -> Collection[str]:
        """Return both names."""
        del details
        return (ISSUER, OLDER)

    def jwks_uri(self, details: Details) -> str:
        """Return what Google's discovery document says."""
        del details
        return JWKS_URI

    def more_claims(self, trip: Trip, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the People API tells of fields that the pool wants, or userinfo where details name that."""
        url = trip.details["attributes_url"]
        if not url.startswith(PEOPLE):
            told = json_answers.profile(self.address(url), token=trip.tokens.access_token)
            if told.get("sub") != known["sub"]:
                raise forged("userinfo: sub is somebody else")
            return told
        fields = sorted(PERSON_FIELDS.intersection(trip.wanted))
        if not fields:
            return {}
        url = self.address(attributes_url(trip.details, fields))
        answered = outbound.http(
            "GET", url, headers={**json_answers.ACCEPT, **json_answers.bearer(trip.tokens.access_token)}
        )
        if answered.status == HTTPStatus.FORBIDDEN:  # the person did not grant what the fields need: they are absent
            return {}
        told = json_answers.told(answered, "people")
        if told.get("resourceName") != f"people/{known['sub']}":
            raise forged("people: resourceName is somebody else")
        return dict(told_of(told, fields))


def told_of(person: Mapping[str, Any], fields: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each field with the text of its primary entry, else of its first."""
    for name in fields:
        given = person.get(name)
        entries = [entry for entry in given if isinstance(entry, Mapping)] if isinstance(given, list) else []
        entries.sort(key=lambda entry: not is_primary(entry))
        if text := next(filter(None, map(text_of, entries)), ""):
            yield name, text


def is_primary(entry: Mapping[str, Any]) -> bool:
    """Say whether an entry is the one that counts."""
    metadata = entry.get("metadata")
    return isinstance(metadata, Mapping) and metadata.get("primary") is True


def text_of(entry: Mapping[str, Any]) -> str:
    """Return an entry's text; of a day its date, as ISO 8601 has it."""
    day = entry.get("date")
    if isinstance(day, Mapping):
        parts = [day.get(part) for part in ("year", "month", "day")]
        if all(isinstance(part, int) and 0 < part <= 9999 for part in parts):  # noqa: PLR2004 - the last year
            return "{:0>4}-{:0>2}-{:0>2}".format(*map(str, parts))
    return next((text for word in WORDS if isinstance(text := entry.get(word), str) and text), "")
