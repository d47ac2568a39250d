"""Secrets of a confidential client: at most two are good at once, so that one can be replaced without a pause.

They are checked in ``access``, which holds them with the client.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from identity.foundation import clock, names, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import ClientNotFound, Invalid, LimitExceeded, NotAvailable, NotFound
from pools.models import AppClient, ClientSecret
from pools.services import atomic_part, audit, configuration, receipts, sealing_contexts
from pools.services.audit import Tag
from pools.services.receipts import Receipt

SETTINGS = frozenset({"generate_secret", "client_secret"})
"""What is given when a client is made, and never again."""
LEAST, MOST = 24, 64
LIVE = 2


def chosen(settings: Mapping[str, Any]) -> str | None:
    """Return the secret that a new client is to have, None for a public one.

    Raises:
        Invalid: it is no secret, or one is given and another to be generated.
        NotAvailable: it is not ASCII.

    """
    own = settings.get("client_secret")
    if own is not None and settings.get("generate_secret"):
        raise Invalid("Give a client secret or have one generated, not both.", field="client_secret")
    if own is None:
        return names.client_secret() if settings.get("generate_secret") else None
    return checked(str(own))


def checked(secret: str) -> str:
    """Return a secret that somebody chose.

    Raises:
        Invalid: it is none.
        NotAvailable: it is not ASCII.

    """
    if not LEAST <= len(secret) <= MOST or not all(letter.isalnum() or letter in "_+" for letter in secret):
        raise Invalid("Client secrets hold 24 to 64 letters, digits, + or _.", field="client_secret")
    if not secret.isascii():
        raise NotAvailable("Client secrets are ASCII.", field="client_secret")
    return secret


def sealed_row(client: AppClient, secret: str, moment: datetime) -> ClientSecret:
    """Return a client's secret as it is kept: the caller saves it in the transaction of its change."""
    secret_id = names.uuid7()
    return ClientSecret(
        id=secret_id,
        pool_id=client.pool_id,
        client=client,
        sealed=sealing.seal(secret.encode(), place=sealing_contexts.client_secret(secret_id)),
        hashed=sealing.keyed_hash("client_secret", f"{client.client_id}:{secret}"),
        created_at=moment,
    )


def values(client: AppClient) -> list[str]:
    """Return a client's live secrets, oldest first, none for a public client."""
    return [
        sealing.unseal(bytes(row.sealed), place=sealing_contexts.client_secret(row.id)).decode() for row in of(client)
    ]


def of(client: AppClient) -> list[ClientSecret]:
    """Return the rows of a client's live secrets, oldest first."""
    return list(ClientSecret.objects.filter(pool_id=client.pool_id, client_id=client.id).order_by("id"))


def public_id(client: AppClient, row: ClientSecret) -> str:
    """Return what a secret is called: never a part of it."""
    return f"{client.client_id}--{round(row.created_at.timestamp() * 1000)}"


def check_operations(client: AppClient) -> None:
    """Refuse to look after the secrets of a client that registered itself (AWS: API_UserPoolClientType, ClientType).

    Raises:
        Invalid: as said.

    """
    if client.registered:
        text = "Client secret operations are not supported for app clients created through dynamic client registration."
        raise Invalid(text, field="client_id", code="registered_app")


def add(
    client: AppClient, secret: str | None = None, *, receipt: Receipt | None = None, by: Actor
) -> tuple[ClientSecret, str]:
    """Give a client another secret, its own or a generated one, beside the one that it has; return both.

    Raises:
        Invalid, NotAvailable: it is no secret, the client has it already, is public, or registered itself.
        LimitExceeded: the client has two.
        ClientNotFound: the client was deleted meanwhile.

    """
    check_operations(client)
    if not client.confidential:
        raise Invalid(
            "The app client has no client secret and cannot be given one.", field="client_id", code="public_app"
        )
    value = names.client_secret() if secret is None else checked(secret)
    hashed = sealing.keyed_hash("client_secret", f"{client.client_id}:{value}")
    with atomic_part.begin() as part:
        _lock(part, client)
        present = of(client)
        if len(present) >= LIVE:
            part.refuse(LimitExceeded("An app client has at most two client secrets.", code="two_secrets"))
        if hashed in [bytes(row.hashed) for row in present]:
            part.refuse(Invalid("The app client has this client secret already.", field="client_secret"))
        part.refuse_if(receipts.keep(receipt))
        # Two never have the same name.
        earliest = max((row.created_at + timedelta(milliseconds=1) for row in present), default=clock.now())
        row = sealed_row(client, value, max(clock.now(), earliest))
        row.save(force_insert=True)
        _record(Tag.CLIENT_SECRET_ADDED, client, row, by=by)
    return row, value


def delete(client: AppClient, secret_id: str, *, receipt: Receipt | None = None, by: Actor) -> None:
    """End one of a client's two secrets.

    Raises:
        NotFound: the client has none of that name.
        Invalid: it is the last one, or the client registered itself.
        ClientNotFound: the client was deleted meanwhile.

    """
    check_operations(client)
    with atomic_part.begin() as part:
        _lock(part, client)
        present = of(client)
        row = next((row for row in present if public_id(client, row) == secret_id), None)
        if row is None:
            part.refuse(NotFound("The client secret does not exist.", code="no_such_secret"))
        if len(present) == 1:
            part.refuse(
                Invalid("The last client secret cannot be deleted.", field="client_secret_id", code="last_secret")
            )
        part.refuse_if(receipts.keep(receipt))
        ClientSecret.objects.filter(pool_id=client.pool_id, id=row.id).delete()
        _record(Tag.CLIENT_SECRET_DELETED, client, row, by=by)


def _lock(part: atomic_part.AtomicPart, client: AppClient) -> None:
    """Have changes of a client's secrets end one after the other."""
    rows = AppClient.objects.select_for_update().filter(pool_id=client.pool_id, id=client.id)
    if rows.first() is None:
        part.refuse(ClientNotFound(client.client_id))


def _record(tag: Tag, client: AppClient, row: ClientSecret, *, by: Actor) -> None:
    audit.record(tag, pool=client.pool, subject=client.client_id, by=by, detail={"secret": public_id(client, row)})
    configuration.touch(client.pool)
