"""What happened, who did it, to whom. One row in the transaction of a change; a refusal's row outside it.

Rows are never changed, and stay, but for those that unknown callers caused, which go by their age (``housekeeping``).
``detail`` is an allow-list per tag; personal values go into an erasable side row. The row keeps their salted digest,
which its own digest covers, so that it can be checked when they are gone. Refresh, client credentials and reads leave
metrics, not rows.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from django.db import models
from django.db.models import Q

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, Misuse
from identity.foundation.names import uuid7, uuid7_of
from pools.models import AuditEvent, IdentityPool, UserPool, hot

FORMAT = 1
SUBJECT = 128
"""Characters of a subject that are kept: a resource server's identifier may have more."""


class Tag(StrEnum):
    """What happened."""

    POOL_CREATED = "pool_created"
    POOL_CHANGED = "pool_changed"
    POOL_DELETED = "pool_deleted"
    ATTRIBUTES_ADDED = "attributes_added"
    CERTIFICATE_MADE = "certificate_made"
    ENCRYPTION_KEY_MADE = "encryption_key_made"
    MFA_SET = "mfa_set"
    DOMAIN_CHANGED = "domain_changed"
    DOMAIN_DELETED = "domain_deleted"
    DOMAIN_SET = "domain_set"
    RESOURCE_SERVER_CHANGED = "resource_server_changed"
    RESOURCE_SERVER_CREATED = "resource_server_created"
    RESOURCE_SERVER_DELETED = "resource_server_deleted"
    PROVIDER_CERTIFICATE_ENDS = "provider_certificate_ends"
    PROVIDER_CHANGED = "provider_changed"
    PROVIDER_CREATED = "provider_created"
    PROVIDER_DELETED = "provider_deleted"
    PROVIDER_LINKED = "provider_linked"
    PROVIDER_LOGIN_REFUSED = "provider_login_refused"
    PROVIDER_SIGN_OUT_REFUSED = "provider_sign_out_refused"
    PROVIDER_TRIED = "provider_tried"
    PROVIDER_UNLINKED = "provider_unlinked"
    SAML_APPLICATION_CHANGED = "saml_application_changed"
    SAML_APPLICATION_CREATED = "saml_application_created"
    SAML_APPLICATION_DELETED = "saml_application_deleted"
    SAML_LOGOUT_REFUSED = "saml_logout_refused"
    SAML_REQUEST_REFUSED = "saml_request_refused"
    SAML_RESPONSE_ISSUED = "saml_response_issued"
    CLIENT_CREATED = "client_created"
    CLIENT_CHANGED = "client_changed"
    CLIENT_DELETED = "client_deleted"
    CLIENT_REFUSED = "client_refused"
    CLIENT_SECRET_ADDED = "client_secret_added"  # noqa: S105 - a tag
    CLIENT_SECRET_DELETED = "client_secret_deleted"  # noqa: S105
    USER_CREATED = "user_created"
    USER_INVITED = "user_invited"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_DELETED = "user_deleted"
    SIGNED_UP = "signed_up"
    ACCOUNT_CONFIRMED = "account_confirmed"
    ATTRIBUTES_CHANGED = "attributes_changed"
    ATTRIBUTE_VERIFIED = "attribute_verified"
    ATTRIBUTE_UNPROVEN = "attribute_unproven"
    ALIAS_MOVED = "alias_moved"
    CODE_SENT = "code_sent"
    CODE_REFUSED = "code_refused"
    MESSAGE_REFUSED = "message_refused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a tag
    PASSWORD_RESET = "password_reset"  # noqa: S105
    PASSWORD_ENDED = "password_ended"  # noqa: S105
    PASSWORD_REFUSED = "password_refused"  # noqa: S105
    FACTOR_OFFERED = "factor_offered"
    FACTOR_ENROLLED = "factor_enrolled"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_REFUSED = "factor_refused"
    MFA_PREFERENCE_SET = "mfa_preference_set"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_UPSTREAM = "signed_out_upstream"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    TOKEN_REUSED = "token_reused"  # noqa: S105
    CODE_REUSED = "code_reused"
    GROUP_CHANGED = "group_changed"
    GROUP_CREATED = "group_created"
    GROUP_DELETED = "group_deleted"
    MEMBERSHIP_ADDED = "membership_added"
    MEMBERSHIP_REMOVED = "membership_removed"
    KEY_ROTATED = "key_rotated"
    IMPORT_CREATED = "import_created"
    IMPORT_UPLOADED = "import_uploaded"
    IMPORT_STARTED = "import_started"
    IMPORT_STOPPED = "import_stopped"
    IMPORT_ENDED = "import_ended"
    IDENTITY_POOL_CREATED = "identity_pool_created"
    IDENTITY_POOL_CHANGED = "identity_pool_changed"
    IDENTITY_POOL_DELETED = "identity_pool_deleted"
    IDENTITY_POOL_ROLES_SET = "identity_pool_roles_set"
    PRINCIPAL_TAGS_SET = "principal_tags_set"
    SESSION_POLICIES_SET = "session_policies_set"
    IDENTITY_CREATED = "identity_created"
    IDENTITY_DELETED = "identity_deleted"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_MERGED = "identity_merged"
    IDENTITY_UNLINKED = "identity_unlinked"
    CREDENTIALS_ISSUED = "credentials_issued"
    CREDENTIALS_REFUSED = "credentials_refused"
    IDENTITY_TOKEN_ISSUED = "identity_token_issued"  # noqa: S105
    IDENTITY_TOKEN_REFUSED = "identity_token_refused"  # noqa: S105
    OPERATOR_CREATED = "operator_created"
    OPERATOR_SIGNED_IN = "operator_signed_in"
    OPERATOR_CHANGED = "operator_changed"
    OPERATOR_REFUSED = "operator_refused"
    OPERATOR_SIGNED_OUT = "operator_signed_out"
    ACCESS_KEY_CREATED = "access_key_created"
    ACCESS_KEY_DISABLED = "access_key_disabled"
    ACCESS_KEY_LIMITED = "access_key_limited"


