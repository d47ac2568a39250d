"""Operators' sign-in: password, then the authenticator's code; a one-time link in the password's place.

Until both factors are shown the session holds only who has shown the first of them, for ten minutes; its id changes
with each.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login
from django_otp.plugins.otp_totp.models import TOTPDevice

from identity.console import forms, receipts, wording
from identity.console.guard import actor, inner_path, is_proven, operator, redirect_with_message, render
from identity.foundation import clock, errors, limits
from identity.models import Operator
from pools.services.operators import operator_sign_in, operators

PENDING = "pending"
PATIENCE = 600
STEPS = 2
BACKEND = "django.contrib.auth.backends.ModelBackend"


class PendingSignIn(NamedTuple):
    """An operator who has shown the first proof in this session."""

    operator: Operator
    by_link: bool


def pending_sign_in(request: HttpRequest) -> PendingSignIn | None:
    """Return who has shown the first factor in this session, unless that is too long ago or the password changed."""
    kept = request.session.get(PENDING)
    if not kept or kept["at"] + PATIENCE < clock.epoch():
        return None
    who = operators.operator_by_id(kept["operator"])
    if who is None or kept["mark"] != who.get_session_auth_hash():
        return None
    return PendingSignIn(who, kept["by_link"])


def keep_pending(request: HttpRequest, who: Operator, *, by_link: bool) -> None:
    """Start a session anew with what has been shown so far."""
    request.session.flush()
    request.session[PENDING] = {
        "operator": who.pk,
        "at": clock.epoch(),
        "mark": who.get_session_auth_hash(),
        "by_link": by_link,
    }


def go_in(request: HttpRequest, who: Operator, device: TOTPDevice) -> None:
    """Sign in: a new session id, both factors noted."""
    request.session.pop(PENDING, None)
    login(request, who, backend=BACKEND)
    otp_login(request, device)


def onward(request: HttpRequest) -> str:
    """Return where a finished sign-in leads."""
    return inner_path(request.GET.get("next", ""))


def with_next(request: HttpRequest, name: str) -> str:
    """Return a page of the sign-in that remembers where it leads."""
    wanted = request.GET.get("next", "")
    return reverse(name) + ("?" + urlencode({"next": wanted}) if wanted else "")


def step(number: int) -> str:
    """Say which step of setting an operator up this is."""
    return gettext("Step %(step)d of %(steps)d") % {"step": number, "steps": STEPS}


def show(request: HttpRequest, page: str, context: dict[str, Any], form: forms.Form, retry: int = 0) -> HttpResponse:
    """Show a step, with the status that its form's state deserves."""
    status = 429 if retry else 422 if form.is_bound and not form.is_valid() else 200
    answer = render(request, page, {**context, "form": form, "query": request.GET.urlencode()}, status)
    if retry:
        answer.headers["Retry-After"] = str(retry)
    return answer


def slow_down(address: str) -> None:
    """Slow down an address that tries many names.

    Raises:
        LockedOut: too many tries in this minute.

    """
    if not limits.take("operator-sign-in", address, limit=30, window=60):
        raise errors.LockedOut(retry_after=60)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password."""
    if is_proven(request):
        return HttpResponseRedirect(onward(request))
    form, retry = forms.SignIn(request.POST or None), 0
    if request.method == "POST" and form.is_valid():
        address = request.address  # type: ignore[attr-defined]
        given = form.cleaned_data
        try:
            slow_down(address)
            receipt = receipts.of(request)
            who = operator_sign_in.check_password(
                given["username"], given["password"], receipt=receipt, by=actor(request)
            )
        except errors.PasswordIncorrect as wrong:
            form.clean_or_blame(None, wording.of(wrong))
        except (errors.LockedOut, errors.Overloaded) as later:
            retry = later.retry_after
            form.clean_or_blame(None, wording.of(later))
        else:
            if operator_sign_in.enrolled(who):
                keep_pending(request, who, by_link=False)
                return HttpResponseRedirect(with_next(request, "console:code"), status=303)
            form.clean_or_blame(
                None,
                gettext("This operator has no authenticator yet. Ask for a one-time link: %(command)s")
                % {"command": f"manage.py create_operator --link {who.username}"},
            )
    return show(request, "sign_in.html", {"title": gettext("Sign in")}, form, retry)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the authenticator's code."""
    waiting = pending_sign_in(request)
    if waiting is None:
        return HttpResponseRedirect(with_next(request, "console:sign_in"))
    form, retry = forms.Code(request.POST or None), 0
    if request.method == "POST" and form.is_valid():
        who = waiting.operator
        try:
            given, receipt = form.cleaned_data["code"], receipts.of(request)
            device = operator_sign_in.check_code(who, given, receipt=receipt, by=actor(request, who))
        except (errors.TotpMismatch, errors.TotpUsed) as wrong:
            form.clean_or_blame("code", wording.of(wrong))
        except errors.TotpNotFound:
            return HttpResponseRedirect(with_next(request, "console:sign_in"), status=303)
        except errors.LockedOut as locked:
            retry = locked.retry_after
            form.clean_or_blame("code", wording.of(locked))
        else:
            go_in(request, who, device)
            return HttpResponseRedirect(onward(request), status=303)
    context = {"title": gettext("Two-step sign-in"), "who": waiting.operator.username}
    return show(request, "code.html", context, form, retry)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if request.user.is_authenticated:
        operator_sign_in.sign_out(operator(request), receipt=receipts.of(request), by=actor(request))
    logout(request)
    return redirect_with_message(request, gettext("You are signed out."), reverse("console:sign_in"))


