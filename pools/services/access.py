"""The only way to a pool, client or user: every look-up is scoped here, and unknown users become decoys here."""

from __future__ import annotations

import base64
import hmac
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from django.conf import settings

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    ClientNotFound,
    ClientRefused,
    IdentityNotFound,
    IdentityPoolNotFound,
    Invalid,
    PoolNotFound,
    SecretHashRefused,
    UserNotFound,
)
from pools.models import AppClient, Identity, IdentityPool, User, UserPool, account_rows
from pools.models.hot import Credentials, Person
from pools.services import audit, configuration
from pools.services.atomic_part import AtomicPart
from pools.services.audit import Tag

NAME_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a name means: a user, or a decoy that no one can tell from one."""

    user: User | None
    id: uuid.UUID
    sub: uuid.UUID
    username: str

    @property
    def is_decoy(self) -> bool:
        """Say whether nobody is behind the name."""
        return self.user is None


def pool(public_id: str) -> UserPool:
    """Return a pool.

    Raises:
        PoolNotFound: no live pool has that id.

    """
    if not names.POOL_ID.match(public_id or ""):
        raise PoolNotFound(public_id)
    return configuration.pool(public_id)


def lock_pool(part: AtomicPart, pool: UserPool, *, changes_key: bool = True) -> UserPool:
    """Return a pool's row, locked: whoever makes what is unique or counted in it comes one after the other.

    The part is left with PoolNotFound where it was deleted meanwhile. Who does not ``changes_key`` lets rows that
    refer to it be written meanwhile.
    """
    row = UserPool.objects.select_for_update(no_key=not changes_key).filter(pk=pool.pk, deleted_at=None).first()
    if row is None:
        part.refuse(PoolNotFound(pool.public_id))
    return row


def lock_user(part: AtomicPart, pool: UserPool, user: User | Person) -> User:
    """Return a user's present row, locked until the part ends.

    The part is left with UserNotFound where the user was deleted meanwhile.
    """
    row = locked_user(pool, user)
    if row is None:
        part.refuse(UserNotFound())
    return row


def locked_user(pool: UserPool, user: User | Person | Credentials | None) -> User | None:
    """Return a user's present row, locked until the transaction ends; None where it was deleted meanwhile."""
    if user is None or user.id is None:
        return None
    return account_rows.lock_user(pool.pk, user.id)


def pool_by_host(host: str) -> UserPool | None:
    """Return the pool that a host name belongs to, if any."""
    return configuration.pool_by_host(host.lower())


def client(client_id: str) -> AppClient:
    """Return a client with its pool.

    Raises:
        ClientNotFound: no client of a live pool has that id.

    """
    if not client_id or len(client_id) > 128 or "\x00" in client_id:  # noqa: PLR2004 - the column's length
        raise ClientNotFound(client_id[:128] if client_id else "")
    return configuration.client(client_id)


def client_in(pool: UserPool, client_id: str) -> AppClient:
    """Return a client of this pool.

    Raises:
        ClientNotFound: no client of this pool has that id; another pool's is unknown here.

    """
    found = client(client_id)
    if found.pool_id != pool.pk:
        raise ClientNotFound(client_id)
    return found


def identity_pool(public_id: str) -> IdentityPool:
    """Return an identity pool.

    Raises:
        IdentityPoolNotFound: no live identity pool has that id.

    """
    if not names.IDENTITY_ID.match(public_id or ""):
        raise IdentityPoolNotFound(public_id)
    return configuration.identity_pool(public_id)


def identity_pool_by_arn(arn: str) -> IdentityPool:
    """Return an identity pool, also where the ARN leaves its account out.

    Terraform makes the ARN by itself, and has no account to name unless it may ask an STS for it.

    Raises:
        IdentityPoolNotFound: no live identity pool has that ARN.

    """
    place, mark, public_id = arn.rpartition("/")
    ours = names.identity_pool_arn("")
    if place + mark not in {ours, ours.replace(f":{settings.ACCOUNT_ID}:", "::")}:
        raise IdentityPoolNotFound(arn)
    return identity_pool(public_id)


