"""Pages of a pool's users: find by prefix, look at one, disable, enable, sign out everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from identity.console import forms, receipts, wording
from identity.console.guard import actor, redirect_with_message, render
from identity.console.pages import PAGE, inside, page_token, pager, show_list
from identity.console.tables import Cell, Column, Empty, Table, Text, Tone, moment, state
from identity.foundation import errors
from pools.services import access
from pools.services.people import groups, users
from pools.services.sign_in import factors

if TYPE_CHECKING:
    from pools.models import User, UserPool
    from pools.models.user_listing import Listed

STATUS: dict[str, tuple[Text, Tone]] = {
    "CONFIRMED": (gettext_lazy("Confirmed"), "good"),
    "UNCONFIRMED": (gettext_lazy("Unconfirmed"), "warn"),
    "RESET_REQUIRED": (gettext_lazy("Must reset password"), "warn"),
    "FORCE_CHANGE_PASSWORD": (gettext_lazy("Must change password"), "warn"),
    "EXTERNAL_PROVIDER": (gettext_lazy("From a provider"), ""),
}


class Change(NamedTuple):
    """What an operator may do to a user, and how it is asked and told."""

    title: Text
    explanation: Text
    button: Text
    done: Text
    danger: bool


CHANGES = {
    "disable": Change(
        gettext_lazy("Disable this user?"),
        gettext_lazy(
            "They cannot sign in, and every token and session they hold stops working at once. Nothing is deleted; "
            "you can enable them again."
        ),
        gettext_lazy("Disable user"),
        gettext_lazy("%(name)s is disabled, and signed out everywhere."),
        danger=True,
    ),
    "enable": Change(
        gettext_lazy("Enable this user?"),
        gettext_lazy("They can sign in again with the password and authenticator they had."),
        gettext_lazy("Enable user"),
        gettext_lazy("%(name)s is enabled."),
        danger=False,
    ),
    "sign-out": Change(
        gettext_lazy("Sign this user out everywhere?"),
        gettext_lazy(
            "Every session, refresh token and access token they hold stops working at once. They can sign in again."
        ),
        gettext_lazy("Sign out everywhere"),
        gettext_lazy("%(name)s is signed out everywhere."),
        danger=True,
    ),
}


def as_filter(by: str, prefix: str) -> str | None:
    """Return a ListUsers filter for values that begin so; None for everyone."""
    if not prefix:
        return None
    escaped = prefix.replace("\\", "\\\\").replace('"', '\\"')
    return f'{by} ^= "{escaped}"'


def name_of(user: User | Listed) -> str:
    """Return what an operator knows a user by: the address where the username is only a number."""
    return user.email or user.phone_number or user.username if user.username == str(user.sub) else user.username


def full_name(user: User | Listed) -> str:
    """Return what a person is called."""
    return user.name or " ".join(filter(None, (user.given_name, user.family_name)))


def state_of(user: User | Listed) -> Cell:
    """Return a user's state as one badge."""
    return (
        state(gettext("Disabled"), "danger") if not user.enabled else state(*STATUS.get(user.status, (user.status, "")))
    )


