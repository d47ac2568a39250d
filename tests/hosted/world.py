"""Pools with an app, people, and visitors who fill in the hosted pages as a browser without JavaScript does."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from tests.live import Live

CALLBACK = "https://app.example/callback"
PASSWORD = "Correct-horse-7"
OTHER_PASSWORD = "Battery-staple-8"
CODE = re.compile(r"\b\d{6}\b")
TIMEOUT = 30
LONGEST_WAY = 10


@dataclass(frozen=True)
class Field:
    """An input of a form, as its attributes say."""

    attributes: dict[str, str]

    @property
    def name(self) -> str:
        """Return its name."""
        return self.attributes.get("name", "")


@dataclass
class Form:
    """A form of a page."""

    action: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)

    @property
    def values(self) -> dict[str, str]:
        """Return what is filled in."""
        return {each.name: each.attributes.get("value", "") for each in self.fields if each.name}

    def __getitem__(self, name: str) -> dict[str, str]:
        """Return the attributes of an input."""
        return next(each.attributes for each in self.fields if each.name == name)


class Reader(HTMLParser):
    """Reads what a person, a password manager and a screen reader read of a page."""

    def __init__(self, text: str) -> None:
        """Read it."""
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.title = self.alert = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self._form: Form | None = None
        self._link: tuple[str, list[str]] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in {"input", "meta", "link", "path", "circle", "br", "hr"}:
            self._open.append((tag, given))
        if tag == "form":
            self._form = Form(given.get("action", ""))
            self.forms.append(self._form)
        elif tag in {"input", "textarea", "select"} and self._form is not None:
            self._form.fields.append(Field(given))
        elif tag == "button" and self._form is not None:
            self._form.buttons.append(given)
        elif tag == "a":
            self._link = (given.get("href", ""), [])

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        while self._open and self._open[-1][0] != tag:
            self._open.pop()
        if self._open:
            self._open.pop()
        if tag == "form":
            self._form = None
        if tag == "a" and self._link is not None:
            self.links[" ".join("".join(self._link[1]).split())] = self._link[0]
            self._link = None

    def handle_data(self, data: str) -> None:
        """Collect text."""
        if self._link is not None:
            self._link[1].append(data)
        if self._open and self._open[-1][0] == "title":
            self.title = " ".join((self.title + data).split())
        if any(given.get("role") == "alert" for _, given in self._open) and data.strip():
            self.alert += data.strip() + " "


class Page:
    """An answer with its HTML."""

    def __init__(self, answer: requests.Response) -> None:
        """Read it."""
        self.answer = answer
        self.status = answer.status_code
        self.url = answer.url
        self.text = answer.text
        self.read = Reader(answer.text)

    @property
    def path(self) -> str:
        """Return the path inside the pool."""
        return "/" + urlsplit(self.url).path.split("/", 2)[2]

    @property
    def alert(self) -> str:
        """Return what a screen reader is told at once."""
        return self.read.alert.strip()

    @property
    def form(self) -> Form:
        """Return the first form."""
        return self.read.forms[0]

    def link(self, text: str) -> str:
        """Return where a link leads."""
        return urljoin(self.url, self.read.links[text])

    @property
    def code(self) -> str:
        """Return the authorization code, if this is the app."""
        assert self.url.startswith(CALLBACK), (self.url, self.alert)
        return dict(parse_qsl(urlsplit(self.url).query))["code"]


class From(HTTPAdapter):
    """Connects from an address."""

    def __init__(self, address: str) -> None:
        """Keep it."""
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Have each connection made from there."""
        super().init_poolmanager(*arguments, **options, source_address=(self.address, 0))


class Visitor:
    """A browser: cookies, Origin with each form, redirects followed until the app."""

    def __init__(self, world: World, address: str = "") -> None:
        """Start with no cookies; from an address of one's own (127.0.0.0/8), if any."""
        self.world = world
        self.address = address
        self.session = requests.Session()
        if address:
            self.session.mount("http://", From(address))
        self.page: Page | None = None

    def open(self, url: str) -> Page:
        """Open an address."""
        return self._follow("GET", url)

    def start(self, page: str = "/login", **parameters: str) -> Page:
        """Come from the app, to a page of the pool."""
        return self.open(self.world.url(page, **parameters))

    def submit(self, typed: Mapping[str, str] | None = None, *, form: int = 0, **more: str) -> Page:
        """Fill in the present page's form and send it."""
        page = self.here
        sent = page.read.forms[form]
        body = {**sent.values, **(typed or {}), **more}
        button = sent.buttons[0]
        if "name" in button:
            body.setdefault(button["name"], button.get("value", ""))  # unless another of its buttons is pressed
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        return self._follow("POST", urljoin(page.url, sent.action), data=body, headers={"Origin": origin})

    def follow(self, text: str) -> Page:
        """Follow a link of the present page."""
        return self.open(self.here.link(text))

    @property
    def here(self) -> Page:
        """Return the present page."""
        assert self.page is not None
        return self.page

    def _follow(self, method: str, url: str, **more: Any) -> Page:
        seen: list[str] = []
        answer = self.session.request(method, url, allow_redirects=False, timeout=TIMEOUT, **more)
        while answer.is_redirect:
            assert method == "GET" or answer.status_code == 303, answer.status_code
            assert len(seen := [*seen, url]) < LONGEST_WAY, seen
            method, url = "GET", urljoin(answer.url, answer.headers["Location"])
            if not url.startswith(self.world.live.base_url):
                answer.url, answer._content = url, b""
                break
            answer = self.session.get(url, allow_redirects=False, timeout=TIMEOUT)
        self.page = Page(answer)
        return self.page

    def cookie(self, suffix: str = "") -> str | None:
        """Return the value of one of the pool's cookies."""
        name = f"cg-{self.world.pool_id.rpartition('_')[2]}{suffix}"
        return self.session.cookies.get(name)

    def sign_in(self, username: str, password: str = PASSWORD, **parameters: str) -> Page:
        """Sign in from the app."""
        self.start(**parameters)
        return self.submit(username=username, password=password)


