"""A second factor is set up, of whichever kind: required at sign-in, offered after sign-up, wanted by the account page.

The way is one: a kind is chosen where there are several, what it lacks is given, its first code proves it. Where it
leads and by whom it begins, a ``SetUp`` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from identity.foundation import errors
from pools.hosted import factor_pages, wording
from pools.hosted.forms import AttributesForm, CodeForm
from pools.hosted.second_factors import AGAIN
from pools.services import assurance
from pools.services.codes import Purpose
from pools.services.sign_in import enrolment, factors, machine, own_factors
from pools.services.sign_in.machine import Challenge
from pools.services.tokens import sessions
from pools.web import factor_set_ups, resend_wait
from pools.web.browser import PageState
from pools.web.factor_set_ups import Enrol
from pools.web.page_forms import PageForm
from pools.web.page_request import PageRequest, SeeOther
from pools.web.page_view import page
from pools.web.sign_in_outcomes import proceed

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.models.hot import BrowserSession as Session
    from pools.models.hot import Person

OTHER_KIND, CHANGE = "other", "change"
"""What the buttons send by which somebody chooses another kind, or gives another number."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A set-up on one of the pages that have one."""

    page_request: PageRequest
    page: str
    """The page's name, which its template has too."""
    kinds: list[str]
    """Between which to choose."""
    enrol: Enrol
    prove: Callable[[str, str], Callable[[], HttpResponse]]
    """Proves a kind by its first code, and returns what leads on."""
    person: Person | None = None
    """Who sets it up; at sign-in nobody is told of them yet."""
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def page_state(self) -> PageState:
        """Return where the browser is."""
        return self.page_request.page_state

    @property
    def kind(self) -> str:
        """Return the kind that is being set up, empty while that is open."""
        chosen = self.page_state.factor or (self.kinds[0] if len(self.kinds) == 1 else "")
        return chosen if chosen in self.kinds else ""

    @property
    def asks_for(self) -> list[str]:
        """Return the attributes that have to be given first."""
        is_begun = factor_set_ups.is_begun(self.page_state, self.kind)
        if is_begun or self.page_state.required or self.person is None:
            return self.page_state.required
        return factor_pages.of(self.kind).lacks(self.person)

    def go(self, page_state: PageState) -> HttpResponse:
        """Stay on the page, with another state."""
        return self.page_request.go(self.page, page_state)


@page(directory=False)
def set_up(page_request: PageRequest) -> HttpResponse:
    """Set up a second factor on the way to the app: offered, or required by the machine."""
    page_state = page_request.page_state
    if page_state.challenge == Challenge.FACTOR_SETUP and page_state.attempt_token:
        return answer(required(page_request, page_state))
    session = page_request.browser.signed_in_session()
    if session is None:
        raise errors.AttemptTokenRefused(detail="nobody is signed in")
    if session.person.factors or not (page_state.kinds or page_state.secret):
        return SeeOther(page_request.onward_url)
    begins = page_request.is_form and not factor_set_ups.is_begun(page_state, offered(page_request, session).kind)
    if begins and not assurance.is_recent(session.auth_time):
        return SeeOther(page_request.onward_url)  # the account page asks for a proof first
    return answer(offered(page_request, session))


def required(page_request: PageRequest, page_state: PageState) -> SetUp:
    """Return the set-up that the pool requires, inside the machine's challenge."""

    def prove(kind: str, code: str) -> Callable[[], HttpResponse]:
        attempt_token = enrolment.prove_enrolment(
            page_request.app,
            page_state.attempt_token,
            kind,
            code,
            receipt=page_request.receipt,
            by=page_request.by,
        )

        def lead_on() -> HttpResponse:
            outcome = machine.respond(
                page_request.app,
                challenge=Challenge.FACTOR_SETUP,
                attempt_token=attempt_token,
                answers={},
                receipt=page_request.receipt,
                by=page_request.by,
            )
            return proceed(page_request, outcome, username=page_state.username)

        return lead_on

    return SetUp(
        page_request,
        "factor_setup",
        [factor.kind for factor in factors.open_in(page_request.pool)],
        factor_set_ups.within_sign_in(page_request, page_state.attempt_token),
        prove,
        context={"is_required": True, "progress": wording.PROGRESS["second_factor"]},
    )


def offered(page_request: PageRequest, session: Session) -> SetUp:
    """Return the set-up that somebody may go through who is signed in. "Not now" is a link to where they were going."""
    onward = page_request.onward_url

    def prove(kind: str, code: str) -> Callable[[], HttpResponse]:
        prove_own(page_request, session, kind, code)
        return lead_on

    def lead_on() -> HttpResponse:
        page_request.browser.keep(PageState())
        return SeeOther(onward)

    return SetUp(
        page_request,
        "factor_setup",
        [factor.kind for factor in factors.open_in(page_request.pool)],
        factor_set_ups.of_person(page_request, session.person, by=page_request.by_user(session)),
        prove,
        person=session.person,
        context={"onward": onward},
    )