VISITOR = "visitor"
MINUTE = 60
BY_ANYONE = frozenset({Tag.CODE_SENT})
"""What an unknown caller may cause, done or refused."""
BY_GUESTS = frozenset({Tag.IDENTITY_CREATED, Tag.IDENTITY_TOKEN_ISSUED, Tag.CREDENTIALS_ISSUED})
"""What an unknown caller may cause as a guest."""
OF_OWN_SESSIONS = frozenset({Tag.CODE_REUSED, Tag.TOKEN_REUSED})
"""Refusals of what was ours once: a session was ended by it."""
KINDS = ("code", "method", "purpose", "factor", "check")
"""Members of ``detail`` that tell kinds of one tag apart: none of them is a caller's own text."""

EVERYWHERE = frozenset({"reason", "client_id"})
DETAIL: dict[Tag, frozenset[str]] = {
    Tag.ACCESS_KEY_CREATED: frozenset({"actions", "pools"}),
    Tag.ACCESS_KEY_LIMITED: frozenset({"actions", "pools"}),
    Tag.POOL_CREATED: frozenset({"name"}),
    Tag.POOL_CHANGED: frozenset({"changed"}),
    Tag.POOL_DELETED: frozenset({"name"}),
    Tag.ATTRIBUTES_ADDED: frozenset({"attributes"}),
    Tag.MFA_SET: frozenset({"mfa", "totp", "sms"}),
    Tag.DOMAIN_CHANGED: frozenset({"domain"}),
    Tag.DOMAIN_DELETED: frozenset({"domain"}),
    Tag.DOMAIN_SET: frozenset({"domain"}),
    **dict.fromkeys(
        (Tag.RESOURCE_SERVER_CHANGED, Tag.RESOURCE_SERVER_CREATED, Tag.RESOURCE_SERVER_DELETED),
        frozenset({"identifier", "scopes"}),
    ),
    Tag.PROVIDER_CERTIFICATE_ENDS: frozenset({"provider", "until"}),
    Tag.PROVIDER_CHANGED: frozenset({"provider", "type", "changed"}),
    **dict.fromkeys((Tag.PROVIDER_CREATED, Tag.PROVIDER_DELETED), frozenset({"provider", "type"})),
    **dict.fromkeys((Tag.PROVIDER_LINKED, Tag.PROVIDER_UNLINKED), frozenset({"provider", "attribute"})),
    **dict.fromkeys(
        (Tag.PROVIDER_LOGIN_REFUSED, Tag.PROVIDER_SIGN_OUT_REFUSED, Tag.PROVIDER_TRIED),
        frozenset({"provider", "check", "said", "message"}),
    ),
    Tag.SIGNED_OUT_UPSTREAM: frozenset({"provider"}),
    Tag.SAML_APPLICATION_CHANGED: frozenset({"application", "changed"}),
    **dict.fromkeys(
        (Tag.SAML_APPLICATION_CREATED, Tag.SAML_APPLICATION_DELETED, Tag.SAML_RESPONSE_ISSUED),
        frozenset({"application"}),
    ),
    **dict.fromkeys((Tag.SAML_REQUEST_REFUSED, Tag.SAML_LOGOUT_REFUSED), frozenset({"application", "check", "status"})),
    Tag.CLIENT_CREATED: frozenset({"name", "confidential", "registered"}),
    Tag.CLIENT_CHANGED: frozenset({"changed"}),
    Tag.CLIENT_DELETED: frozenset({"name"}),
    Tag.CLIENT_SECRET_ADDED: frozenset({"secret"}),
    Tag.CLIENT_SECRET_DELETED: frozenset({"secret"}),
    Tag.USER_CREATED: frozenset({"status", "medium"}),
    Tag.USER_INVITED: frozenset({"medium"}),
    Tag.SIGNED_UP: frozenset({"medium"}),
    Tag.ACCOUNT_CONFIRMED: frozenset({"method"}),
    Tag.ATTRIBUTES_CHANGED: frozenset({"changed"}),
    **dict.fromkeys((Tag.ATTRIBUTE_UNPROVEN, Tag.ATTRIBUTE_VERIFIED), frozenset({"attribute"})),
    Tag.ALIAS_MOVED: frozenset({"attribute", "from"}),
    Tag.CODE_SENT: frozenset({"purpose", "medium"}),
    Tag.CODE_REFUSED: frozenset({"purpose"}),
    Tag.MESSAGE_REFUSED: frozenset({"purpose", "medium"}),
    Tag.PASSWORD_CHANGED: frozenset({"method", "permanent"}),
    Tag.PASSWORD_RESET: frozenset({"method"}),
    Tag.PASSWORD_ENDED: frozenset({"medium"}),
    Tag.FACTOR_OFFERED: frozenset({"factor", "replaced"}),
    Tag.FACTOR_ENROLLED: frozenset({"factor"}),
    Tag.FACTOR_REMOVED: frozenset({"factor"}),
    Tag.FACTOR_REFUSED: frozenset({"factor"}),
    Tag.MFA_PREFERENCE_SET: frozenset({"factor", "enabled", "preferred"}),
    Tag.GROUP_CHANGED: frozenset({"group", "changed", "role"}),
    Tag.GROUP_DELETED: frozenset({"group"}),
    Tag.GROUP_CREATED: frozenset({"group", "role"}),
    Tag.MEMBERSHIP_ADDED: frozenset({"group"}),
    Tag.MEMBERSHIP_REMOVED: frozenset({"group"}),
    Tag.KEY_ROTATED: frozenset({"kid", "use", "active_from"}),
    Tag.IMPORT_CREATED: frozenset({"name", "hashing"}),
    Tag.IMPORT_ENDED: frozenset({"status", "imported", "skipped", "failed"}),
    Tag.IDENTITY_POOL_CREATED: frozenset({"name"}),
    Tag.IDENTITY_POOL_CHANGED: frozenset({"changed"}),
    Tag.IDENTITY_POOL_DELETED: frozenset({"name"}),
    Tag.IDENTITY_POOL_ROLES_SET: frozenset({"roles", "mappings"}),
    Tag.PRINCIPAL_TAGS_SET: frozenset({"provider", "tags"}),
    Tag.SESSION_POLICIES_SET: frozenset({"member", "guest"}),
    Tag.IDENTITY_CREATED: frozenset({"member", "provider"}),
    Tag.IDENTITY_LINKED: frozenset({"provider"}),
    Tag.IDENTITY_MERGED: frozenset({"into", "provider"}),
    Tag.IDENTITY_UNLINKED: frozenset({"provider"}),
    Tag.CREDENTIALS_ISSUED: frozenset({"role", "member", "tags", "provider", "access_key_id"}),
    Tag.CREDENTIALS_REFUSED: frozenset({"role", "member", "provider", "code"}),
    Tag.IDENTITY_TOKEN_ISSUED: frozenset({"member", "providers", "tags"}),
    Tag.IDENTITY_TOKEN_REFUSED: frozenset({"member", "code"}),
    Tag.OPERATOR_CREATED: frozenset({"name"}),
    Tag.OPERATOR_SIGNED_IN: frozenset({"method"}),
    Tag.OPERATOR_CHANGED: frozenset({"change"}),
    Tag.OPERATOR_REFUSED: frozenset({"method"}),
    Tag.ACCESS_KEY_DISABLED: frozenset({"access_key_id"}),
}