def app_client_for(client_id: str, username: str, *, secret_hash: str | None = None) -> AppClient:
    """Return a client that has proven its secret for a call about a name.

    Raises:
        ClientNotFound: no such client.
        SecretHashRefused: the proof is missing, wrong, or sent for a client without secret.

    """
    found = client(client_id)
    if not found.confidential or secret_hash is None:
        check_secret_hash(found, (), secret_hash)
        return found
    candidates = [username]
    if not _hash_matches(found, candidates, secret_hash):
        # Clients hash over the internal name too where they sent an alias, or the other way round.
        subject = user_or_decoy(found, username)
        candidates += [subject.username, str(subject.sub), *(aliases(subject.user) if subject.user else ())]
    check_secret_hash(found, candidates, secret_hash)
    return found


def at_address_of_person(client: AppClient, said: str, *, by: Actor) -> Actor:
    """Return who acts for a person, at the address that an app says they have: audit rows and sign-in events name it.

    It counts where the app has a secret, which it has proven before, and may say so (AWS: API_UserContextDataType);
    without it, the address is the app's own. Nothing is allowed or limited by it.

    Raises:
        Invalid: it counts, and is no address.

    """
    return at_address(said, by=by) if client.confidential and client.propagate_context else by


def at_address(said: str, *, by: Actor) -> Actor:
    """Return who acts, at an address that somebody says who may; by their own where nothing is said.

    Raises:
        Invalid: it is no address.

    """
    if not said:
        return by
    try:
        return replace(by, address=str(ip_address(said)))
    except ValueError:
        raise Invalid("This is not an IP address.", field="ip_address", code="address") from None


def check_secret_hash(client: AppClient, candidates: Iterable[str], secret_hash: str | None) -> None:
    """Check a SECRET_HASH: base64 of HMAC-SHA-256 over name and client id, keyed by any live secret.

    Raises:
        SecretHashRefused: missing, wrong, or unexpected.

    """
    if not client.confidential:
        if secret_hash is not None:
            raise SecretHashRefused(
                f"Client {client.client_id} is not configured with secret but SECRET_HASH was received"
            )
        return
    if secret_hash is None:
        raise SecretHashRefused(f"Client {client.client_id} is configured with secret but SECRET_HASH was not received")
    if not _hash_matches(client, candidates, secret_hash):
        raise SecretHashRefused(f"Unable to verify secret hash for client {client.client_id}")


def _hash_matches(client: AppClient, candidates: Iterable[str], secret_hash: str) -> bool:
    sent = secret_hash.encode()
    return True in [
        hmac.compare_digest(
            base64.b64encode(hmac.digest(secret.encode(), (name + client.client_id).encode(), "sha256")), sent
        )
        for secret in configuration.cache.secrets(client)
        for name in candidates
    ]


def authenticate(client: AppClient, secrets: Iterable[str | None], *, by: Actor) -> None:
    """Check a client's plain secret in constant time, in each way it may be meant. A public client must send none.

    A refusal leaves an audit row.

    Raises:
        ClientRefused: missing, wrong, or unexpected.

    """
    wrong = [_wrong_with(client, secret) for secret in secrets]
    if "" in wrong:
        return
    audit.record(Tag.CLIENT_REFUSED, pool=client.pool, subject=client.client_id, by=by, outcome="refused")
    raise ClientRefused(detail=f"client {client.client_id}: {wrong[0]}")


def _wrong_with(client: AppClient, secret: str | None) -> str:
    """Return what is wrong with a secret that a client sent; empty where it is right."""
    if not client.confidential:
        return "a public client sent a secret" if secret else ""
    live = configuration.cache.secrets(client)
    sent = (secret or "").encode()
    if True in [hmac.compare_digest(known.encode(), sent) for known in live]:
        return ""
    return "wrong secret" if secret else "no secret"


