"""One request to a hosted page: pool, app, browser, what it came for; and the frame round every page.

The OAuth request stays in the URL, as in Cognito, and each page carries it on; ``oidc`` checks all of it again before
anything is handed out. Here is checked what a page shows or follows: the app and its redirect address.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.shortcuts import render
from django.urls import reverse

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.hosted import guard, neighbours, once, phones, wording
from pools.hosted.browser import Browser, Step
from pools.hosted.forms import PageForm
from pools.hosted.named import Named
from pools.services import access, receipts
from pools.services.pools import app_clients, redirect_mismatches
from pools.services.tokens import interactions

if TYPE_CHECKING:
    from django import forms

    from pools.models import AppClient, UserPool
    from pools.models.hot import Browser as Session
    from pools.services.pools.redirect_mismatches import Mismatch
    from pools.services.sign_in.machine import SignedIn

log = structlog.get_logger("hosted")
ONCE = ("client_id", "redirect_uri", "response_type")
RESUMABLE = ("account_mfa", "account_password")
"""Pages that send somebody to sign in and have them back."""
BUSY_SECONDS = 2
PAGE_OF = {"totp": "totp", "new_password": "new_password", "factor_setup": "totp_setup"}
"""Which page asks for a challenge of the machine."""
SECRET = frozenset({guard.FIELD, "password", "new_password", "code"})
"""What of a form is never shown again."""


class SeeOther(HttpResponseRedirect):
    """303: the answer to a form is a page to GET."""

    status_code = 303


class BadLink(errors.DomainError):
    """The address of a page is incomplete or not an app's own."""

    public = "This link is incomplete."

    def __init__(self, kind: str, mismatch: Mismatch | None = None) -> None:
        """Keep which explanation to show (``wording.PROBLEMS``), and the address it is about."""
        super().__init__(detail=kind)
        self.kind = kind
        self.mismatch = mismatch


class Visit:
    """One request to a page of a pool."""

    def __init__(self, request: HttpRequest, *, needs_app: bool) -> None:
        """Find pool, app and browser.

        Raises:
            PoolNotFound: the path names no pool.
            BadLink: the app is unknown here, has no pages, or does not know the address it wants people sent back to.

        """
        self.request = request
        self.pool: UserPool = access.pool(getattr(request, "pool", None) or "")
        carried = request.GET.copy()
        for name in interactions.OF_ONE_PAGE:
            carried.pop(name, None)
        self.query = carried.urlencode()
        self.asked: Mapping[str, str] = {name: str(carried[name]) for name in carried}
        self.browser = Browser(request, self.pool, self.query)
        self.client: AppClient | None = None
        self.receipt: receipts.Receipt | None = None
        """What a service keeps with the change that it accepts of this form."""
        self.is_stale = False
        """Whether the form that was sent was not this browser's, so that its page is shown again."""
        self._find_app(needs_app=needs_app)

    def _find_app(self, *, needs_app: bool) -> None:
        if len(self.query) > interactions.CARRIED or any(len(self.request.GET.getlist(name)) > 1 for name in ONCE):
            raise BadLink("invalid_request")
        if "client_id" not in self.asked:
            if needs_app:
                raise BadLink("no_client")
            return
        try:
            self.client = hiding(access.client_in(self.pool, self.asked["client_id"]))
        except errors.ClientNotFound:
            raise BadLink("unknown_client") from None
        if not app_clients.has_pages(self.client):
            raise BadLink("no_pages")
        redirect = self.asked.get("redirect_uri")
        if redirect is not None and redirect not in self.client.callback_urls:
            raise BadLink("redirect_mismatch", redirect_mismatches.noted(self.client, redirect))

    @property
    def app(self) -> AppClient:
        """Return the app; pages that need one have it."""
        if self.client is None:
            raise BadLink("no_client")
        return self.client

    @cached_property
    def place(self) -> str:
        """Return what the page calls the place: the app's name, never the pool's own; empty where it is not known."""
        return app_clients.name_for_people(self.pool, self.client)

    @property
    def by(self) -> Actor:
        """Return who acts: a visitor, until the machine says otherwise."""
        request = self.request
        return Actor.visitor(
            address=getattr(request, "address", ""), request_id=str(getattr(request, "request_id", ""))
        )

    def by_user(self, session: Session | SignedIn) -> Actor:
        """Return the signed-in person as the one who acts."""
        request = self.request
        return Actor.user(
            session.person.sub,
            address=getattr(request, "address", ""),
            request_id=str(getattr(request, "request_id", "")),
        )

    @property
    def step(self) -> Step:
        """Return where the browser is."""
        return self.browser.step

    @property
    def is_done(self) -> bool:
        """Say whether the browser is signed in, and waits for no code: what a code led to is behind it."""
        waits = self.step.waits or self.step.account
        return not (self.is_stale or waits) and self.browser.current() is not None

    def url(self, page: str) -> str:
        """Return the address of another hosted page, what the browser came for included."""
        return reverse(f"hosted:{page}") + (f"?{self.query}" if self.query else "")

    def plain_url(self, page: str) -> str:
        """Return the address of another hosted page, without what the browser came for."""
        return reverse(f"hosted:{page}")

    def go(self, page: str, step: Step | None = None) -> HttpResponse:
        """Go to another page, remembering a step."""
        if step is not None:
            self.browser.keep(step)
        return SeeOther(self.url(page))

    @property
    def onward_url(self) -> str:
        """Return the address of what the browser came for: the app's OAuth request, else the account pages."""
        if "response_type" in self.asked:
            return f"{reverse('oidc:authorize')}?{self.query}"
        resume = self.asked.get("resume")
        return self.url(resume if resume in RESUMABLE else "account")

    def onward(self) -> HttpResponse:
        """Go to what the browser came for."""
        return SeeOther(self.onward_url)

    def show(self, template: str, *, form: forms.Form | None = None, status: int = 200, **context: Any) -> HttpResponse:
        """Render a page. A form's worst error decides the status: 429 with Retry-After where waiting is the answer."""
        retry_after = getattr(form, "retry_after", 0)
        if self.is_stale:
            context = {**self._shown_again(form, named=bool(context.get("known"))), **context}
        phones.suggest(form, self.request.headers.get("Accept-Language", ""))
        page = {
            "visit": self,
            "place": self.place,
            "form": form,
            "failed": bool(form is not None and form.errors),
            "links": Named(self.url),
            "tokens": Named(lambda name: guard.token(self.browser, name)),
            "token_field": guard.FIELD,
            "progress": wording.PROGRESS.get(template),
            "notice": wording.NOTICES.get(self.step.notice),
            "request_id": str(getattr(self.request, "request_id", "")),
            **context,
        }
        response = render(self.request, f"hosted/{template}.html", page, status=429 if retry_after else status)
        if retry_after:
            response["Retry-After"] = str(retry_after)
        return response

    def _shown_again(self, form: forms.Form | None, *, named: bool) -> dict[str, Any]:
        """Fill in what was typed on a page that is loaded again, and return how somebody who is signed in goes on."""
        if isinstance(form, PageForm):
            form.refill({name: str(value) for name, value in self.request.POST.items() if name not in SECRET})
        session = self.browser.current()
        signed_in = (session.person.email or session.person.username) if session is not None and not named else ""
        return {"stale": wording.STALE, "signed_in": signed_in, "carry_on": self.onward_url}

    def problem(self, kind: str, *, status: int = 400, retry_after: int = 0) -> HttpResponse:
        """Render the page of something that stops here."""
        return problem(self.request, kind, status=status, place=self.place, again=self, retry_after=retry_after)


