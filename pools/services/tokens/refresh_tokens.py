"""The form of a refresh token: what it says, and the MAC that lets garbage cost no query. Knows no row."""

from __future__ import annotations

import base64
import struct
import uuid
from typing import NamedTuple

from identity.foundation import sealing
from pools.models import AppClient

FORM = struct.Struct(">16sI16s32s")


def pack(client: AppClient, family_id: uuid.UUID, generation: int, salt: bytes) -> str:
    """Return a refresh token: family, generation, salt and a MAC over them, pool and client."""
    mac = sealing.keyed_hash("refresh", _covered(client, family_id, generation, salt))
    return base64.urlsafe_b64encode(FORM.pack(family_id.bytes, generation, salt, mac)).decode().rstrip("=")


def _covered(client: AppClient, family_id: uuid.UUID, generation: int, salt: bytes) -> bytes:
    return b"|".join([client.pool.public_id.encode(), client.pk.bytes, family_id.bytes, b"%d" % generation, salt])


class Presented(NamedTuple):
    """A refresh token whose MAC holds."""

    family_id: uuid.UUID
    generation: int
    salt: bytes


def unpack(client: AppClient, token: str) -> Presented | None:
    """Return what a refresh token says if its MAC holds for this client: garbage costs no query."""
    raw = read(token)
    if raw is None:
        return None
    family, generation, salt, mac = raw
    family_id = uuid.UUID(bytes=family)
    if not sealing.matches("refresh", _covered(client, family_id, generation, salt), mac):
        return None
    return Presented(family_id, generation, salt)


def read(token: str) -> tuple[bytes, int, bytes, bytes] | None:
    """Return family, generation, salt and MAC of what has a refresh token's form, None for anything else."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        family, generation, salt, mac = FORM.unpack(raw)
    except (ValueError, struct.error):
        return None
    return family, generation, salt, mac