def record(  # noqa: PLR0913 - an audit row has these parts
    tag: Tag,
    *,
    by: Actor,
    pool: UserPool | None = None,
    identity_pool: IdentityPool | None = None,
    subject: object = "",
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> None:
    """Write one audit row: inside the transaction of a change, outside any for a refusal (``outcome="refused"``).

    What an unknown caller caused leaves one row a subject, kind and minute: the first.

    Raises:
        Misuse: ``detail`` holds something that the tag does not allow.

    """
    kept = dict(detail or {})
    if extra := kept.keys() - DETAIL.get(tag, frozenset()) - EVERYWHERE:
        raise Misuse(f"audit detail of {tag}: {sorted(extra)}")
    request_id = by.request_id or str(structlog.contextvars.get_contextvars().get("request_id", ""))
    is_of_unknown = is_of_unknown_caller(tag, outcome, kept, by=by)
    row = AuditEvent(
        id=uuid7(),
        pool_id=pool.pk if pool else None,
        identity_pool_id=identity_pool.pk if identity_pool else None,
        tag=tag,
        actor_kind=by.kind,
        actor_id=by.id,
        subject=str(subject)[:SUBJECT],
        outcome=outcome,
        detail=kept,
        request_id=request_id,
        format=FORMAT,
    )
    if is_of_unknown:
        row.id = _id_of_minute(row)
    values = {**(personal or {}), **({"address": by.address} if by.address else {})}
    salt = os.urandom(16) if values else b""
    row.personal_digest = hashlib.sha256(salt + compact(values)).digest() if values else b""
    row.digest = hashlib.sha256(canonical(row)).digest()
    _write(row, salt, values)


@contextmanager
def refusals(
    tag: Tag,
    *problems: type[DomainError],
    by: Actor,
    pool: UserPool | None = None,
    subject: object = "",
    detail: Mapping[str, Any] | None = None,
) -> Iterator[None]:
    """Leave a row of each refusal of these kinds, when the transaction that it ended is over."""
    try:
        yield
    except problems:
        record(tag, by=by, pool=pool, subject=subject, outcome="refused", detail=detail)
        raise


def is_of_unknown_caller(tag: str, outcome: str, detail: Mapping[str, Any], *, by: Actor) -> bool:
    """Say whether an unknown caller caused a row, without any proof: such rows go by their age."""
    if by.kind != VISITOR or tag in OF_OWN_SESSIONS:
        return False
    return outcome == "refused" or tag in BY_ANYONE or (tag in BY_GUESTS and detail.get("member") is False)


def of_unknown_callers() -> models.QuerySet[AuditEvent]:
    """Return the rows that unknown callers caused: those of which :func:`is_of_unknown_caller` says so."""
    given = Q(tag__in=BY_GUESTS, detail__member=False)
    rows = AuditEvent.objects.filter(Q(outcome="refused") | Q(tag__in=BY_ANYONE) | given, actor_kind=VISITOR)
    return rows.exclude(tag__in=OF_OWN_SESSIONS)


def _id_of_minute(row: AuditEvent) -> UUID:
    """Return the id that all such rows of a minute have, so that the primary key lets one of them in."""
    minute = clock.epoch() // MINUTE * MINUTE
    kinds = [row.detail.get(name, "") for name in KINDS]
    about = compact([minute, row.pool_id, row.identity_pool_id, row.tag, row.subject, row.outcome, kinds])
    return uuid7_of(minute * 1000, hashlib.sha256(about).digest())


def _write(row: AuditEvent, salt: bytes, values: Mapping[str, Any]) -> None:
    """Write a row with its side row by one statement; nothing where a row of that id is there."""
    hot.audit_once(
        id=row.id,
        pool=row.pool_id,
        identity_pool=row.identity_pool_id,
        tag=str(row.tag),
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        subject=row.subject,
        outcome=row.outcome,
        detail=json.dumps(row.detail, default=str),
        request_id=row.request_id,
        format=row.format,
        personal_digest=row.personal_digest,
        digest=row.digest,
        salt=salt,
        values=json.dumps(values, default=str) if values else None,
    )


def canonical(row: AuditEvent) -> bytes:
    """Return the bytes that a row's digest covers, by the row's format number."""
    return compact(
        [
            row.format,
            str(row.id),
            row.pool_id,
            row.identity_pool_id,
            row.tag,
            row.actor_kind,
            row.actor_id,
            row.subject,
            row.outcome,
            row.detail,
            row.request_id,
            bytes(row.personal_digest).hex(),
        ]
    )


def compact(value: object) -> bytes:
    """Return a value's one JSON form: sorted, without spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


def sign_in_event(  # noqa: PLR0913 - an event has these parts
    *,
    event_id: UUID,
    pool: UserPool,
    client_pk: UUID | None,
    user_id: UUID | None,
    passed: bool,
    by: Actor,
    reason: str = "",
    methods: Sequence[str] = (),
) -> dict[str, Any]:
    """Return one sign-in event, as ``hot`` writes it: with what makes tokens, or alone for a refusal."""
    return {
        "event": event_id,
        "pool": pool.pk,
        "client": client_pk,
        "user": user_id,
        "kind": "sign_in",
        "passed": passed,
        "reason": reason,
        "methods": json.dumps(list(methods)),
        "address": by.address or None,
        "request_id": by.request_id or str(structlog.contextvars.get_contextvars().get("request_id", "")),
    }


def latest(pool: UserPool, *, limit: int = 50) -> list[AuditEvent]:
    """Return a pool's newest audit rows."""
    return list(AuditEvent.objects.filter(pool_id=pool.pk).order_by("-id")[:limit])
