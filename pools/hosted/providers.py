"""Signing in with an identity provider: the way there, the way back, and what is asked before an account is known.

What an answer of a provider means, and whose account it leads to, ``services.providers`` decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt

from identity.foundation import errors, limits
from pools.hosted import wording
from pools.hosted.forms import AttributesForm
from pools.ports import LoginDenied
from pools.services import receipts
from pools.services.pools import app_clients
from pools.services.providers import arrivals, identity_providers, joining, provider_rules, sign_outs, trial, trips
from pools.services.sign_in import machine
from pools.services.sign_in.vouched import Vouched
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind
from pools.web import problem_pages, request_context
from pools.web.browser import PageState
from pools.web.page_request import PageRequest, SeeOther
from pools.web.page_view import page
from pools.web.sign_in_outcomes import proceed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

    from pools.models import UserPool
    from pools.services.providers.arrivals import Arrival
    from pools.services.providers.trips import Kept

TRIPS, WINDOW = 60, 60
"""How many trips may begin from an address, and in how many seconds: each is a row."""
EMAIL = "email"
"""The parameter in which somebody says their address, whose domain says which provider is theirs."""
ARRIVAL = "arrival"
"""The parameter of the page that joins somebody to an account."""
PROBLEMS: dict[type[errors.DomainError], tuple[str, int]] = {
    LoginDenied: ("provider_denied", 403),
    errors.LoginRefused: ("provider_refused", 400),
    errors.OutsideUnavailable: ("provider_away", 503),
    errors.UserDisabled: ("disabled", 403),
    errors.UserNotConfirmed: ("provider_unfit", 403),
    errors.LockedOut: ("locked", 429),
    joining.UsernameTaken: ("provider_unfit", 409),
    errors.LimitExceeded: ("provider_unfit", 400),
    errors.Invalid: ("provider_unfit", 400),
}
"""By what stops somebody, the page that says so and its status. A subclass stands above its base."""


def choices(page_request: PageRequest) -> dict[str, Any]:
    """Return what the login page offers beside name and password: the app's providers, each with its way there."""
    client = page_request.client
    offered = trips.offered(client) if client is not None else []
    query = page_request.query
    there, has_directory = reverse("hosted:provider"), client is None or app_clients.has_directory(client)
    return {
        "providers": [
            {
                "name": provider.name,
                "kind": provider.type,
                "label": about.button if about is not None else "",
                "mark": about.mark if about is not None else "",
                "href": f"{there}?{urlencode({'identity_provider': provider.name})}{f'&{query}' if query else ''}",
            }
            for provider, about in ((each, provider_rules.about(each.type)) for each in offered)
        ],
        "last_way": page_request.browser.last_way if len(offered) + has_directory > 1 else "",
        "by_domain": any(map(identity_providers.identifiers, offered)),
        "carried": [*page_request.parameters.items()],
        "provider_page": there,
        "email_field": EMAIL,
        "has_directory": has_directory,
    }


@page(methods=("GET", "HEAD"), directory=False)
def start(page_request: PageRequest) -> HttpResponse:
    """Send somebody to the provider that the address names."""
    parameters = dict(page_request.parameters)
    if address := parameters.get(EMAIL, ""):
        parameters |= {"idp_identifier": address.rpartition("@")[2].lower(), "login_hint": address}
    provider = trips.asked(page_request.app, parameters)
    if provider is None:
        return page_request.problem("unknown_organisation" if address else "unknown_provider")
    if not limits.take("provider-trips", page_request.by.address, limit=TRIPS, window=WINDOW):
        return page_request.problem("busy", status=429, retry_after=WINDOW)
    if page_request.request.method == "HEAD":
        return page_request.go("sign_in")
    wishes = trips.wishes(page_request.app, provider, parameters)
    try:
        url = trips.depart(
            page_request.app,
            provider,
            query=page_request.query,
            back=own_address(page_request.request),
            browser=page_request.browser.trip_secret(),
            wishes=wishes,
        )
    except errors.DomainError as refusal:
        return explain(page_request, refusal)
    return SeeOther(url)


