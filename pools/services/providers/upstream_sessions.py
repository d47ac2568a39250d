"""Sessions at providers that began with a sign-in here, so that either side can end the other's.

A browser's session names the one that it came from among its methods. What ends a session here is ``tokens.sessions``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db import transaction

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.names import uuid7
from pools.models import BrowserSession, ExternalLogin, RefreshFamily, UpstreamSession, UserPool
from pools.ports import ExternalIdentity
from pools.services import assurance, audit, sealing_contexts
from pools.services.audit import Tag
from pools.services.tokens import sessions

LIFE = sessions.LIFE + timedelta(hours=1)
"""As long as the browser's session that comes of it, and an hour in which people may take their time before."""
HASHED = "upstream_session"


def keep(pool: UserPool, provider: str, identity: ExternalIdentity) -> str:
    """Keep the session in which a provider vouched for somebody; return its id, empty where its kind tells of none."""
    if not identity.session:
        return ""
    row = UpstreamSession(
        id=uuid7(),
        pool_id=pool.pk,
        provider=provider,
        subject=identity.subject,
        name=sealing.keyed_hash(HASHED, identity.session_name),
        expires_at=clock.now() + LIFE,
    )
    plain = json.dumps(dict(identity.session)).encode()
    row.sealed = sealing.seal(plain, place=sealing_contexts.upstream_session(row.id))
    row.save(force_insert=True)
    return str(row.id)


def of(pool: UserPool, methods: Sequence[str]) -> Mapping[str, str]:
    """Return what is said to a provider to end the session that one of ours came from; nothing where none is kept."""
    named = assurance.upstream_session(methods)
    row = UpstreamSession.objects.filter(pool_id=pool.pk, id=named).first() if named else None
    if row is None:
        return {}
    found: dict[str, str] = json.loads(
        sealing.unseal(bytes(row.sealed), place=sealing_contexts.upstream_session(row.id))
    )
    return found


def end(pool: UserPool, provider: str, subject: str, names: Collection[str], *, by: Actor) -> list[uuid.UUID]:
    """End what came of a person's sessions at a provider: browsers' sessions here, and the refresh tokens of those.

    ``names`` are the provider's for its sessions; without any, all of the person's that came by it end. Returns the
    browsers' sessions that ended.
    """
    rows = UpstreamSession.objects.filter(pool_id=pool.pk, provider=provider, subject=subject)
    hashed = {sealing.keyed_hash(HASHED, name) for name in names}
    words = {
        f"{assurance.SESSION}{row.id}" for row in rows if not hashed or any(bytes(row.name) == each for each in hashed)
    }
    logins = ExternalLogin.objects.filter(pool_id=pool.pk, user__pool_id=pool.pk, provider=provider, subject=subject)
    login = logins.select_related("user").first()
    if login is None or not words:
        return []
    now = clock.now()
    with transaction.atomic(durable=True):
        live = BrowserSession.objects.filter(pool_id=pool.pk, user_id=login.user_id, ended_at=None)
        ended = [row for row in live if words.intersection(row.methods)]
        BrowserSession.objects.filter(pool_id=pool.pk, id__in=[row.id for row in ended]).update(ended_at=now)
        events = [row.event_id for row in ended]
        families = RefreshFamily.objects.filter(pool_id=pool.pk, user_id=login.user_id, revoked_at=None)
        families.filter(event_id__in=events).update(revoked_at=now)
        ids = [uuid.UUID(word.removeprefix(assurance.SESSION)) for word in words]
        UpstreamSession.objects.filter(pool_id=pool.pk, id__in=ids).update(expires_at=now)
        if ended:
            detail = {"provider": provider}
            audit.record(Tag.SIGNED_OUT_UPSTREAM, pool=pool, subject=login.user.sub, by=by, detail=detail)
    return [row.id for row in ended]