def hiding(client: AppClient) -> AppClient:
    """Return an app as the pages see it: whatever its API tells, its pages never show who has an account.

    A copy, since the held row is shared.
    """
    shown = copy.copy(client)
    shown.hide_existence = True
    return shown


def same_page(visit: Visit) -> str:
    """Return the address of the page where somebody is; that of the code's page for its button, which is none."""
    match = visit.request.resolver_match
    return visit.url("confirm") if match and match.url_name == "resend" else visit.request.get_full_path()


def problem(  # noqa: PLR0913 - a page has these parts
    request: HttpRequest,
    kind: str,
    *,
    status: int,
    place: str = "",
    again: Visit | None = None,
    retry: str = "",
    retry_after: int = 0,
    mismatch: Mismatch | None = None,
) -> HttpResponse:
    """Render an explanation of what stopped, with the request's id and, where that helps, a way to start again."""
    said = wording.PROBLEMS.get(kind, wording.PROBLEMS["invalid_request"])
    if again is not None and said.again == "same":
        retry = same_page(again)
    restart = again.url("sign_in") if again is not None and again.client is not None and said.again == "start" else ""
    response = render(
        request,
        "hosted/problem.html",
        {
            "said": said,
            "place": place,
            "failed": True,
            "retry": retry,
            "restart": restart,
            "mismatch": mismatch if redirect_mismatches.is_shown() else None,
            "request_id": (mismatch and mismatch.reference) or str(getattr(request, "request_id", "")),
        },
        status=status,
    )
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


Page = Callable[[Visit], HttpResponse]


