"""What a message says: Cognito's placeholders filled in, the installation's own words where a pool has none.

Makes text and HTML in the language of whoever asks for it; who gets it and when is ``messages``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.template.loader import get_template
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, get_language_bidi, gettext, gettext_lazy

from identity.foundation import clock
from pools.models import AppClient, UserPool
from pools.services.pools import app_clients, pool_domains
from pools.services.pools.message_templates import CODE, LINK, NAME, verification

SUBJECT_LENGTH = 140


@dataclass(frozen=True, slots=True)
class Words:
    """The installation's own words for one purpose."""

    subject: Promise
    title: Promise
    line: Promise
    sms: Promise
    note: Promise


IGNORE = gettext_lazy("If you did not ask for this, you can ignore this message. Never give the code to anyone.")
WORDS = {
    "sign_up": Words(
        gettext_lazy("Your verification code"),
        gettext_lazy("Confirm your account"),
        gettext_lazy("Enter this code to confirm your account. It is good for 24 hours."),
        gettext_lazy("Your verification code is {####}"),
        IGNORE,
    ),
    "recovery": Words(
        gettext_lazy("Your password reset code"),
        gettext_lazy("Reset your password"),
        gettext_lazy("Enter this code to choose a new password. It is good for one hour."),
        gettext_lazy("Your password reset code is {####}"),
        gettext_lazy(
            "If you did not ask for this, your password is still safe: ignore this message and give the code to nobody."
        ),
    ),
    "reset": Words(
        gettext_lazy("Your password reset code"),
        gettext_lazy("Choose a new password"),
        gettext_lazy(
            "An administrator ended the password of your account. Enter this code to choose a new one. "
            "It is good for one hour."
        ),
        gettext_lazy("Your password was ended by an administrator. Your password reset code is {####}"),
        gettext_lazy("Never give the code to anyone. You can ask for another one where you sign in."),
    ),
    "email": Words(
        gettext_lazy("Your verification code"),
        gettext_lazy("Confirm your email address"),
        gettext_lazy("Enter this code to confirm this address. It is good for 24 hours."),
        gettext_lazy("Your verification code is {####}"),
        IGNORE,
    ),
    "phone_number": Words(
        gettext_lazy("Your verification code"),
        gettext_lazy("Confirm your phone number"),
        gettext_lazy("Enter this code to confirm this number. It is good for 24 hours."),
        gettext_lazy("Your verification code is {####}"),
        IGNORE,
    ),
    "second_factor": Words(
        gettext_lazy("Your sign-in code"),
        gettext_lazy("Sign in"),
        gettext_lazy("Enter this code to sign in. It is good for a few minutes."),
        gettext_lazy("Your authentication code is {####}"),
        gettext_lazy(
            "If you are not signing in, somebody else knows your password: change it. Give the code to nobody."
        ),
    ),
    "invitation": Words(
        gettext_lazy("Your temporary password"),
        gettext_lazy("Your account is ready"),
        gettext_lazy("Sign in as {username} with this temporary password; you will choose your own at once."),
        gettext_lazy("Your username is {username} and temporary password is {####}."),
        gettext_lazy("If you did not expect this invitation, you can ignore it."),
    ),
}


class Change(StrEnum):
    """What an owner is told of, by mail."""

    PASSWORD = "password"  # noqa: S105 - a change
    PASSWORD_BY_OPERATOR = "password_by_operator"  # noqa: S105
    TEMPORARY_PASSWORD = "temporary_password"  # noqa: S105
    APP_ADDED = "app_added"
    APP_REMOVED = "app_removed"
    CODES_ON = "codes_on"
    CODES_OFF = "codes_off"
    TEXTS_ADDED = "texts_added"
    TEXTS_REMOVED = "texts_removed"


BY_OPERATOR = frozenset({Change.PASSWORD_BY_OPERATOR, Change.TEMPORARY_PASSWORD})
CHANGES = {
    Change.PASSWORD: (
        gettext_lazy("Your password was changed"),
        gettext_lazy("The password of your account was changed."),
    ),
    Change.PASSWORD_BY_OPERATOR: (
        gettext_lazy("Your password was changed"),
        gettext_lazy("An administrator set the password of your account anew."),
    ),
    Change.TEMPORARY_PASSWORD: (
        gettext_lazy("You have a temporary password"),
        gettext_lazy("An administrator set a temporary password for your account, in place of yours."),
    ),
    Change.APP_ADDED: (
        gettext_lazy("Authenticator app added"),
        gettext_lazy("An authenticator app was set up for your account."),
    ),
    Change.APP_REMOVED: (
        gettext_lazy("Authenticator app removed"),
        gettext_lazy("The authenticator app of your account was removed. A password alone opens it."),
    ),
    Change.CODES_ON: (
        gettext_lazy("Codes are asked for at sign-in"),
        gettext_lazy("Codes of your authenticator app are asked for at sign-in."),
    ),
    Change.CODES_OFF: (
        gettext_lazy("Codes are no longer asked for at sign-in"),
        gettext_lazy("Codes of your authenticator app are no longer asked for at sign-in."),
    ),
    Change.TEXTS_ADDED: (
        gettext_lazy("Codes by text message are asked for at sign-in"),
        gettext_lazy("A code is sent to your phone number when somebody signs in to your account, and asked for."),
    ),
    Change.TEXTS_REMOVED: (
        gettext_lazy("Codes by text message are no longer asked for at sign-in"),
        gettext_lazy("No code is sent to your phone number any more when somebody signs in to your account."),
    ),
}
"""By change: the subject, and the line that a time follows."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A message, ready to go."""

    subject: str
    text: str
    html: str
    has_sheet: bool = False
    """Its styles stand in a sheet of ours, to be written into its elements by whoever delivers it (``styles``)."""