@require_safe
def people(request: HttpRequest, pool_id: str) -> HttpResponse:
    """List a pool's users, those whose attribute begins with what was typed."""
    pool = access.pool(pool_id)
    usual = "email" if "email" in pool.username_attributes else "username"
    form = forms.UserSearch(request.GET if "prefix" in request.GET else None, initial={"by": usual})
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    by, prefix = wanted.get("by") or usual, wanted.get("prefix", "").strip()
    found: Sequence[Listed] = ()
    token = None
    refused = ""
    try:
        if not form.is_bound or form.is_valid():
            page = users.page(pool, PAGE, page_token(request), as_filter(by, prefix))
            found, token = page.rows, page.token
    except errors.Invalid as problem:
        if page_token(request):
            return HttpResponseRedirect(request.path)
        refused = wording.of(problem)
    columns = [
        Column(gettext("User")),
        Column(gettext("Name"), wide_only=True),
        Column(gettext("Status")),
        Column(gettext("Created"), wide_only=True),
    ]
    rows = [
        (
            Cell(name_of(user), href=reverse("console:user", args=[pool.public_id, user.sub]), note=str(user.sub)),
            Cell(full_name(user) or "–", note=user.email if user.email and user.email != name_of(user) else ""),
            state_of(user),
            moment(user.created_at),
        )
        for user in found
    ]
    nobody = (
        Empty(gettext("No users found"), refused or gettext("Try fewer letters, or search in another attribute."))
        if form.is_bound
        else Empty(
            gettext("No users yet"), gettext("Users appear here when they sign up, or when a program adds them.")
        )
    )
    table = Table(caption=gettext("Users"), columns=columns, rows=rows, empty=nobody, **pager(request, token))
    context = inside(pool, "users", table=table, form=form)
    return show_list(request, "users.html", context, 422 if refused or (form.is_bound and form.errors) else 200)


@require_safe
def person(request: HttpRequest, pool_id: str, sub: UUID) -> HttpResponse:
    """Show one user."""
    pool = access.pool(pool_id)
    user = access.user_by_sub(pool, sub)
    asked = [factors.named(held.kind) for held in factors.of(user) if held.enabled]
    facts = [
        (gettext("Username"), user.username),
        (gettext("Sub"), str(user.sub)),
        (
            gettext("Second factor"),
            ", ".join(factor.preference.replace("_", " ").lower() for factor in asked) or gettext("None"),
        ),
        (gettext("Groups"), ", ".join(group.name for group in groups.of(user)) or gettext("None")),
    ]
    changes = ["sign-out", "disable" if user.enabled else "enable"]
    context = inside(
        pool,
        "users",
        title=name_of(user),
        user_row=user,
        state=state_of(user),
        facts=facts,
        attributes=[(key, value) for key, value in users.attributes_of(user).items() if key != "sub"],
        changes=[confirmation(pool, user, key, forms.Confirm(name=name_of(user))) for key in changes],
    )
    context["crumbs"] += crumbs(pool)
    return render(request, "user.html", context)


def crumbs(pool: UserPool) -> list[tuple[str, str]]:
    """Return the way back to a pool's users."""
    return [
        (pool.name, reverse("console:pool", args=[pool.public_id])),
        (gettext("Users"), reverse("console:users", args=[pool.public_id])),
    ]


def confirmation(pool: UserPool, user: User, key: str, form: forms.Confirm) -> dict[str, Any]:
    """Return what the confirm part shows."""
    return {
        "key": key,
        "change": CHANGES[key],
        "form": form,
        "name": name_of(user),
        "action": reverse("console:change_user", args=[pool.public_id, user.sub, key]),
        "back": reverse("console:user", args=[pool.public_id, user.sub]),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pool_id: str, sub: UUID, key: str) -> HttpResponse:
    """Ask whether a user shall be disabled, enabled or signed out, and do it."""
    pool = access.pool(pool_id)
    user = access.user_by_sub(pool, sub)
    if key not in CHANGES:
        raise errors.NotFound
    form = forms.Confirm(request.POST or None, name=name_of(user))
    if request.method == "POST" and form.is_valid():
        receipt, by = receipts.of(request), actor(request)
        if key == "sign-out":
            users.global_sign_out(pool, user, receipt=receipt, by=by)
        else:
            users.set_enabled(pool, user, key == "enable", receipt=receipt, by=by)
        where = reverse("console:user", args=[pool.public_id, user.sub])
        return redirect_with_message(request, CHANGES[key].done % {"name": name_of(user)}, where)
    context = inside(pool, "users", title=CHANGES[key].title, confirmation=confirmation(pool, user, key, form))
    context["crumbs"] += [*crumbs(pool), (name_of(user), reverse("console:user", args=[pool.public_id, user.sub]))]
    return render(request, "confirm.html", context, 422 if form.is_bound else 200)
