"""What a browser holds of a pool: nonce, page states, session, trips, last way in. Five cookies, no row.

Where the challenge session travels: in a sealed, HttpOnly cookie, not in the URL (logs, history, Referer) and not in a
hidden field (a page that is saved, printed or read over a shoulder would carry it, and 303 after POST needs a place
that survives the GET). The cookie is sealed for this pool *and* this browser's nonce, so that one lifted out of another
browser opens nothing here, and the nonce is replaced whenever somebody signs in or out: nothing that was planted
before counts after, so the steps kept until then go too. Steps are kept by what the browser came for (the OAuth
request), so that two tabs do not disturb each other before one of them is signed in.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from identity.foundation import clock, sealing
from pools.services import codes
from pools.web import session_cookie

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from pools.models import UserPool
    from pools.models.hot import BrowserSession
    from pools.services.tokens.sessions import OpenedSession

NONCE = re.compile(r"^[A-Za-z0-9_-]{32}$")
WAY_SECONDS, LONGEST_WAY = 31_536_000, 32
"""How long a browser remembers how somebody signed in, and characters of a provider's name."""
PAGE_STATE_SECONDS = 3600
"""Seconds a page state is remembered. What a challenge is good for, the machine decides."""
CONFIRMED_WITHIN = round(codes.life(codes.Purpose.SIGN_UP).total_seconds())
"""Seconds a browser remembers whose account it made: as long as the mailed code is good."""
MOST_PAGE_STATES = 4
"""Tabs; the oldest goes first."""
COOKIE_LIMIT = 3800
"""Browsers refuse 4 KB; what does not fit is not remembered."""
NAME_LIMIT = 320
"""No address is longer (RFC 5321), so nobody's name is lost."""
TYPED_LIMIT = 600
"""Characters of what else was typed; beyond that it is typed again."""
MADE_HERE, MADE_BEFORE = "fresh", "prior"
COOKIE_NAMES = {"attempt_token": "session", "codes_asked_at": "waits"}
"""How the cookie has them: as the release before, which runs beside this one while it is put in place."""


@dataclass(frozen=True, slots=True)
class PageState:
    """Where a browser is in its way through the pages. Empty: nowhere yet."""

    username: str = ""
    """As it was typed, so that nobody types it twice."""
    notice: str = ""
    """Which of the page's own notices to show (``notices.NOTICES``)."""
    challenge: str = ""
    attempt_token: str = ""
    """The machine's opaque string of a sign-in under way."""
    factor: str = ""
    """The kind of second factor that is being set up, or that the account page asks about."""
    kinds: list[str] = field(default_factory=list)
    """Between which kinds of second factors somebody chooses; where one's code is asked for, which others they have."""
    secret: str = ""
    """What it takes to set up a second factor, while that is under way: an authenticator's pending seed."""
    sent_to: str = ""
    """Where a code went, as the page tells it."""
    codes_asked_at: dict[str, list[int]] = field(default_factory=dict)
    """When codes were asked for, by purpose, oldest first, in epoch seconds; those that came too early left out."""
    limited: dict[str, int] = field(default_factory=dict)
    """Until when a send limit holds that was reached, by purpose, in epoch seconds."""
    account: str = ""
    """Which account this browser confirms: ``fresh``, made by it, or it showed the password; ``prior``, there before.
    One length, since a sealed cookie's length is seen."""
    proof: str = ""
    """That this browser chose the password of the account it made (``chosen_passwords``); of others, one as long."""
    typed: dict[str, str] = field(default_factory=dict)
    """What else was filled in: to make that account, for who mends an address; for a second factor, a number."""
    required: list[str] = field(default_factory=list)
    """Attributes that are still needed: at the page of a new password, or to set up a second factor."""

    def __post_init__(self) -> None:
        """Cut what somebody typed to what could be a name."""
        for name in ("username", "sent_to"):
            object.__setattr__(self, name, getattr(self, name)[:NAME_LIMIT])
        if sum(len(name) + len(value) for name, value in self.typed.items()) > TYPED_LIMIT:
            object.__setattr__(self, "typed", {})

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> PageState:
        """Return the page state that a cookie has; what this release does not know is left out."""
        names = {each.name: COOKIE_NAMES.get(each.name, each.name) for each in fields(cls)}
        return cls(**{name: written[key] for name, key in names.items() if key in written})

    def to_dict(self) -> dict[str, object]:
        """Return what differs from an empty page state, as its cookie has it."""
        return {COOKIE_NAMES.get(name, name): value for name, value in asdict(self).items() if value}


def request_key(query: str) -> str:
    """Return the short name of what a browser came for."""
    return hashlib.sha256(query.encode()).hexdigest()[:12]