@page(app=False, methods=("GET", "HEAD"), directory=False)
def form(page_request: PageRequest) -> HttpResponse:
    """Show the form that a browser posts at once to a provider which takes no redirect."""
    try:
        found = trips.form(page_request.pool, str(page_request.request.GET.get(trips.FORM, "")))
    except errors.InteractionExpired:
        return page_request.problem("provider_expired")
    return page_request.show("saml_answer", answer=found, is_on_the_way=True)


@csrf_exempt
def answer(request: HttpRequest) -> HttpResponse:
    """Take what a provider sends by the browser: in the address, or by a form of its own page, which has no cookies."""
    if request.method not in {"GET", "POST"}:
        return take(request)
    sent = request.POST if request.method == "POST" else request.GET
    given = {name: str(sent[name]) for name in sent}
    led = lead_on(request, given, trial.land)
    if led is None and request.method == "POST":  # OAuth 2.0 Form Post Response Mode
        led = lead_on(request, given, trips.land)
    return led or take(request)


answer.judges_charset = True  # type: ignore[attr-defined]  # whatever it is, it is no answer of ours


def lead_on(
    request: HttpRequest, given: Mapping[str, str], land: Callable[[UserPool, str, Mapping[str, str]], str | None]
) -> HttpResponse | None:
    """Keep an answer, and send its browser to where its cookies are; None where ``land`` knows of no such trip."""
    try:
        where = land(request_context.pool_of(request), given.get("state", ""), given)
    except errors.PoolNotFound:
        return problem_pages.show(request, "not_found", status=404)
    except errors.InteractionExpired:
        return problem_pages.show(request, "provider_expired", status=400)
    return SeeOther(where) if where else None


def own_address(request: HttpRequest) -> str:
    """Return the address for answers at the host that was asked, which the middleware found configured."""
    return request.build_absolute_uri(reverse("hosted:provider_answer"))


@page(app=False, methods=("GET", "HEAD"), directory=False)
def take(page_request: PageRequest) -> HttpResponse:
    """End the trip with the answer, and lead to the page that joins who came to an account."""
    pool, browser = page_request.pool, page_request.browser.trip_secret()
    given = {name: str(page_request.request.GET[name]) for name in page_request.request.GET}
    state = given.get("state", "")
    if page_request.request.method == "HEAD":
        return page_request.problem("provider_expired")
    try:
        trip = trips.end(pool, state, browser=browser)
        if "landing" in given:
            given = trips.landed(pool, state, given["landing"])
    except errors.InteractionExpired:
        if "landing" not in given and trips.began_elsewhere(pool, state, own_address(page_request.request)):
            return SeeOther(trips.land(pool, state, given))
        return over(page_request, trips.purpose(pool, state, browser=browser))
    return arrive(page_request, trip, given)


def arrive(page_request: PageRequest, trip: trips.Trip, given: Mapping[str, str]) -> HttpResponse:
    """Read who came back, and lead to the page that joins them to an account."""
    pool, browser = page_request.pool, page_request.browser.trip_secret()
    page_request.carry(trip.query)
    try:
        arrival = trips.finish(pool, trip, given, by=page_request.by)
    except errors.DomainError as refusal:
        return explain(page_request, refusal)
    kept = trips.keep(pool, arrival, trip.query, browser=browser)
    return SeeOther(join_url(page_request, str(kept)))


@page(app=False, methods=("GET", "HEAD"), directory=False)
def left(page_request: PageRequest) -> HttpResponse:
    """Go on with somebody who has signed out at their provider."""
    try:
        return SeeOther(sign_outs.left(page_request.pool, page_request.request.GET.get("state", "")))
    except errors.InteractionExpired:
        return page_request.go("signed_out")


def join_url(page_request: PageRequest, arrival_id: str) -> str:
    """Return the address of the page that joins who came, which is the app's as all are."""
    carried = {
        name: page_request.parameters[name]
        for name in ("client_id", "redirect_uri", "lang", "ui_locales")
        if name in page_request.parameters
    }
    return f"{reverse('hosted:join')}?{urlencode({**carried, ARRIVAL: arrival_id})}"


