"""The account's page of second factors: which are on, which is asked for first; one is set up, or goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from identity.foundation import errors
from pools.hosted import factor_pages, factor_setup
from pools.hosted.factor_setup import SetUp
from pools.hosted.recent_proof import sign_in_first
from pools.services import assurance
from pools.services.sign_in import factors, own_factors
from pools.services.sign_in.own_factors import Preference
from pools.services.tokens.interactions import Kind
from pools.web import factor_set_ups
from pools.web.browser import PageState
from pools.web.page_forms import PageForm
from pools.web.page_request import PageRequest, account_name
from pools.web.page_view import page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.models.hot import BrowserSession as Session

REMOVAL = "removal"
"""What the page asks about before a factor goes."""


@page(app=False, directory=False)
def account_mfa(page_request: PageRequest) -> HttpResponse:
    """Show which second factors are on; change them after a fresh proof."""
    session = page_request.browser.signed_in_session()
    if session is None:
        return sign_in_first(page_request, PageState(), Kind.ACCOUNT_MFA)
    if not factors.open_in(page_request.pool):
        return page_request.problem("no_second_factor")
    under_way = wanted(page_request, session)
    if not page_request.is_form:
        return factor_setup.show(under_way) if under_way else show_settings(page_request, session)
    if not assurance.is_recent(session.auth_time):
        return sign_in_first(page_request, PageState(username=account_name(session), notice="prove"), Kind.ACCOUNT_MFA)
    change = CHANGES.get(page_request.request.POST.get("action", ""))
    if change is not None:
        return change(page_request, session)
    return factor_setup.answer(under_way) if under_way else page_request.go("account_mfa", PageState())


def settings(page_request: PageRequest, session: Session) -> list[dict[str, Any]]:
    """Return each kind that the pool lets people have: whether it is on, where its codes go, whether it may go."""
    pool, person = page_request.pool, session.person
    on = factors.asked_of(pool, person)
    return [
        {
            "pages": factor_pages.of(factor.kind),
            "is_on": factor.kind in on,
            "sent_to": factor_pages.of(factor.kind).sent_to(person),
            "is_needed": own_factors.is_needed(pool, person.factors, factor.kind),
            "is_only": set(on) <= {factor.kind},
        }
        for factor in factors.open_in(pool)
    ]


def show_settings(page_request: PageRequest, session: Session) -> HttpResponse:
    """Show what is on, and what is asked before one goes."""
    page_state, shown = page_request.page_state, settings(page_request, session)
    may_go = [each for each in shown if each["is_on"] and not each["is_needed"]]
    asked = page_state.factor if page_state.challenge == REMOVAL else ""
    on = [each["pages"] for each in shown if each["is_on"]]
    response = page_request.show(
        "account_mfa",
        form=PageForm(),
        settings=shown,
        leaving=next((each for each in may_go if each["pages"].kind == asked), None),
        first=[(each.kind, each.words.name) for each in on] if len(on) > 1 else [],
        preferred=factors.preferred(session.person),
    )
    if page_state.notice or page_state.challenge == REMOVAL:
        page_request.browser.keep(PageState())  # a notice is read once, and a question asked once
    return response


def named_kind(page_request: PageRequest) -> str:
    """Return the kind that a form is about; where it names none, the first, which alone was there before."""
    kinds = [factor.kind for factor in factors.open_in(page_request.pool)]
    named = page_request.request.POST.get("factor", kinds[0])
    return named if named in kinds else ""


def wanted(page_request: PageRequest, session: Session) -> SetUp | None:
    """Return the set-up that is under way here, if one is."""
    page_state, pool = page_request.page_state, page_request.pool
    kind = page_state.factor or (factors.open_in(pool)[0].kind if page_state.secret else "")
    is_open = kind in {factor.kind for factor in factors.open_in(pool)}.difference(
        factors.asked_of(pool, session.person)
    )
    if not is_open or page_state.challenge == REMOVAL:
        return None

    def prove(kind: str, code: str) -> Callable[[], HttpResponse]:
        factor_setup.prove_own(page_request, session, kind, code)
        notice = factor_pages.of(kind).set_up_notice
        return lambda: page_request.go("account_mfa", PageState(notice=notice))

    enrol = factor_set_ups.of_person(page_request, session.person, by=page_request.by_user(session))
    return SetUp(page_request, "account_mfa", [kind], enrol, prove, person=session.person)


def start(page_request: PageRequest, session: Session) -> HttpResponse:
    """Begin to set up a factor that is not on."""
    kind = named_kind(page_request)
    if not kind or kind in factors.asked_of(page_request.pool, session.person):
        return cancel(page_request, session)
    enrol = factor_set_ups.of_person(page_request, session.person, by=page_request.by_user(session))
    page_state = replace(page_request.page_state, username=account_name(session), challenge="")
    return page_request.go("account_mfa", factor_set_ups.begin(page_state, kind, enrol, given=page_state.typed))


def cancel(page_request: PageRequest, session: Session) -> HttpResponse:
    """Leave things as they are; what was asked for is remembered, so that a code is waited for as before."""
    del session
    page_state = page_request.page_state
    kept = PageState(
        username=page_state.username,
        sent_to=page_state.sent_to,
        typed=page_state.typed,
        codes_asked_at=page_state.codes_asked_at,
        limited=page_state.limited,
    )
    return page_request.go("account_mfa", kept)


def ask_before_removal(page_request: PageRequest, session: Session) -> HttpResponse:
    """Ask before a factor goes that is on."""
    kind = named_kind(page_request)
    if kind not in factors.asked_of(page_request.pool, session.person):
        return cancel(page_request, session)
    return page_request.go("account_mfa", PageState(challenge=REMOVAL, factor=kind))


def remove(page_request: PageRequest, session: Session) -> HttpResponse:
    """Remove a factor, unless the pool requires one and no other is on."""
    pool, kind = page_request.pool, named_kind(page_request)
    if kind not in factors.asked_of(pool, session.person):
        return cancel(page_request, session)
    try:
        own_factors.remove(pool, session.person, kind, receipt=page_request.receipt, by=page_request.by_user(session))
    except errors.Invalid:
        return show_settings(page_request, session)
    return page_request.go("account_mfa", PageState(notice=factor_pages.of(kind).removed_notice))


def prefer(page_request: PageRequest, session: Session) -> HttpResponse:
    """Have one of the factors that are on asked for first, or none, so that each sign-in asks which."""
    pool, on = page_request.pool, factors.asked_of(page_request.pool, session.person)
    first = page_request.request.POST.get("first", "")
    wishes = {first: Preference(enabled=True, preferred=True)} if first else dict.fromkeys(on, Preference(enabled=True))
    if len(on) < 2 or not wishes.keys() <= set(on):  # noqa: PLR2004 - one of one is no choice
        return cancel(page_request, session)
    own_factors.set_preference(
        pool, session.person, wishes, receipt=page_request.receipt, by=page_request.by_user(session)
    )
    return page_request.go("account_mfa", PageState(notice="preference_kept"))


CHANGES: dict[str, Callable[[PageRequest, Session], HttpResponse]] = {
    "start": start,
    "cancel": cancel,
    "remove": ask_before_removal,
    "remove_now": remove,
    "prefer": prefer,
}
"""By what a button sends; anything else is the set-up's that is under way."""
