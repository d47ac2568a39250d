"""In whatever order pages are opened and forms are sent, nobody gets in without the proofs, or as somebody else.

Mallory has an account, its password, its mail and its phone, and knows of somebody else the name. Every cookie that the
browser ever had may be put back.
"""

from __future__ import annotations

import json
import re
import secrets
import urllib.parse
import uuid

import pyotp
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from identity.foundation import sealing
from pools.hosted import address_failures
from pools.models import (
    AppClient,
    AuthorizationCode,
    Guess,
    OneTimeCode,
    OutboxMessage,
    Password,
    TotpFactor,
    User,
    UserPool,
    hot,
)
from pools.services import configuration, sealing_contexts
from pools.services.sign_in import factors, own_factors
from pools.services.sign_in.own_factors import Preference
from pools.services.tokens import sessions
from tests import factories
from tests.hosted import in_process
from tests.hosted.in_process import PATHS
from tests.hosted.world import CALLBACK
from tests.walks import walk

FIRST, OTHER, WRONG, OF_THE_VICTIM = "Correct-horse-7", "Battery-staple-8", "Wrong-guess-1", "Quiet-harbour-9"
KEY = re.compile(r"otpauth://totp/[^\"]*secret=([A-Z2-7]{32})")
CODE = re.compile(r"\b\d{6}\b")
FORMS = ["sign_in", "totp", "factor_setup", "new_password", "sign_up", "confirm", "confirm_link", "resend", "forgot"]
FORMS += ["confirm_forgot", "account", "account_mfa", "account_password", "sms", "factor_choice"]
KINDS = st.sampled_from(["plain", "secured", "texted", "both", "invited", "unconfirmed"])
POOLS = {"OFF": "OFF", "OPTIONAL": "OPTIONAL", "ON": "ON", "OPTIONAL, TEXTS TOO": "OPTIONAL", "ON, TEXTS TOO": "ON"}
"""By name, whether a second factor is asked for; where texts are not named, it is an authenticator."""
ACTIONS = ["verify", "skip", "remove", "remove_now", "", "start", "again", "other", "change", "cancel", "prefer"]


def number() -> str:
    """Return a phone number that nobody has."""
    return f"+1206{secrets.randbelow(10**7):07d}"