def confirmation_link(pool: UserPool, client: AppClient, username: str, code: str) -> str:
    """Return the address that confirms an account by one click. From configuration, never from a request."""
    query = urlencode(
        {
            "client_id": client.client_id,
            "user_name": username,
            "confirmation_code": code,
        }
    )
    return f"{pool_domains.address(pool)}/confirmUser?{query}"


def reminder(pool: UserPool, client: AppClient) -> Composed:
    """Return the mail to somebody who signs up again. Links are from configuration; nothing in it was typed."""
    app = app_clients.name_for_people(pool, client)
    query = urlencode({"client_id": client.client_id})
    address = pool_domains.address(pool)
    sign_in, reset = f"{address}/login?{query}", f"{address}/forgotPassword?{query}"
    subject = gettext("You already have an account")
    line = gettext(
        "Somebody, probably you, just asked for a new account at %(app)s with this address. It has one already."
    ) % {"app": app}
    note = gettext("If it was not you, there is nothing to do: your account is as it was.")
    links = [
        gettext("Sign in: %(link)s") % {"link": sign_in},
        gettext("Forgot your password? Choose a new one: %(link)s") % {"link": reset},
    ]
    text = "\n\n".join([subject, line, *links, note]) + "\n"
    context = {
        **_frame(app, subject),
        "preheader": line,
        "title": subject,
        "lines": [line],
        "link": sign_in,
        "link_text": gettext("Sign in"),
        "other_line": gettext("Forgot your password?"),
        "other_link": reset,
        "other_text": gettext("Choose a new one"),
        "note": note,
    }
    return _in_our_frame(subject, text, context)


def notice(pool: UserPool, change: Change, *, client_id: str, app: str) -> Composed:
    """Return the mail that tells an owner of a change: what, when, and what to do if it was somebody else.

    ``client_id`` is of the app at whose pages a password is reset, if any; ``app`` signs it.
    """
    subject, line = map(str, CHANGES[change])
    moment = date_format(clock.now().astimezone(UTC), "DATETIME_FORMAT")
    lines = [line, gettext("When: %(moment)s UTC.") % {"moment": moment}]
    if client_id:
        reset = f"{pool_domains.address(pool)}/forgotPassword?{urlencode({'client_id': client_id})}"
        lines.append(gettext("If it was not you, choose a new password now."))
        link = {"link": reset, "link_text": gettext("Reset your password")}
    else:
        lines.append(gettext("If it was not you, tell the people who run this service."))
        link = {}
    note = gettext("If it was you, there is nothing to do.")
    text = "\n\n".join([subject, *lines, *([link["link"]] if link else []), note]) + "\n"
    context = {**_frame(app, subject), "preheader": lines[0], "title": subject, "lines": lines, "note": note, **link}
    return _in_our_frame(subject, text, context)


def certificate_ends(pool: UserPool, provider: str, end: datetime) -> Composed:
    """Return the mail that tells operators that a provider's last certificate ends."""
    subject = gettext("The certificate of %(provider)s ends soon") % {"provider": provider}
    moment = date_format(end.astimezone(UTC), "DATETIME_FORMAT")
    lines = [
        gettext("People sign in to the pool %(pool)s by the identity provider %(provider)s.")
        % {"pool": pool.name, "provider": provider},
        gettext("The last of its certificates that we know ends at %(moment)s UTC.") % {"moment": moment},
    ]
    note = gettext(
        "Ask those who run it for metadata with the next one, and give them to us before they change it: in the "
        "console, among the pool’s identity providers. Where metadata are read at an address, that happens by itself."
    )
    text = "\n\n".join([subject, *lines, note]) + "\n"
    context = {**_frame("", subject), "preheader": lines[1], "title": subject, "lines": lines, "note": note}
    return _in_our_frame(subject, text, context)


def _frame(app: str, subject: str) -> dict[str, Any]:
    return {
        "language": get_language(),
        "direction": "rtl" if get_language_bidi() else "ltr",
        "subject": subject,
        "app": app,
        "foot": gettext("Sent automatically by %(app)s. Replies are not read.") % {"app": app}
        if app
        else gettext("Sent automatically. Replies are not read."),
    }


