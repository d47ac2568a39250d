"""Filling in the hosted pages as a person does, without JavaScript."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from tests.oidc.world import PASSWORD


class Form(HTMLParser):
    """The first form of a page that is posted."""

    def __init__(self, page: requests.Response) -> None:
        """Read the page."""
        super().__init__()
        self.action = page.url
        self.fields: dict[str, str] = {}
        self._inside = self._done = False
        self.feed(page.text)
        assert self._done, page.text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form's address and its fields."""
        given = dict(attrs)
        if tag == "form" and (given.get("method") or "").lower() == "post" and not self._done:
            self._inside, self.action = True, urljoin(self.action, given.get("action") or "")
        elif tag == "input" and self._inside and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """Stop at the first form's end."""
        if tag == "form" and self._inside:
            self._inside, self._done = False, True


def sign_in(browser: requests.Session, url: str, email: str, *, until: str) -> str:
    """Open an application's sign-in link, sign in, and return the address in the application where it ends."""
    page = browser.get(url, timeout=20)
    assert page.status_code == 200, page.text
    form = Form(page)
    answer = browser.post(
        form.action,
        {**form.fields, "username": email, "password": PASSWORD},
        headers={"Referer": page.url},
        allow_redirects=False,
        timeout=20,
    )
    for _ in range(5):
        assert answer.is_redirect, answer.text
        location = urljoin(answer.url, answer.headers["Location"])
        if location.startswith(until):
            return location
        answer = browser.get(location, allow_redirects=False, timeout=20)
    raise AssertionError("too many redirects")
