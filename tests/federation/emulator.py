"""A provider on loopback that other people's software would find strict: it complains of whatever it did not expect."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.federation.servers import Told, serving

JSON = {"content-type": "application/json"}


@dataclass
class Asked:
    """A request."""

    method: str
    path: str
    fields: list[tuple[str, str]]
    """Of the query, and of a form."""
    headers: Mapping[str, str]
    query: str = ""

    def __getitem__(self, name: str) -> str:
        """Return a field; empty where there is none."""
        return dict(self.fields).get(name, "")

    @property
    def bearer(self) -> str:
        """Return the access token that is shown."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Reply:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def told(what: object, status: int = 200) -> Reply:
    """Return an answer in JSON."""
    return Reply(status, json.dumps(what).encode(), JSON)


def sent_on(url: str, **fields: str) -> Reply:
    """Return an answer that sends a browser on, with these fields in the query of a URL and a fragment left alone."""
    place, _, fragment = url.partition("#")
    return Reply(302, headers={"location": f"{place}?{urlencode(fields)}{'#' if fragment else ''}{fragment}"})


Answerer = Callable[[Asked], Reply]


def replied(reply: Reply) -> Answerer:
    """Return what answers always the same."""
    return lambda asked: reply


class Emulator:
    """Answers by path, remembers who was sent where, and what was wrong with requests."""

    def __init__(self) -> None:
        """Have been asked nothing."""
        self.url = ""
        self.asked: list[Asked] = []
        self.complaints: list[str] = []
        self.codes: dict[str, Asked] = {}
        """Requests for a code, by the code."""
        self.instead: dict[str, Answerer] = {}
        """By path, what answers in place of the usual."""

    def routes(self) -> Mapping[str, Answerer]:
        """Return what answers, by method and path."""
        raise NotImplementedError

    def check(self, holds: object, words: str) -> None:
        """Complain unless something holds."""
        if not holds:
            self.complaints.append(words)

    def expect(self, asked: Asked, needed: Collection[str], also: Collection[str] = ()) -> None:
        """Complain of fields that are missing, empty, given twice, or that nobody expects."""
        names = [name for name, _ in asked.fields]
        where = f"{asked.method} {asked.path}"
        self.check(len(set(names)) == len(names), f"{where}: a field twice among {names}")
        self.check(set(names) <= {*needed, *also}, f"{where}: unexpected {sorted({*names} - {*needed, *also})}")
        self.check(all(asked[name] for name in needed), f"{where}: missing {[n for n in needed if not asked[n]]}")

    def code(self, asked: Asked) -> str:
        """Return a code for somebody who agreed."""
        made = secrets.token_urlsafe(12)
        self.codes[made] = asked
        return made

    def redeem(self, asked: Asked, *, verifies: bool) -> Asked | None:
        """Return the request that a code was given for, once, to whoever began the trip; None for other codes."""
        begun = self.codes.pop(asked["code"], None)
        if begun is None:
            return None
        self.check(asked["grant_type"] == "authorization_code", f"{asked.path}: another grant")
        for name in ("client_id", "redirect_uri"):
            self.check(asked[name] == begun[name], f"{asked.path}: another {name}")
        if verifies:
            digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            self.check(begun["code_challenge_method"] == "S256", f"{asked.path}: PKCE without S256")
            self.check(begun["code_challenge"] == challenge, f"{asked.path}: another trip's verifier")
        return begun

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answer a request."""
        parts = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        fields = parse_qsl(parts.query, keep_blank_values=True)
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields += parse_qsl(body.decode(), keep_blank_values=True)
        asked = Asked(handler.command, parts.path, fields, headers, parts.query)
        self.asked.append(asked)
        answerer = self.instead.get(parts.path) or self.routes().get(f"{asked.method} {parts.path}")
        self.check(answerer, f"nobody answers {asked.method} {parts.path}")
        try:
            reply = answerer(asked) if answerer else Reply(404)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the test must hear of it
            self.check(holds=False, words=f"{asked.path}: {problem!r}")
            reply = Reply(500)
        handler.send_response(reply.status)
        for name, value in {**reply.headers, "content-length": str(len(reply.body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)

    def count(self, path: str) -> int:
        """Return how often a path was asked."""
        return sum(asked.path == path for asked in self.asked)


@contextmanager
def running(emulator: Emulator) -> Iterator[None]:
    """Run an emulator; in the end it must have nothing to complain of."""
    server = Told()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        emulator.answer(handler, server.asked[-1])

    server.instead = answer
    with serving(server):
        emulator.url = server.url
        yield
    assert emulator.complaints == []


# -- a browser, as far as one is needed ------------------------------------------------------------------------------


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *_: Any) -> None:
        """Stay."""


class Form(HTMLParser):
    """Reads the hidden fields of a page that posts itself."""

    def __init__(self) -> None:
        """Have read nothing."""
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a form's action, and each input."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        if tag == "input":
            self.fields[given["name"]] = given.get("value", "")


def visited(url: str) -> tuple[int, Message, bytes]:
    """Return what a URL answers a browser that does not follow."""
    opener = urllib.request.build_opener(Stay)
    try:
        found: HTTPResponse = opener.open(url, timeout=10)
        return found.status, found.headers, found.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def brought_back(url: str) -> tuple[str, dict[str, str]]:
    """Return where a provider sends a browser back to, and with which fields: in the query or posted."""
    status, headers, body = visited(url)
    if status == 302:
        place, _, query = headers["location"].partition("#")[0].partition("?")
        return place, dict(parse_qsl(query))
    assert status == 200, (status, body)
    form = Form()
    form.feed(body.decode())
    return form.action, form.fields
