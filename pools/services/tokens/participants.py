"""Applications that know of a browser's session, and by which name: who is to be told when it is over.

Telling them is ``providers.saml_logouts``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from identity.foundation import clock
from identity.foundation.names import uuid7
from pools.models import SamlApplication, SamlParticipant
from pools.models.hot import BrowserSession


def join(
    application: SamlApplication, session: BrowserSession, name_id_format: str, make_name: Callable[[], str]
) -> SamlParticipant:
    """Note that an application is told of a session, by a name in a format; return by what it knows it.

    A name that changes each time is made once for a session, so that whoever signs out finds it.
    """
    rows = SamlParticipant.objects.filter(
        pool_id=application.pool_id,
        session_id=session.id,
        application_id=application.id,
        name_id_format=name_id_format,
    )
    found = rows.first()
    is_fleeting = name_id_format == SamlApplication.NameIdFormat.TRANSIENT
    name = found.name if found is not None and is_fleeting else make_name()
    if found is None:
        made = SamlParticipant(
            id=uuid7(),
            pool_id=application.pool_id,
            session_id=session.id,
            user_id=session.person.id,
            application_id=application.id,
            name=name,
            name_id_format=name_id_format,
            session_index=f"_{secrets.token_hex(20)}",
            expires_at=session.expires_at,
        )
        SamlParticipant.objects.bulk_create([made], ignore_conflicts=True)
        found = rows.get()  # a request beside this one may have been faster
    if not is_fleeting and found.name != name:
        rows.update(name=name)
        found.name = name
    return found


def hand_over(pool_id: int, before: UUID, after: UUID, *, seconds: int) -> None:
    """Have the applications of a session know of the one that takes its place: of the same person, for so long."""
    rows = SamlParticipant.objects.filter(pool_id=pool_id, session_id=before)
    rows.update(session_id=after, expires_at=clock.now() + timedelta(seconds=seconds))