class BrowserCookies:
    """A browser at one pool, for one request. Changes are written to the answer by :meth:`write_cookies`."""

    def __init__(self, request: HttpRequest, pool: UserPool, query: str) -> None:
        """Read the cookies; whatever is not ours counts as absent."""
        self.pool = pool
        self.request_key = request_key(query)
        self.session_cookie = session_cookie.name(request, pool)
        self.nonce_cookie = self.session_cookie + "-form"
        self.page_state_cookie = self.session_cookie + "-step"
        self.trip_cookie = self.session_cookie + "-trip"
        self.way_cookie = self.session_cookie + "-way"
        self._request = request
        nonce = request.COOKIES.get(self.nonce_cookie, "")
        self.nonce = nonce if NONCE.match(nonce) else ""
        self._nonce_written = self.nonce
        trip = request.COOKIES.get(self.trip_cookie, "")
        self.last_way = unquote(request.COOKIES.get(self.way_cookie, ""))[:LONGEST_WAY]
        """By which provider somebody signed in last in this browser; empty for the pool itself, and for nobody."""
        self._way = self.last_way
        self._trip, self._trip_is_new = trip if NONCE.match(trip) else "", False
        self._page_states = self._unseal(request.COOKIES.get(self.page_state_cookie, ""))
        self._page_states_changed = False
        self._opened: OpenedSession | None = None
        self._closed = False

    def _purpose(self, nonce: str) -> str:
        return f"hosted-step:{self.pool.public_id}:{nonce}"

    def _unseal(self, cookie: str) -> dict[str, dict[str, object]]:
        if not cookie or not self.nonce:
            return {}
        try:
            kept = json.loads(sealing.unseal_text(cookie, purpose=self._purpose(self.nonce)))
        except (sealing.Unsealable, ValueError):
            return {}
        now = clock.epoch()
        return {key: found for key, found in kept.items() if found["until"] > now}

    def trip_secret(self) -> str:
        """Return what binds trips to a provider to this browser; new where there is none. No sign-in changes it."""
        if not self._trip:
            self._trip, self._trip_is_new = secrets.token_urlsafe(24), True
        return self._trip

    def remember_way(self, provider: str) -> None:
        """Remember by which provider somebody signs in now; empty is the pool itself."""
        self._way = provider

    def form_nonce(self) -> str:
        """Return the nonce that this browser's form tokens are made over; a new one where there is none."""
        if not self.nonce:
            self.nonce = secrets.token_urlsafe(24)
        return self.nonce

    @property
    def page_state(self) -> PageState:
        """Return where this browser is in its present request."""
        return PageState.from_dict(self._page_states.get(self.request_key, {}))

    def has_made(self, username: str) -> bool:
        """Say whether this browser, in any request, made that account or showed its password."""
        return any(
            each.get("account") == MADE_HERE and each.get("username") == username for each in self._page_states.values()
        )

    @property
    def cookies(self) -> tuple[str, str, str]:
        """Return the names of the cookies that say how far this browser is."""
        return self.session_cookie, self.nonce_cookie, self.page_state_cookie

    def proof_of(self, username: str) -> str:
        """Return the proof that this browser, in any request, chose the password of that account; empty for none."""
        own = [
            each
            for each in self._page_states.values()
            if each.get("username") == username and each.get("account") == MADE_HERE
        ]
        return next((str(each["proof"]) for each in reversed(own) if each.get("proof")), "")

    def keep(self, page_state: PageState) -> None:
        """Remember where this browser is in its present request."""
        self._keep(self.request_key, page_state)

    def keep_for(self, query: str, page_state: PageState) -> None:
        """Remember a page state for a request that begins now, with that query."""
        self._keep(request_key(query), page_state)

    def _keep(self, key: str, page_state: PageState) -> None:
        self._page_states.pop(key, None)
        written = page_state.to_dict()
        if written:
            self._page_states[key] = {
                **written,
                "until": clock.epoch() + (CONFIRMED_WITHIN if page_state.account else PAGE_STATE_SECONDS),
            }
        while len(self._page_states) > MOST_PAGE_STATES:
            del self._page_states[next(iter(self._page_states))]
        self._page_states_changed = True

    def signed_in_session(self) -> BrowserSession | None:
        """Return the session that carries this browser's person at the pool, if any."""
        return session_cookie.signed_in_session(self._request, self.pool)

    def live_session(self) -> BrowserSession | None:
        """Return the live session that this browser may end, whether or not it still carries anybody."""
        return session_cookie.live_session(self._request, self.pool)

    def open(self, opened: OpenedSession) -> None:
        """Take a new session: its cookie replaces any other, the nonce changes, all page states are forgotten."""
        self._opened = opened
        self._page_states = {}
        self._renew()

    def close(self) -> None:
        """Drop the session and everything kept."""
        self._closed = True
        self._page_states = {}
        self._renew()

    def _renew(self) -> None:
        self.nonce = secrets.token_urlsafe(24)
        self._page_states_changed = True

    def write_cookies(self, response: HttpResponse) -> HttpResponse:
        """Write what changed into an answer."""
        if self._way != self.last_way:
            session_cookie.write(self._request, response, self.way_cookie, quote(self._way), max_age=WAY_SECONDS)
        if self._trip_is_new:
            session_cookie.write(self._request, response, self.trip_cookie, self._trip, max_age=None)
        if self._opened is not None:
            opened = self._opened
            session_cookie.write(self._request, response, self.session_cookie, opened.cookie, max_age=opened.max_age)
        elif self._closed:
            session_cookie.forget(self._request, response, self.session_cookie)
        if self._page_states_changed:
            # First: steps are sealed for the nonce, and make one where there is none.
            self._write_page_states(response)
        if self.nonce != self._nonce_written:
            session_cookie.write(self._request, response, self.nonce_cookie, self.nonce, max_age=None)
        return response

    def _write_page_states(self, response: HttpResponse) -> None:
        while self._page_states:
            sealed = self._seal()
            if len(sealed) <= COOKIE_LIMIT:
                session_cookie.write(self._request, response, self.page_state_cookie, sealed, max_age=CONFIRMED_WITHIN)
                return
            del self._page_states[next(iter(self._page_states))]
        session_cookie.forget(self._request, response, self.page_state_cookie)

    def _seal(self) -> str:
        carried = json.dumps(self._page_states, separators=(",", ":")).encode()
        return sealing.seal_text(carried, purpose=self._purpose(self.form_nonce()))