def prove_own(page_request: PageRequest, session: Session, kind: str, code: str) -> None:
    """Prove what is pending, and have it asked for from now on: of others, not of this browser.

    Raises:
        What the factor refuses.

    """
    opening = sessions.prepare_step_up(page_request.pool, session, factors.named(kind).method)
    own_factors.prove(
        page_request.pool,
        session.person,
        kind,
        code,
        enable=True,
        opening=opening,
        receipt=page_request.receipt,
        by=page_request.by_user(session),
    )
    page_request.browser.open(opening.opened)


def answer(under_way: SetUp) -> HttpResponse:
    """Show how far a set-up is, or take a form of it."""
    if not under_way.page_request.is_form:
        return show(under_way)
    posted, page_state, kind = under_way.page_request.request.POST, under_way.page_state, under_way.kind
    action = posted.get("action", "")
    if "factor" in posted:
        return choose(under_way, posted["factor"])
    if not kind or action == OTHER_KIND:
        return under_way.go(replace(page_state, factor="", notice="", required=[]))
    if action == AGAIN and page_state.sent_to:
        return under_way.go(
            factor_set_ups.begin(page_state, kind, under_way.enrol, given=page_state.typed, sent="resent")
        )
    if action == CHANGE and page_state.typed:
        return under_way.go(replace(page_state, notice="", required=list(page_state.typed)))
    if not factor_set_ups.is_begun(page_state, kind):
        return take_given(under_way)
    return take_code(under_way)


def choose(under_way: SetUp, kind: str) -> HttpResponse:
    """Begin with a kind; one that is none of those leads back to the choice."""
    if kind not in under_way.kinds:
        return under_way.go(replace(under_way.page_state, factor="", notice="", required=[]))
    page_state = under_way.page_state
    return under_way.go(factor_set_ups.begin(page_state, kind, under_way.enrol, given=page_state.typed))


def take_given(under_way: SetUp) -> HttpResponse:
    """Begin by what somebody gives first, if it takes anything."""
    form = AttributesForm(under_way.asks_for, under_way.page_request.request.POST)
    if form.is_valid():
        try:
            return under_way.go(
                factor_set_ups.begin(under_way.page_state, under_way.kind, under_way.enrol, given=form.attributes())
            )
        except errors.Invalid as refusal:
            form.add_refusal(wording.of_value(refusal), refusal)
    return show(under_way, form)


def take_code(under_way: SetUp) -> HttpResponse:
    """End it by its first code."""
    form = CodeForm(under_way.page_request.request.POST)
    if form.is_valid():
        try:
            lead_on = under_way.prove(under_way.kind, form.cleaned_data["code"])
        except errors.DomainError as refusal:
            form.add_refusal(wording.of_second_factor(refusal), refusal)
        else:
            return lead_on()
    return show(under_way, form)


def show(under_way: SetUp, form: PageForm | None = None) -> HttpResponse:
    """Show the choice, what has to be given, or what it takes and the field of the first code."""
    page_request, page_state, kind = under_way.page_request, under_way.page_state, under_way.kind
    context = {
        **under_way.context,
        "username": page_state.username,
        "action": page_request.url(under_way.page),
        "choices": [factor_pages.of(each) for each in under_way.kinds] if not kind else [],
        "may_choose": len(under_way.kinds) > 1,
    }
    if not kind:
        return page_request.show(under_way.page, form=form or PageForm(), **context)
    pages, left = factor_pages.of(kind), 0
    context |= {"factor": pages, "enrol": f"hosted/parts/{kind}_enrol.html"}
    if factors.named(kind).sends_code:
        left = resend_wait.seconds_left(page_state, Purpose.SECOND_FACTOR)
        context |= {"notice": resend_wait.notice(page_state, left), "resend_in": left}
        known = pages.sent_to(under_way.person) if under_way.person is not None else ""
        context |= {"sent_to": page_state.sent_to or known}
    moves_focus, asks_for = True, under_way.asks_for
    if factor_set_ups.is_begun(page_state, kind):
        form, moves_focus = form or CodeForm(), pages.moves_focus(page_request)
        context |= {"is_begun": True, **pages.context(page_request, page_state)}
    elif asks_for:
        form = form or AttributesForm(asks_for, initial=page_state.typed)
        context |= {"asks_for": asks_for}
    shown = form or PageForm()
    response = page_request.show(under_way.page, form=shown.focus(is_moved=moves_focus), **context)
    return resend_wait.set_retry_after(response, left)