def normalise(pool: UserPool, name: str) -> str:
    """Return a name as the pool compares names: folded where case does not matter, one Unicode form always.

    Empty, which nobody is called, for what cannot be a name.
    """
    if len(name) > NAME_LENGTH or "\x00" in name:
        return ""
    if pool.case_sensitive:
        return unicodedata.normalize("NFC", name)
    return names.folded(name)


def aliases(person: User | Person | Credentials) -> list[str]:
    """Return what else somebody may call themselves, whether or not it signs in here."""
    return [name for name in (person.email, person.phone_number, person.preferred_username) if name]


def is_called(pool: UserPool, person: User | Person | Credentials, name: str) -> bool:
    """Say whether a name means this person."""
    own = [person.username or "", str(person.sub), *aliases(person)]
    return bool(normalise(pool, name)) and normalise(pool, name) in [normalise(pool, each) for each in own]


def user(pool: UserPool, name: str) -> User:
    """Return a user by username, usable alias, or sub: what an operator may ask.

    Raises:
        UserNotFound: nobody of this pool.

    """
    sub = name if names.is_uuid(name) else None
    found = account_rows.find_user(pool.pk, name=normalise(pool, name), sub=sub)
    if found is None:
        raise UserNotFound
    return found


def user_by_sub(pool: UserPool, sub: uuid.UUID | str) -> User:
    """Return a user by sub.

    Raises:
        UserNotFound: nobody of this pool.

    """
    found = account_rows.find_user(pool.pk, sub=sub)
    if found is None:
        raise UserNotFound
    return found


def user_or_decoy(place: AppClient | UserPool, name: str) -> Subject:
    """Return whom a name means in a client's pool; a decoy, always the same for the same name, where nobody."""
    pool = place.pool if isinstance(place, AppClient) else place
    found = _by_name(pool, name)
    if found is not None:
        return Subject(found, found.id, found.sub, found.username)
    return decoy(pool, name)


def decoy(pool: UserPool, name: str) -> Subject:
    """Return the decoy of a name: ids of a real user's shape, computed from the pool's permanent key."""
    key = configuration.decoy_key(pool)
    folded = normalise(pool, name).encode()
    sub = uuid.UUID(bytes=hmac.digest(key, b"decoy-sub:" + folded, "sha256")[:16], version=4)
    row = uuid.UUID(bytes=hmac.digest(key, b"decoy-id:" + folded, "sha256")[:16], version=4)
    return Subject(None, row, sub, str(sub) if _is_alias(pool, name) else normalise(pool, name))


def _is_alias(pool: UserPool, name: str) -> bool:
    """Say whether people who sign in by such a name are called otherwise: it cannot be a username of the pool."""
    aliases = pool.alias_attributes
    return bool(pool.username_attributes) or (
        ("email" in aliases and "@" in name) or ("phone_number" in aliases and name.startswith("+"))
    )


def _by_name(pool: UserPool, name: str) -> User | None:
    return account_rows.find_anybody(pool.pk, normalise(pool, name), clock.now())


def identity(public_id: str) -> Identity:
    """Return an identity of a live identity pool, with ``pool`` held.

    Raises:
        IdentityNotFound: no such identity.

    """
    found = Identity.objects.filter(public_id=public_id).select_related("pool").first()
    if found is None or found.pool.deleted_at is not None:
        raise IdentityNotFound(public_id)
    return found


def identity_in(pool: IdentityPool, public_id: str) -> Identity:
    """Return an identity of this pool.

    Raises:
        IdentityNotFound: no such identity; another pool's is unknown here.

    """
    found = identity(public_id)
    if found.pool_id != pool.pk:
        raise IdentityNotFound(public_id)
    return found


def identities(public_ids: Iterable[str]) -> list[Identity]:
    """Return those identities of live identity pools that are there, with ``pool`` held."""
    found = Identity.objects.filter(public_id__in=set(public_ids), pool__deleted_at=None)
    return list(found.select_related("pool").order_by("id"))