@page(directory=False)
def join(page_request: PageRequest) -> HttpResponse:
    """Sign in who came; before, ask what their account lacks, and whether one that has their address is theirs."""
    arrival_id, browser = page_request.parameters.get(ARRIVAL, ""), page_request.browser.trip_secret()
    try:
        kept = trips.kept(page_request.pool, arrival_id, browser=browser)
    except errors.InteractionExpired:
        return over(page_request, trips.purpose_of_arrival(page_request.pool, arrival_id, browser=browser))
    if page_request.request.method == "HEAD":
        return page_request.problem("provider_expired")
    arrival, pool = kept.arrival, page_request.pool
    if joining.is_known(pool, arrival):
        return finish(page_request, kept)
    # An app to which the pool's own people do not come has no page on which to prove anything.
    owner = joining.owner_of_address(pool, arrival) if app_clients.has_directory(page_request.app) else None
    if owner is not None and has_proven(page_request, owner, kept):
        return finish(page_request, kept, proven=owner)
    form = AttributesForm(arrivals.missing(pool, arrival), page_request.request.POST if page_request.is_form else None)
    if page_request.is_form and fits(page_request, form):
        return finish(page_request, kept, given=form.attributes())
    if page_request.is_form or owner is not None or form.fields:
        return ask(page_request, arrival, form, owner)
    return finish(page_request, kept)


def has_proven(page_request: PageRequest, owner: joining.Owner, kept: Kept) -> bool:
    """Say whether somebody has signed in to an account here since they came from the provider."""
    session = page_request.browser.signed_in_session()
    return session is not None and session.person.id == owner.user_id and session.auth_time >= kept.since


def fits(page_request: PageRequest, form: AttributesForm) -> bool:
    """Say whether what was filled in is what the pool wants, and put at its field what is not."""
    form.is_valid()
    return form.add_refusals(joining.problems(page_request.app, form.attributes()), wording.of_attribute)


def ask(page_request: PageRequest, arrival: Arrival, form: AttributesForm, owner: joining.Owner | None) -> HttpResponse:
    """Show what is asked before somebody's account is known."""
    prove = {**page_request.parameters, **interactions.parameters_of(Kind.ARRIVAL)}
    if owner is not None:
        page_request.browser.keep_for(urlencode(prove), PageState(username=owner.email))
    return page_request.show(
        "join",
        form=form.focus(),
        provider=arrival.provider,
        email=owner.email if owner is not None else "",
        prove=f"{reverse('hosted:sign_in')}?{urlencode(prove)}",
        own=page_request.own_url,
    )


def finish(
    page_request: PageRequest,
    kept: Kept,
    *,
    given: dict[str, str] | None = None,
    proven: joining.Owner | None = None,
) -> HttpResponse:
    """Join who came to an account, once, and let the machine sign them in."""
    arrival = kept.arrival
    page_request.carry(kept.query)
    page_request.provider = arrival.provider
    provider = trips.named(page_request.app, name=arrival.provider)
    try:
        if provider is None:
            return page_request.problem("unknown_provider")
        user = joining.join(
            page_request.app,
            arrival,
            given=given,
            proven=proven.user_id if proven is not None else None,
            spend=lambda: receipts.keep(page_request.receipt) or kept.spend(),
            by=page_request.by,
        )
        vouched = Vouched(
            user.id,
            arrival.provider,
            arrival.methods,
            arrival.level,
            arrival.authenticated_at,
            session=arrival.session,
            asks_second_factor=provider.asks_second_factor,
        )
        outcome = machine.begin_upstream(page_request.app, vouched, by=page_request.by)
    except errors.DomainError as refusal:
        return explain(page_request, refusal)
    return proceed(page_request, outcome, username=user.username)


def over(page_request: PageRequest, query: str) -> HttpResponse:
    """Say that a sign-in is over; whoever began it in this browser is led to the start of what they came for."""
    if query:
        page_request.carry(query)
    return page_request.problem("provider_expired")


def explain(page_request: PageRequest, refusal: errors.DomainError) -> HttpResponse:
    """Say what stopped somebody, with a way on; what has no page here is explained as on every page."""
    for kind in type(refusal).__mro__:
        if kind in PROBLEMS:
            name, status = PROBLEMS[kind]
            return page_request.problem(name, status=status)
    raise refusal
