"""One request to a page of a pool: pool, app, browser, what it came for, and how its page is shown.

The OAuth request stays in the URL, as in Cognito, and each page carries it on; ``oidc`` checks all of it again before
anything is handed out. Here is checked what a page shows or follows: the app and its redirect address.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.services import access, receipts
from pools.services.codes import Purpose
from pools.services.pools import app_clients, redirect_mismatches
from pools.services.tokens import interactions
from pools.web import form_guard, notices, phone_fields, problem_pages, request_context, resume
from pools.web.browser import BrowserCookies, PageState, request_key
from pools.web.lazy_mapping import LazyMapping
from pools.web.page_forms import PageForm

if TYPE_CHECKING:
    from django import forms

    from pools.models import AppClient, UserPool
    from pools.models.hot import BrowserSession
    from pools.services.pools.redirect_mismatches import Mismatch
    from pools.services.sign_in.machine import SignedIn

SECRET = frozenset({form_guard.FIELD, "password", "new_password", "code"})
"""What of a form is never shown again."""
STALE = gettext_lazy(
    "This page was loaded again, because it was open for too long or your browser keeps no cookies: "
    "check it, then send it once more."
)


class SeeOther(HttpResponseRedirect):
    """303: the answer to a form is a page to GET."""

    status_code = 303


class BadLink(errors.DomainError):
    """The address of a page is incomplete or not an app's own."""

    public = "This link is incomplete."

    def __init__(self, kind: str, mismatch: Mismatch | None = None) -> None:
        """Keep which explanation to show (``problem_pages.PROBLEMS``), and the address it is about."""
        super().__init__(detail=kind)
        self.kind = kind
        self.mismatch = mismatch