@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Open a one-time link. Looking at it spends nothing, since mail scanners and previews look too."""
    token = request.GET.get("token", "")[:2048]
    try:
        if request.method != "POST":
            link = operator_sign_in.look_at_link(token, by=actor(request))
            context = {
                "title": gettext("Welcome"),
                "who": link.operator.username,
                "one_step": link.one_step,
                "query": request.GET.urlencode(),
            }
            return render(request, "link.html", context)
        link = operator_sign_in.spend_link(token, receipt=receipts.of(request), by=actor(request))
    except operator_sign_in.LinkRefused:
        waiting = pending_sign_in(request)
        if request.method != "POST" and waiting is not None and waiting.by_link:
            return HttpResponseRedirect(reverse(after_link(waiting.operator)))  # gone back to, when it was used
        context = {
            "title": gettext("Link expired"),
            "development": settings.MODE == "development",
            "demo": settings.DEMO,
        }
        return render(request, "link_refused.html", context, 410)
    who = link.operator
    device = operator_sign_in.authenticator(who) if link.one_step else None
    if device is not None:
        go_in(request, who, device)
        return HttpResponseRedirect(reverse("console:pools"), status=303)
    # Any other link is one proof, as a password is: whoever has an authenticator shows its code too.
    keep_pending(request, who, by_link=True)
    return HttpResponseRedirect(reverse(after_link(who)), status=303)


def after_link(who: Operator) -> str:
    """Name the page at which one who came by a link shows or sets what is missing."""
    if not who.has_usable_password():
        return "console:set_password"
    return "console:code" if operator_sign_in.enrolled(who) else "console:set_authenticator"


@sensitive_post_parameters("new_password")
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest) -> HttpResponse:
    """Let one who came by a link choose a password."""
    waiting = pending_sign_in(request)
    if waiting is None or not waiting.by_link or waiting.operator.has_usable_password():
        return HttpResponseRedirect(reverse("console:sign_in"))
    form, retry = forms.NewPassword(request.POST or None), 0
    if request.method == "POST" and form.is_valid():
        who = waiting.operator
        try:
            given, receipt = form.cleaned_data["new_password"], receipts.of(request)
            operators.set_password(who, given, receipt=receipt, by=actor(request, who))
        except errors.PasswordRejected as weak:
            form.clean_or_blame("new_password", wording.of(weak))
        except errors.Overloaded as busy:
            retry = busy.retry_after
            form.clean_or_blame(None, wording.of(busy))
        else:
            keep_pending(request, who, by_link=True)
            return HttpResponseRedirect(reverse(after_link(who)), status=303)
    context = {"title": gettext("Choose a password"), "who": waiting.operator.username, "step": step(1)}
    return show(request, "set_password.html", context, form, retry)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def set_authenticator(request: HttpRequest) -> HttpResponse:
    """Let one who came by a link enrol an authenticator; its first code signs in."""
    waiting = pending_sign_in(request)
    if waiting is None or not waiting.by_link or operator_sign_in.enrolled(waiting.operator):
        return HttpResponseRedirect(reverse("console:sign_in"))
    who = waiting.operator
    form, retry = forms.Code(request.POST or None), 0
    if request.method == "POST" and form.is_valid():
        try:
            given, receipt = form.cleaned_data["code"], receipts.of(request)
            device = operator_sign_in.confirm_enrolment(who, given, receipt=receipt, by=actor(request, who))
        except (errors.TotpMismatch, errors.TotpUsed) as wrong:
            form.clean_or_blame("code", wording.of(wrong))
        except errors.TotpNotFound:
            return HttpResponseRedirect(reverse("console:set_authenticator"), status=303)
        except errors.LockedOut as locked:
            retry = locked.retry_after
            form.clean_or_blame("code", wording.of(locked))
        else:
            go_in(request, who, device)
            return redirect_with_message(
                request, gettext("You are set up. Next time: password, then a code."), reverse("console:pools")
            )
    secret = operator_sign_in.pending_secret(who) or operator_sign_in.enrol(who, by=actor(request, who))
    address = f"otpauth://totp/Cognate:{who.username}?{urlencode({'secret': secret, 'issuer': 'Cognate'})}"
    drawing = segno.make(address, error="m", micro=False).svg_inline(
        border=2, omitsize=True, title=gettext("QR code"), desc=""
    )
    context = {
        "title": gettext("Set up your authenticator"),
        "who": who.username,
        "step": step(2),
        "drawing": drawing,
        "address": address,
        "spaced": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    }
    return show(request, "set_authenticator.html", context, form, retry)