class Walker(RuleBasedStateMachine):
    """Mallory's browser, and what it has shown."""

    apps: dict[str, AppClient]

    @initialize(kind=st.sampled_from(list(POOLS)), own=KINDS, other=KINDS)
    def people(self, kind: str, own: str, other: str) -> None:
        """Make Mallory's account and somebody else's."""
        self.app = self.apps[kind]
        self.pool: UserPool = self.app.pool
        self.phone = number()
        self.mallory, self.totp = self.person(own, phone=self.phone)
        self.victim, _ = self.person(other, OF_THE_VICTIM, phone=number())
        self.password = FIRST
        self.pending: pyotp.TOTP | None = None
        self.browser = in_process.browser()
        self.jars: list[dict[str, str]] = []
        self.known: set[uuid.UUID] = set()
        self.by_code: set[uuid.UUID] = set()
        self.raised: set[uuid.UUID] = set()
        # What was shown rightly since the password was last changed, and by the form that was sent last.
        self.has_shown_password = self.has_shown_code = False
        self.of_the_victim = self.belongings()
        self.browser.get(self.url("sign_in"))  # for the cookie without which no form is taken

    def person(self, kind: str, password: str = FIRST, *, phone: str) -> tuple[User, pyotp.TOTP | None]:
        """Make a person, with an authenticator or without, with codes by text message or without."""
        name = f"person{factories.number()}@example.com"
        if kind == "invited":
            return factories.make_invited(self.pool, name, password=password, email=name), None
        user = factories.make_user(self.pool, name, password=password, email=name, email_verified="true")
        if kind == "unconfirmed":
            User.objects.filter(pool_id=self.pool.pk, id=user.id).update(status="UNCONFIRMED", email_verified=False)
        has_texts = kind in {"texted", "both"} and "sms" in self.pool.second_factors
        has_app = kind in {"secured", "both"} and self.pool.mfa != "OFF"
        totp = factories.give_totp(self.pool, user) if has_app else None
        if has_texts:
            User.objects.filter(pool_id=self.pool.pk, id=user.id).update(phone_number=phone)
            wishes = {"sms": Preference(enabled=True), **({"totp": Preference(enabled=True)} if has_app else {})}
            own_factors.set_preference(self.pool, user, wishes, by=factories.BY)
        return user, totp

    def belongings(self) -> tuple[object, ...]:
        """Return what is the victim's alone to change."""
        own = {"pool_id": self.pool.pk, "user_id": self.victim.id}
        user = User.objects.get(pool_id=self.pool.pk, id=self.victim.id)
        return (
            *(user.status, user.email, user.email_verified, user.enabled, user.preferred_mfa, user.epoch),
            *(user.phone_number, user.phone_number_verified, user.sms_enabled),
            *Password.objects.filter(**own).values_list("argon2"),
            *TotpFactor.objects.filter(**own).values_list("sealed_seed", "enabled", "verified_at"),
        )

    def quieten(self) -> None:
        """Forget locks and spent codes, which would only hide what is looked for."""
        Guess.objects.filter(pool_id=self.pool.pk).delete()
        TotpFactor.objects.filter(pool_id=self.pool.pk).update(last_step=0)
        OneTimeCode.objects.filter(pool_id=self.pool.pk).update(tries=0)

    def sent_to(self, address: str | None) -> list[str]:
        """Return the codes that were sent to Mallory, by mail or phone, the newest first."""
        found = []
        for row in OutboxMessage.objects.filter(pool_id=self.pool.pk, sealed__isnull=False).order_by("-id")[:20]:
            carried = json.loads(sealing.unseal(bytes(row.sealed or b""), place=sealing_contexts.message(row.id)))
            if carried["to"] == address:
                found += CODE.findall(carried["text"])
        return found

    def url(self, page: str) -> str:
        """Return the address of a page."""
        return f"/{self.pool.public_id}/{PATHS[page]}?client_id={self.app.client_id}"

    def token(self, page: str) -> str:
        """Return the token of a page's form for this browser."""
        return in_process.form_token(in_process.cookies_of(self.browser), self.pool.public_id, page)

    def current(self) -> hot.BrowserSession | None:
        """Return whom this browser is signed in as."""
        cookie = self.browser.cookies.get(sessions.cookie_name(self.pool, secure=False))
        return sessions.signed_in_session(self.pool, cookie.value if cookie else None)

    @rule(page=st.sampled_from(sorted(PATHS)))
    def look(self, page: str) -> None:
        """Open a page, and keep the cookies for later."""
        self.has_shown_code = False
        shown = self.browser.get(self.url(page))
        assert shown.status_code < 500
        if found := KEY.search(shown.content.decode()):
            self.pending = pyotp.TOTP(found[1])
        self.jars.append(in_process.cookies_of(self.browser))

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        """Put old cookies back."""
        if self.jars:
            self.browser.cookies.clear()
            for name, value in data.draw(st.sampled_from(self.jars)).items():
                self.browser.cookies[name] = value

    @rule(
        page=st.sampled_from(FORMS),
        mine=st.sampled_from([True, True, True, False]),
        password=st.sampled_from(["own", "own", OTHER, WRONG]),
        code=st.sampled_from(["app", "app", "pending", "mail", "mail", "text", "text", "000000"]),
        action=st.sampled_from(ACTIONS),
        factor=st.sampled_from(["", "", "totp", "sms", "card"]),
    )
    def send(self, page: str, mine: bool, password: str, code: str, action: str, factor: str = "") -> None:
        """Send any form with any mixture of what Mallory has."""
        self.quieten()
        apps = {"app": self.totp, "pending": self.pending}
        app = apps.get(code)
        mailed, texted = self.sent_to(self.mallory.email), self.sent_to(self.phone)
        newest = {"mail": mailed[:1], "text": texted[:1], "000000": ["000000"]}.get(code, [])
        shown = newest[0] if newest else (app.now() if app else "111111")
        typed = self.password if password == "own" else password
        name = str((self.mallory if mine else self.victim).email)
        inside = self.current()
        had = self.factors()
        hashed = self.hashed()
        body = {"username": name, "password": typed, "new_password": OTHER, "code": shown, "action": action}
        body |= {"phone_number": self.phone, "first": factor, **({"factor": factor} if factor else {})}

        answer = self.browser.post(self.url(page), {**body, "form_token": self.token(page)})

        assert answer.status_code < 500
        if page == "sign_in" and mine and typed == self.password and hashed:
            self.has_shown_password = True
        enrols = page in {"factor_setup", "account_mfa"}
        by_app = (enrols or page == "totp") and app is not None and shown == app.now()
        self.has_shown_code = by_app or ((enrols or page == "sms") and shown in texted)
        now = self.current()
        if enrols and inside is not None and now is not None and now.id != inside.id:
            assert self.has_shown_code
            self.raised.add(now.id)  # in the place of one that was there before
        if self.hashed() != hashed:
            by_mail = page == "confirm_forgot" and mine and shown in mailed
            by_step = page == "new_password" and self.has_shown_password
            by_owner = page == "account_password" and inside is not None and typed == self.password
            # Whoever confirms an account that was not made here has to choose another.
            is_ended = page == "confirm" and mine and shown in mailed and not self.hashed()
            assert by_mail or by_step or by_owner or is_ended, page
            self.password, self.has_shown_password = OTHER, by_step
        changed = self.factors() ^ had
        if changed:
            assert page in {"factor_setup", "account_mfa"}
            assert inside is not None or self.has_shown_password
            assert changed <= had or self.has_shown_code
        if "totp" in changed:
            assert "totp" in had or app is self.pending
            self.totp = None if "totp" in had else self.pending
        if "sms" in changed:
            assert "sms" in had or shown in texted

    @rule()
    def sign_in(self) -> None:
        """Show one's own password, without which few walks come far."""
        self.send("sign_in", mine=True, password="own", code="app", action="")

    def hashed(self) -> str:
        """Return the hash of Mallory's password, empty where it was ended."""
        kept = Password.objects.filter(pool_id=self.pool.pk, user_id=self.mallory.id)
        return kept.values_list("argon2", flat=True).first() or ""

    def factors(self) -> set[str]:
        """Return the second factors that Mallory has set up."""
        return {each.kind for each in factors.of(self.mallory)}

    @rule()
    def enrol_elsewhere(self) -> None:
        """Set an authenticator up in another browser: this one may be inside by password alone."""
        self.has_shown_code = False
        if self.pool.mfa != "OFF" and not self.factors():
            self.totp = factories.give_totp(self.pool, self.mallory)

    @rule()
    def come_from_the_app(self) -> None:
        """Ask for an authorization code, as the app does."""
        asked = {
            "client_id": self.app.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
        inside = self.current()
        known_by_code = inside is not None and inside.id in self.by_code
        answer = self.browser.get(f"/{self.pool.public_id}/oauth2/authorize?{urllib.parse.urlencode(asked)}")
        assert answer.status_code in {302, 303}
        has_got_code = "code=" in answer["Location"] and answer["Location"].startswith(CALLBACK)
        assert has_got_code == (inside is not None)
        assert known_by_code or not (has_got_code and self.needs_code())

    def needs_code(self) -> bool:
        """Say whether a password alone is not enough for Mallory, as things are now."""
        return self.pool.mfa == "ON" or (self.pool.mfa == "OPTIONAL" and self.factors() != set())

    @invariant()
    def nobody_is_somebody_else(self) -> None:
        """The victim has what they had, and no browser and no app got in for them."""
        if not hasattr(self, "of_the_victim"):
            return
        assert self.belongings() == self.of_the_victim
        assert not AuthorizationCode.objects.filter(pool_id=self.pool.pk, user_id=self.victim.id).exists()

    @invariant()
    def who_is_inside_has_shown_everything(self) -> None:
        """A session is Mallory's, by password and whatever else is needed, when it begins and as long as it lasts."""
        session = self.current() if hasattr(self, "of_the_victim") else None
        if session is None:
            return
        if session.id not in self.known and self.has_shown_code:
            self.by_code.add(session.id)
        assert session.id in self.by_code or not self.needs_code()
        if session.id in self.known:
            return
        self.known.add(session.id)
        assert session.person.id == self.mallory.id
        assert self.has_shown_password or session.id in self.raised
        user = User.objects.get(pool_id=self.pool.pk, id=self.mallory.id)
        assert user.status == "CONFIRMED"


@pytest.fixture
def apps(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, AppClient]:
    """Return an app of a pool of each kind; no address fails too often."""
    monkeypatch.setattr(address_failures, "FAILURES", 10**9)
    configuration.cache.forget_everything()
    oauth = {
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_flows": ["code"],
        "allowed_oauth_scopes": ["openid"],
        "callback_urls": [CALLBACK],
    }
    named = {"username_attributes": ["email"], "auto_verified_attributes": ["email"]}
    return {
        kind: factories.make_client(factories.make_pool(mfa=mfa, by_sms="TEXTS" in kind, **named), **oauth)
        for kind, mfa in POOLS.items()
    }


def test_no_order_of_pages_lets_anybody_in_without_the_proofs(apps: dict[str, AppClient]) -> None:
    Walker.apps = apps

    run_state_machine_as_test(
        Walker,
        settings=walk(25, stateful_step_count=20),
    )