def mail(pool: UserPool, purpose: str, *, secret: str, username: str = "", link: str = "", app: str = "") -> Composed:
    """Return a mail: the pool's own template where it has one, else ours; a text part always. ``app`` signs it."""
    words = WORDS[purpose]
    own, own_subject = _own_mail(pool, purpose, by_link=bool(link))
    fill = _fill(purpose, secret, username)
    ours = gettext("Your verification link") if link else str(words.subject)
    subject = _one_line(_filled(own_subject or ours, fill))[:SUBJECT_LENGTH]
    context = _frame(app, subject)
    if own:
        body = _filled(own, {key: html.escape(value) for key, value in fill.items()})
        if link:
            body = LINK.sub(lambda found: f'<a href="{html.escape(link)}">{found.group(1)}</a>', body)
        text = _as_text(body)
        if re.search(r"<html[\s>]", body, re.IGNORECASE):
            return Composed(subject, text, body)
        context |= {"preheader": text[:100], "own": mark_safe(body)}  # noqa: S308 - the operator's own template, names and codes escaped
    else:
        line = _filled(str(words.line), {NAME: username})
        shown = {"invitation": "secret"}.get(purpose, "code")
        if link:
            line = gettext("Open this link to confirm your account. It is good for 24 hours.")
            context |= {"link": link, "link_text": gettext("Confirm account")}
        else:
            context |= {shown: secret}
        text = f"{words.title}\n\n{line}\n\n{link or secret}\n\n{words.note}\n"
        context |= {
            "preheader": line,
            "title": words.title,
            "lines": [line],
            "note": words.note,
        }
    return _in_our_frame(subject, text, context)


def _in_our_frame(subject: str, text: str, context: Mapping[str, Any]) -> Composed:
    return Composed(subject, text, get_template("messages/mail.html").render(dict(context)), has_sheet=True)


def sms(pool: UserPool, purpose: str, *, secret: str, username: str = "") -> Composed:
    """Return an SMS: the pool's own text where it has one, else ours. A code's last line is for the telephone."""
    template = _own_sms(pool, purpose) or str(WORDS[purpose].sms)
    text = _one_line(_filled(template, _fill(purpose, secret, username)))
    # An invitation's secret is a password, which no telephone fills in.
    return Composed("", text if purpose == "invitation" else f"{text}\n\n{_for_autofill(secret)}", "")


def _for_autofill(code: str) -> str:
    """Return the line by which a telephone fills a code in at our own pages and no others (origin-bound codes).

    The host is configuration's, without the port, which the format has no place for.
    """
    return f"@{urlsplit(settings.BASE_URL).hostname} #{code}"


def _own_mail(pool: UserPool, purpose: str, *, by_link: bool) -> tuple[str, str]:
    if purpose == "invitation":
        invitation = _invitation(pool)
        return invitation.get("email_message", ""), invitation.get("email_subject", "")
    template = verification(pool)
    if by_link:
        return template.get("email_message_by_link", ""), template.get("email_subject_by_link", "")
    return template.get("email_message", ""), template.get("email_subject", "")


def _own_sms(pool: UserPool, purpose: str) -> str:
    if purpose == "invitation":
        return str(_invitation(pool).get("sms_message", ""))
    if purpose == "second_factor":
        return str(pool.configuration.get("sms_authentication_message") or "")
    return str(verification(pool).get("sms_message", ""))


def _invitation(pool: UserPool) -> Mapping[str, str]:
    return (pool.configuration.get("admin_create_user_config") or {}).get("invite_message_template") or {}


def _fill(purpose: str, secret: str, username: str) -> dict[str, str]:
    """Return what stands for placeholders: a name, which who signs up chooses, in invitations alone, as at Amazon."""
    return {CODE: secret, NAME: username} if purpose == "invitation" else {CODE: secret}


def _filled(template: str, values: Mapping[str, str]) -> str:
    # One pass, so that a username that looks like a placeholder stays what it is.
    pattern = re.compile("|".join(re.escape(key) for key in values))
    return pattern.sub(lambda found: values[found.group()], template)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _as_text(body: str) -> str:
    body = re.sub(r"<(style|head|script)\b.*?</\1\s*>", "", body, flags=re.IGNORECASE | re.DOTALL)
    body = re.sub(
        r"<a\b[^>]*?href=[\"']([^\"']+)[\"'][^>]*>(.*?)</a\s*>",
        r"\2 (\1)",
        body,
        flags=re.IGNORECASE | re.DOTALL,
    )
    body = re.sub(r"<br\s*/?>|</(p|div|tr|li|h[1-6])\s*>", "\n", body, flags=re.IGNORECASE)
    lines = [" ".join(line.split()) for line in html.unescape(strip_tags(body)).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
