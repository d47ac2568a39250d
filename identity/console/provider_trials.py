"""Pages on which an operator tries an identity provider: there and back, and what came back. Nobody is signed in.

What a try is bound to, and what it means, is ``services.providers.trial``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET

from identity.console import wording
from identity.console.guard import actor, operator, redirect_with_message, render
from identity.console.pages import inside
from identity.console.providers import address, crumbs
from identity.console.tables import Cell, Column, Empty, Table, code, state
from identity.foundation import errors, limits
from pools.ports import LoginDenied
from pools.services import access
from pools.services.providers import identity_providers, trial
from pools.services.providers.joining import Leads

if TYPE_CHECKING:
    from identity.console.tables import Text
    from pools.models import IdentityProvider, UserPool
    from pools.services.providers.trial import Mapped, Report

TRIES, WINDOW = 60, 60
"""How many tries an operator may begin, and in how many seconds: each is a row."""
LEADS: dict[Leads, Text] = {
    Leads.KNOWN: gettext_lazy("To the account that signed in by it before."),
    Leads.LINKED: gettext_lazy("To the account that was linked to it."),
    Leads.ASKED: gettext_lazy(
        "To a question: the account below has the same verified address, and whoever proves that it is theirs has both."
    ),
    Leads.NEW: gettext_lazy("To a new account."),
}


def session_secret(request: HttpRequest) -> str:
    """Return what a try is bound to: this operator's session here, which no other browser has."""
    return f"operator:{operator(request).pk}:{request.session.session_key}"


@require_GET
def begin(request: HttpRequest, pool_id: str, provider_id: UUID) -> HttpResponse:
    """Send the operator's browser to the provider. A link, since no form of ours may lead to another site."""
    pool = access.pool(pool_id)
    row = identity_providers.by_id(pool, provider_id)
    if not limits.take("provider-tries", str(operator(request).pk), limit=TRIES, window=WINDOW):
        raise errors.Overloaded
    back = f"{settings.CONSOLE_URL}{address(pool, row, 'tried_provider')}"
    try:
        url = trial.begin(pool, row, back=back, session=session_secret(request))
    except (errors.OutsideUnavailable, identity_providers.ProviderNotSupported) as problem:
        return redirect_with_message(request, wording.of(problem), address(pool, row), level=messages.ERROR)
    return HttpResponseRedirect(url, status=303)


@require_GET
def end(request: HttpRequest, pool_id: str, provider_id: UUID) -> HttpResponse:
    """Show what came back, once."""
    pool = access.pool(pool_id)
    row = identity_providers.by_id(pool, provider_id)
    try:
        report = trial.end(
            pool,
            row,
            state=request.GET.get("state", ""),
            landing=request.GET.get("landing", ""),
            session=session_secret(request),
            by=actor(request),
        )
    except errors.InteractionExpired:
        text = gettext("That test is over, or another session began it. Begin a new one.")
        return redirect_with_message(request, text, address(pool, row), level=messages.ERROR)
    title = gettext("What came back from %(name)s") % {"name": row.name}
    context = inside(pool, "providers", title=title, provider=row, report=report, failed=bool(report.refusal))
    context |= {"again": address(pool, row, "try_provider"), "back": address(pool, row)}
    context |= refusal(report) if report.refusal is not None else shown(pool, row, report)
    context["crumbs"] += crumbs(pool, row)
    return render(request, "provider_tried.html", context)


def refusal(report: Report) -> dict[str, Any]:
    """Return what the page says where the provider told nothing."""
    problem = report.refusal
    assert problem is not None  # noqa: S101 - for the type
    told = problem.parameters
    said = " – ".join(str(told[name]) for name in ("error", "description") if told.get(name))
    heading = (
        gettext("The provider, or whoever was asked there, said no")
        if isinstance(problem, LoginDenied)
        else gettext("The sign-in did not work")
    )
    return {"heading": heading, "words": wording.of(problem), "said": said, "detail": problem.detail}


def shown(pool: UserPool, provider: IdentityProvider, report: Report) -> dict[str, Any]:
    """Return what the page shows of who came."""
    foreseen = report.foreseen
    account = foreseen.sub if foreseen is not None else None
    problems = [*report.problems, *([foreseen.problem] if foreseen is not None and foreseen.problem else [])]
    return {
        "leads": LEADS[foreseen.leads] if foreseen is not None else "",
        "foreseen": foreseen,
        "account": reverse("console:user", args=[pool.public_id, account]) if account is not None else "",
        "problems": [wording.of(each) for each in problems],
        "unfit": [each.attribute for each in report.mapped if each.problem is not None],
        "asks": provider.asks_second_factor and pool.mfa != "OFF",
        "mapped": Table(
            caption=gettext("How it becomes attributes"),
            columns=(
                Column(gettext("Attribute")),
                Column(gettext("From the claim"), wide_only=True),
                Column(gettext("Value")),
            ),
            rows=[(code(each.attribute), code(each.claim), value_of(each)) for each in report.mapped],
            empty=Empty(gettext("Nothing is mapped"), gettext("Map claims on the provider’s page.")),
            id="mapped",
        ),
        "claims": Table(
            caption=gettext("All that the provider told"),
            columns=(Column(gettext("Claim")), Column(gettext("Value"))),
            rows=[(code(name), Cell(text)) for name, text in report.claims],
            empty=Empty(gettext("Nothing"), gettext("The provider told nothing beside who it is.")),
            id="claims",
        ),
    }


def value_of(mapped: Mapped) -> Cell:
    """Return what became of a row of the mapping."""
    if mapped.problem is not None:
        return Cell(mapped.value, note=wording.of(mapped.problem))
    return Cell(mapped.value) if mapped.value else state(gettext("Not told"), "warn")