class PageRequest:
    """One request to a page of a pool."""

    def __init__(
        self, request: HttpRequest, *, needs_app: bool, needs_pages: bool, form_on: str = "", directory: bool = True
    ) -> None:
        """Find pool, app and browser. ``form_on`` names the page that has the form, where another has it.

        ``directory`` says that the page is for people of the pool's own. One that is no part of signing in
        (``needs_pages``) opens for an app that has no pages too.

        Raises:
            PoolNotFound: the path names no pool.
            BadLink: the app is unknown here, has no pages, or does not know the address it wants people sent back to.

        """
        self.request = request
        self.form_on = form_on
        self._for_directory, self._needs_pages = directory, needs_pages
        self.pool: UserPool = request_context.pool_of(request)
        carried = request.GET.copy()
        for name in interactions.OF_ONE_PAGE:
            carried.pop(name, None)
        self.query = carried.urlencode()
        self.parameters: Mapping[str, str] = {name: str(carried[name]) for name in carried}
        self.browser = BrowserCookies(request, self.pool, self.query)
        self.client: AppClient | None = None
        self.receipt: receipts.Receipt | None = None
        """What a service keeps with the change that it accepts of this form."""
        self.provider = ""
        """Which provider vouches for who signs in; empty where nobody does."""
        self.is_stale = False
        """Whether the form that was sent was not this browser's, so that its page is shown again."""
        self._find_app(needs_app=needs_app)

    def _find_app(self, *, needs_app: bool) -> None:
        if len(self.query) > interactions.CARRIED or any(
            len(self.request.GET.getlist(name)) > 1 for name in interactions.SINGLE
        ):
            raise BadLink("invalid_request")
        if "client_id" not in self.parameters:
            if needs_app:
                raise BadLink("no_client")
            return
        try:
            self.client = hide_accounts(access.client_in(self.pool, self.parameters["client_id"]))
        except errors.ClientNotFound:
            raise BadLink("unknown_client") from None
        is_closed = self._for_directory and not app_clients.has_directory(self.client)
        if is_closed or (self._needs_pages and not self.has_pages):
            raise BadLink("no_pages")
        redirect = self.parameters.get("redirect_uri")
        if redirect is not None and redirect not in self.client.callback_urls:
            raise BadLink("redirect_mismatch", redirect_mismatches.log_mismatch(self.client, redirect))

    def carry(self, query: str) -> None:
        """Go on with another request than the address has: with what this browser came for before.

        Raises:
            BadLink: as when it came.

        """
        self.query, self.parameters = query, dict(parse_qsl(query, keep_blank_values=True))
        self.browser.request_key = request_key(query)
        self.client = None
        self._find_app(needs_app=True)

    @property
    def app(self) -> AppClient:
        """Return the app; pages that need one have it."""
        if self.client is None:
            raise BadLink("no_client")
        return self.client

    @property
    def has_pages(self) -> bool:
        """Say whether people sign in on pages to the app, which not every app has that a mail's link leads to."""
        return self.client is not None and app_clients.has_pages(self.client)

    @cached_property
    def app_name(self) -> str:
        """Return what people know the app by, never the pool's own name; empty where it is not known."""
        return app_clients.name_for_people(self.pool, self.client, self.parameters.get("redirect_uri", ""))

    @property
    def is_form(self) -> bool:
        """Say whether a form was sent; one that is shown again for being too old was not."""
        return self.request.method == "POST"

    @property
    def by(self) -> Actor:
        """Return who acts: a visitor, until the machine says otherwise."""
        return request_context.visitor(self.request)

    def by_user(self, session: BrowserSession | SignedIn) -> Actor:
        """Return the signed-in person as the one who acts."""
        return request_context.user(self.request, session.person.sub)

    @property
    def page_state(self) -> PageState:
        """Return where the browser is."""
        return self.browser.page_state

    @property
    def is_done(self) -> bool:
        """Say whether the browser is signed in, and waits for no code: what a code led to is behind it."""
        of_sign_in = {str(Purpose.SECOND_FACTOR)}
        waits = self.page_state.codes_asked_at.keys() - of_sign_in or self.page_state.account
        return not (self.is_stale or waits) and self.browser.signed_in_session() is not None

    def url(self, page: str) -> str:
        """Return the address of another hosted page, what the browser came for included."""
        return reverse(f"hosted:{page}") + (f"?{self.query}" if self.query else "")

    def plain_url(self, page: str) -> str:
        """Return the address of another hosted page, without what the browser came for."""
        return reverse(f"hosted:{page}")

    def go(self, page: str, page_state: PageState | None = None) -> HttpResponse:
        """Go to another page, remembering a page state."""
        if page_state is not None:
            self.browser.keep(page_state)
        return SeeOther(self.url(page))

    @property
    def onward_url(self) -> str:
        """Return the address of what the browser came for: the app's OAuth request, else an account page."""
        return resume.url(interactions.kind_of(self.parameters), self.query)

    def go_on(self) -> HttpResponse:
        """Go to what the browser came for."""
        return SeeOther(self.onward_url)

    @property
    def name(self) -> str:
        """Return the name of the page that is asked for."""
        match = self.request.resolver_match
        return (match.url_name if match else "") or ""

    @property
    def own_url(self) -> str:
        """Return the address of the page where somebody is: that of its form, where it shows nothing itself."""
        return self.url(self.form_on) if self.form_on else self.request.get_full_path()

    def show(self, template: str, *, form: forms.Form | None = None, status: int = 200, **context: Any) -> HttpResponse:
        """Render a page. A form's worst error decides the status: 429 with Retry-After where waiting is the answer."""
        retry_after = getattr(form, "retry_after", 0)
        if self.is_stale:
            context = {**self._shown_again(form, is_named=bool(context.get("known"))), **context}
        phone_fields.suggest(form, self.request.headers.get("Accept-Language", ""))
        page = {
            "page_request": self,
            "app_name": self.app_name,
            "form": form,
            "failed": bool(form is not None and form.errors),
            "links": LazyMapping(self.url),
            "tokens": LazyMapping(lambda name: form_guard.token(self.browser, name)),
            "token_field": form_guard.FIELD,
            "notice": notices.NOTICES.get(self.page_state.notice),
            "request_id": request_context.request_id(self.request),
            **context,
        }
        response = render(self.request, f"hosted/{template}.html", page, status=429 if retry_after else status)
        if retry_after:
            response["Retry-After"] = str(retry_after)
        return response

    def _shown_again(self, form: forms.Form | None, *, is_named: bool) -> dict[str, Any]:
        """Fill in what was typed on a page that is loaded again, and return how somebody who is signed in goes on."""
        if isinstance(form, PageForm):
            form.refill({name: str(value) for name, value in self.request.POST.items() if name not in SECRET})
        session = self.browser.signed_in_session()
        signed_in = account_name(session) if session is not None and not is_named else ""
        return {"stale": STALE, "signed_in": signed_in, "carry_on": self.onward_url}

    def problem(self, kind: str, *, status: int = 400, retry_after: int = 0) -> HttpResponse:
        """Render the page of something that stops here."""
        return problem_pages.show(
            self.request,
            kind,
            status=status,
            app_name=self.app_name,
            same_page=self.own_url,
            start_page=self.url("sign_in") if self.has_pages else "",
            retry_after=retry_after,
        )


def hide_accounts(client: AppClient) -> AppClient:
    """Return an app as the pages see it: whatever its API tells, its pages never show who has an account.

    A copy, since the held row is shared.
    """
    shown = copy.copy(client)
    shown.hide_existence = True
    return shown


def account_name(session: BrowserSession) -> str:
    """Return what somebody knows their account by."""
    return session.person.email or session.person.username