class World:
    """One pool with one app."""

    def __init__(
        self,
        live: Live,
        *,
        mfa: str = "OPTIONAL",
        by_sms: bool = False,
        by_email: bool = True,
        callback: str = CALLBACK,
        **settings: Any,
    ) -> None:
        """Make them; a second factor is an authenticator, or with ``by_sms`` codes by text message as well."""
        self.live = live
        self.callback = callback
        self.idp = live.boto()
        given: dict[str, Any] = {"AutoVerifiedAttributes": ["email"], **settings}
        if by_email:
            given |= {"UsernameAttributes": ["email"], "UsernameConfiguration": {"CaseSensitive": False}}
        self.pool_id: str = self.idp.create_user_pool(PoolName="hosted", **given)["UserPool"]["Id"]
        if mfa != "OFF":
            self.idp.set_user_pool_mfa_config(
                UserPoolId=self.pool_id,
                MfaConfiguration=mfa,
                SoftwareTokenMfaConfiguration={"Enabled": True},
                **({"SmsMfaConfiguration": {}} if by_sms else {}),
            )
        self.by_email = by_email
        self.client_id = self.app("Photos")
        self.base = f"{live.base_url}/{self.pool_id}"

    def app(self, name: str, **settings: Any) -> str:
        """Make an app; return its client id."""
        made = self.idp.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName=name,
            **{
                "AllowedOAuthFlowsUserPoolClient": True,
                "AllowedOAuthFlows": ["code"],
                "AllowedOAuthScopes": ["openid", "email"],
                "CallbackURLs": [self.callback],
                "SupportedIdentityProviders": ["COGNITO"],
                "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                "PreventUserExistenceErrors": "ENABLED",
                **settings,
            },
        )
        client_id: str = made["UserPoolClient"]["ClientId"]
        return client_id

    def url(self, page: str = "/login", **parameters: str) -> str:
        """Return the address of a page, as the app's request carries it."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.callback,
            "scope": "openid email",
            "state": secrets.token_hex(4),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **parameters,
        }
        return f"{self.base}{page}?{urlencode({name: value for name, value in asked.items() if value})}"

    def visitor(self, address: str = "") -> Visitor:
        """Return a browser without cookies, at an address of its own: failures of one address count together."""
        return Visitor(self, address or "127.1.{}.{}".format(*secrets.token_bytes(2)))

    def name(self) -> str:
        """Return a sign-in name that nobody has, with an address to it."""
        return f"{uuid.uuid4().hex[:12]}@example.org" if self.by_email else f"p{uuid.uuid4().hex[:12]}"

    def number(self) -> str:
        """Return a phone number that nobody has."""
        return f"+1206{secrets.randbelow(10**7):07d}"

    def person(self, *, temporary: bool = False, phone_number: str = "") -> str:
        """Make a person with a password; return the name they sign in by."""
        name = self.name()
        email = name if self.by_email else f"{name}@example.org"
        self.idp.admin_create_user(
            UserPoolId=self.pool_id,
            Username=name,
            MessageAction="SUPPRESS",
            TemporaryPassword=PASSWORD,
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
                *([{"Name": "phone_number", "Value": phone_number}] if phone_number else []),
            ],
        )
        if not temporary:
            self.idp.admin_set_user_password(UserPoolId=self.pool_id, Username=name, Password=PASSWORD, Permanent=True)
        return name

    def mailed(self, to: str, *, count: int = 1) -> str:
        """Wait for the newest mail to an address; return its code."""
        found = CODE.search(self.live.message(to, count=count)["body"])
        assert found is not None
        return found[0]

    @contextmanager
    def rows(self) -> Iterator[Any]:
        """Let models look at the live database; gives the pool's row."""
        from pools.models import UserPool

        with self.live.orm():
            yield UserPool.objects.get(public_id=self.pool_id)

    def disable(self, name: str) -> None:
        """Disable a person, as an operator does."""
        from identity.foundation.actor import Actor
        from pools.services import access
        from pools.services.people import users

        with self.live.orm():
            pool = access.pool(self.pool_id)
            users.set_enabled(pool, access.user(pool, name), False, by=Actor.system())

    def end_password(self, name: str) -> None:
        """Have a person choose a new password, as an operator does."""
        from identity.foundation.actor import Actor
        from pools.services import access
        from pools.services.people import password_resets

        with self.live.orm():
            pool = access.pool(self.pool_id)
            password_resets.end_password(pool, access.user(pool, name), by=Actor.system())

    def ask_for_texts(self, name: str) -> None:
        """Have somebody with a number asked for a code that is sent to it, and prefer nothing."""
        self.idp.admin_set_user_mfa_preference(
            UserPoolId=self.pool_id, Username=name, SMSMfaSettings={"Enabled": True, "PreferredMfa": False}
        )

    def give_totp(self, name: str) -> str:
        """Enrol an authenticator for a person; return its secret. Codes of the present step are spent by that."""
        from pools.services import access
        from tests import factories

        with self.live.orm():
            pool = access.pool(self.pool_id)
            return factories.give_totp(pool, access.user(pool, name)).secret