def page(
    *, app: bool = True, methods: tuple[str, ...] = ("GET", "HEAD", "POST"), one_time: bool = True
) -> Callable[[Page], Callable[..., HttpResponse]]:
    """Make a view of a page: find the visit, guard its form, turn what goes wrong into a page, write the cookies.

    A form that is accepted is so one time, and its duplicate gets the same answer, unless it changes nothing.
    """

    def frame(inner: Page) -> Callable[..., HttpResponse]:
        @wraps(inner)
        def view(request: HttpRequest) -> HttpResponse:
            if request.method not in methods:
                response = problem(request, "method", status=405)
                response["Allow"] = ", ".join(methods)
                return response
            try:
                visit = Visit(request, needs_app=app)
            except errors.PoolNotFound:
                return problem(request, "not_found", status=404)
            except BadLink as stopped:
                return problem(request, stopped.kind, status=400, mismatch=stopped.mismatch)
            except SuspiciousOperation:
                return problem(request, "invalid_request", status=400)
            if request.method == "HEAD":
                return answer(inner, visit)  # a look: no step is taken, no notice read, and no older pool sent out
            return sent(inner, visit, one_time=one_time) if request.method == "POST" else dressed(inner, visit)

        view.judges_charset = True  # type: ignore[attr-defined]  # with a page of its own
        view.csrf_exempt = True  # type: ignore[attr-defined]  # guarded by pools.hosted.guard
        view.takes_forms = one_time and "POST" in methods  # type: ignore[attr-defined]
        return view

    return frame


def sent(inner: Page, visit: Visit, *, one_time: bool) -> HttpResponse:
    """Answer a form of ours, and its duplicate as the first of them."""
    request, browser = visit.request, visit.browser
    refused = refuse_others(visit)
    if refused is not None:
        return refused
    if one_time:
        token = request.POST.get(guard.FIELD, "")
        visit.receipt = once.receipt(request, visit.pool, token, browser=browser.nonce)
    elif not guard.is_present(request, browser, name_of(visit)):
        return refuse_form(visit, "a form that has no page")
    if visit.receipt is None:
        return dressed(inner, visit)
    return once.answered(
        request,
        visit.receipt,
        lambda: dressed(inner, visit),
        cookies=browser.cookies,
        browser=lambda _: browser.nonce,
    )


def refuse_others(visit: Visit) -> HttpResponse | None:
    """Return the answer to a form that another site sent, or that cannot be read; None for one that may be ours."""
    try:
        if getattr(visit.request, "is_foreign", False):
            # Our pages send nothing else, and another charset can spell what is no text.
            return visit.problem("invalid_request")
        guard.check_origin(visit.request)
        visit.request.POST  # noqa: B018 - read here
    except guard.FormRefused as refused:
        return refuse_form(visit, refused.detail)
    except (SuspiciousOperation, UnreadablePostError) as unreadable:
        log.info("form_unreadable", why=type(unreadable).__name__)
        return visit.problem("invalid_request")
    return None


def refuse_form(visit: Visit, why: str) -> HttpResponse:
    """Refuse a form that is not ours."""
    log.info("form_refused", page=name_of(visit), why=why)
    return visit.problem("form_refused", status=403)


def dressed(inner: Page, visit: Visit) -> HttpResponse:
    """Return the answer of a page with the cookies it sets."""
    return neighbours.make_room(visit, visit.browser.dress(answer(inner, visit)))


def name_of(visit: Visit) -> str:
    """Return the name of the page that is visited."""
    match = visit.request.resolver_match
    return (match.url_name if match else "") or ""


def answer(inner: Page, visit: Visit) -> HttpResponse:
    """Run the page, as if it had only been opened where its form is an old one, and explain what stops it."""
    name, method = name_of(visit), visit.request.method
    try:
        if method == "POST" and not guard.is_present(visit.request, visit.browser, name):
            log.info("form_stale", page=name)
            if name == "resend":  # a button of another page
                return SeeOther(same_page(visit))
            visit.is_stale, visit.request.method = True, "GET"
        return inner(visit)
    except (SuspiciousOperation, UnreadablePostError) as unreadable:
        log.info("form_unreadable", why=type(unreadable).__name__)
        return visit.problem("invalid_request")
    except errors.DomainError as refused:
        return explained(visit, refused)
    finally:
        visit.request.method = method


def explained(visit: Visit, refused: errors.DomainError) -> HttpResponse:
    """Explain what stopped a page, or lead to one from which it goes on."""
    match refused:
        case errors.Overloaded():
            return visit.problem("busy", status=429, retry_after=max(refused.retry_after, BUSY_SECONDS))
        case BadLink():
            return visit.problem(refused.kind)
        case errors.SessionRefused() | errors.InteractionExpired():
            return interrupted(visit)
        case receipts.AlreadyAccepted():
            return SeeOther(same_page(visit))  # what its duplicate was answered never came to be known
    # No page has words for it: the person starts again, and the log says what a page is missing.
    log.warning("refusal_without_words", page=name_of(visit), what=type(refused).__name__, why=refused.detail)
    return visit.problem("refused")


def interrupted(visit: Visit) -> HttpResponse:
    """Lead on from a page of a sign-in that is further by now, or over."""
    step = visit.step
    due = PAGE_OF.get(step.challenge, "")
    if step.session and due not in {"", name_of(visit)}:
        return visit.go(due)
    if visit.browser.current() is not None:
        return visit.go("sign_in")  # where whoever is signed in may carry on
    # The challenge is spent or too old: nothing of it is worth keeping.
    return visit.go("sign_in", Step(username=step.username, notice="expired"))
