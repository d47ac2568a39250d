"""What a process holds of the configuration: pools, clients and keys, at most two seconds old.

Each configuration write bumps its pool's version (:func:`touch`). Once a second a process reads which versions moved
lately and drops those pools. What a token is good for (disabled, revoked, signed out, spent) is never held here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import Error, transaction
from django.db.models import F
from django.db.models.functions import Now
from prometheus_client import Gauge

from identity.foundation import clock, sealing
from identity.foundation.errors import ClientNotFound, IdentityPoolNotFound, Overloaded, PoolNotFound
from pools.models import AppClient, ClientSecret, IdentityPool, PoolDomain, ResourceServer, UserPool, hot
from pools.models.identity_provider import IdentityProvider, of_pool
from pools.services import sealing_contexts
from pools.services.cached_keys import CachedKey, load_keys
from pools.services.versioned_cache import VersionedCache

log = structlog.get_logger(__name__)
POLL = 1.0
PATIENCE = 0.2
"""Seconds to wait for another thread's poll."""
WINDOW = 100.0
"""Seconds without a poll after which changes may have been missed (the poll looks back 120)."""
STALE = 60.0
"""Seconds without a good poll after which nothing that decides is served."""
AGE = Gauge("cognate_configuration_age_seconds", "Seconds since configuration was last seen to be current.")


@dataclass(slots=True)
class CachedPool:
    """A pool and what hangs on it."""

    row: UserPool
    decoy_key: bytes
    clients: dict[str, AppClient] = field(default_factory=dict)
    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[CachedKey, ...] | None = None
    scopes: frozenset[str] | None = None
    """Those of its resource servers."""
    custom_domain: str | None = None
    """Its own host name, empty where it has none."""
    providers: tuple[IdentityProvider, ...] | None = None
    """Its identity providers, as they were made."""

    @property
    def version(self) -> int:
        """Return the version of its row."""
        return self.row.version


class ConfigurationCache:
    """Everything held. One a process; all methods are safe between threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._polling = threading.Lock()
        self._pools = VersionedCache(self._lock, load_pool, self._part_with_pool)
        self._identity_pools = VersionedCache(self._lock, load_identity_pool, lambda _, __: None)
        self._kinds: dict[str, VersionedCache[Any]] = {"pool": self._pools, "identity": self._identity_pools}
        self._pool_of_client: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._installation_keys: tuple[CachedKey, ...] | None = None
        self._installation_version: str | None = None
        self._polled = float("-inf")
        self._tried = float("-inf")

    def poll(self, *, force: bool = False) -> None:
        """Drop what moved, if a second has passed; wait, a little, for another thread's poll only when two have.

        A database that does not answer is asked once a second, by one thread; the others go on with what is held.
        """
        now = clock.monotonic()
        if not force and now - self._tried < POLL:
            return
        age = now - self._polled
        if not self._polling.acquire(timeout=PATIENCE if force or age > 2 * POLL else 0):
            return
        try:
            if not force and clock.monotonic() - self._tried < POLL:
                return
            began = self._tried = clock.monotonic()
            try:
                moved, installation = hot.moved_configuration()
            except Error as problem:
                log.warning("configuration_poll_failed", problem=type(problem).__name__)
                AGE.set(began - self._polled)
                return
            self._apply(moved, installation, missed=began - self._polled > WINDOW)
            self._polled = began
            AGE.set(0)
        finally:
            self._polling.release()

    def _apply(self, moved: list[tuple[str, str, int]], installation: str, *, missed: bool) -> None:
        with self._lock:
            if missed:
                self._clear()
            for kind, public_id, version in moved:
                self._kinds[kind].drop(public_id, unless=version)
            if installation != self._installation_version:
                self._installation_keys = None
                self._installation_version = installation

    def _clear(self) -> None:
        for kind in self._kinds.values():
            kind.clear()
        self._installation_keys = None

    def _part_with_pool(self, public_id: str, held: CachedPool) -> None:
        for client_id in list(held.clients):
            self._pool_of_client.pop(client_id, None)
        for host in [host for host, owner in self._hosts.items() if owner == public_id]:
            del self._hosts[host]

    def forget(self, public_id: str) -> None:
        """Drop what this process has changed itself, of whatever kind it is."""
        with self._lock:
            for kind in self._kinds.values():
                kind.drop(public_id)

    def forget_everything(self) -> None:
        """Drop all: tests start so."""
        with self._lock:
            self._clear()
            self._installation_version = None
            self._polled = self._tried = float("-inf")

    def forget_installation_keys(self) -> None:
        """Drop the identity pools' keys that this process has changed itself."""
        with self._lock:
            self._installation_keys = None

    def age(self) -> float:
        """Return the seconds since the last good poll."""
        return clock.monotonic() - self._polled

    def pool(self, public_id: str) -> CachedPool:
        """Return a pool.

        Raises:
            PoolNotFound: there is none, or it was deleted.

        """
        self.poll()
        return self._pools.get(public_id)

    def client(self, client_id: str) -> tuple[CachedPool, AppClient]:
        """Return a client with its pool.

        Raises:
            ClientNotFound: there is none. Unknown ids are never held, since unknown users choose them.

        """
        self.poll()
        owner = self._pool_of_client.get(client_id)
        held = self._pools.peek(owner) if owner else None
        client = held.clients.get(client_id) if held else None
        if held is not None and client is not None:
            return held, client
        # The pool is read first: a client read later than its pool's version is at least as new.
        owner_id = AppClient.objects.filter(client_id=client_id).values_list("pool__public_id", flat=True).first()
        if owner_id is None:
            raise ClientNotFound(client_id)
        try:
            held = self.pool(owner_id)
        except PoolNotFound:
            raise ClientNotFound(client_id) from None
        client = AppClient.objects.filter(pool_id=held.row.pk, client_id=client_id).first()
        if client is None:
            raise ClientNotFound(client_id)
        client.pool = held.row
        secrets = ClientSecret.objects.filter(pool_id=held.row.pk, client=client).order_by("id")
        unsealed = tuple(
            sealing.unseal(row.sealed, place=sealing_contexts.client_secret(row.pk)).decode() for row in secrets
        )
        with self._lock:
            held.secrets[client_id] = unsealed
            held.clients[client_id] = client
            if self._pools.peek(owner_id) is held:
                self._pool_of_client[client_id] = owner_id
        return held, client

    def secrets(self, client: AppClient) -> tuple[str, ...]:
        """Return a client's live secrets, unless configuration is too old to say which are live.

        Raises:
            Overloaded: the database has not answered for a minute.

        """
        if self.age() > STALE:
            raise Overloaded(detail="configuration is stale")
        held, _ = self.client(client.client_id)
        return held.secrets.get(client.client_id, ())

    def keys(self, pool: UserPool | None) -> tuple[CachedKey, ...]:
        """Return a pool's keys, or those of the identity pools' issuer."""
        if pool is None:
            self.poll()
            keys = self._installation_keys
            if keys is None:
                version = self._installation_version
                keys = load_keys(None)
                with self._lock:
                    if version == self._installation_version:  # else they may be older than what was seen meanwhile
                        self._installation_keys = keys
            return keys
        held = self.pool(pool.public_id)
        if held.keys is None:
            held.keys = load_keys(held.row)
        return held.keys

    def scopes(self, pool: UserPool) -> frozenset[str]:
        """Return the scopes of a pool's resource servers."""
        held = self.pool(pool.public_id)
        if held.scopes is None:
            servers = ResourceServer.objects.filter(pool_id=held.row.pk)
            held.scopes = frozenset(
                f"{server.identifier}/{scope['name']}" for server in servers for scope in server.scopes
            )
        return held.scopes

    def custom_domain(self, pool: UserPool) -> str:
        """Return a pool's own host name, empty where it has none."""
        held = self.pool(pool.public_id)
        if held.custom_domain is None:
            rows = PoolDomain.objects.filter(pool_id=held.row.pk, custom=True)
            held.custom_domain = rows.values_list("name", flat=True).first() or ""
        return held.custom_domain

    def providers(self, pool: UserPool) -> tuple[IdentityProvider, ...]:
        """Return a pool's identity providers in the order in which they were made, with their identifiers."""
        held = self.pool(pool.public_id)
        if held.providers is None:
            held.providers = tuple(of_pool(held.row.pk))
        return held.providers

    def identity_pool(self, public_id: str) -> IdentityPool:
        """Return an identity pool.

        Raises:
            IdentityPoolNotFound: there is none, or it was deleted.

        """
        self.poll()
        return self._identity_pools.get(public_id)

    def pool_by_host(self, host: str) -> UserPool | None:
        """Return the pool whose domain a Host header names: ``{prefix}.auth.{installation}`` or a custom domain."""
        self.poll()
        owner = self._hosts.get(host)
        if owner is None:
            name = domain_name(host)
            found = (
                PoolDomain.objects.filter(name=name, pool__deleted_at=None)
                .values_list("pool__public_id", flat=True)
                .first()
                if name
                else None
            )
            if found is None:
                return None
            self.pool(found)  # held first, so that dropping the pool drops its hosts
            with self._lock:
                self._hosts[host] = owner = found
        try:
            return self.pool(owner).row
        except PoolNotFound:
            return None


def load_pool(public_id: str) -> CachedPool:
    """Read a pool.

    Raises:
        PoolNotFound: there is none, or it was deleted.

    """
    row = UserPool.objects.filter(public_id=public_id, deleted_at=None).first()
    if row is None:
        raise PoolNotFound(public_id)
    return CachedPool(row, sealing.unseal(row.sealed_decoy_key, place=sealing_contexts.decoy_key(row.public_id)))


def load_identity_pool(public_id: str) -> IdentityPool:
    """Read an identity pool.

    Raises:
        IdentityPoolNotFound: there is none, or it was deleted.

    """
    row = IdentityPool.objects.filter(public_id=public_id, deleted_at=None).first()
    if row is None:
        raise IdentityPoolNotFound(public_id)
    return row


def domain_name(host: str) -> str:
    """Return what ``pool_domain`` holds for a Host header: a prefix, or a whole custom name. Empty for nonsense."""
    bare, _, port = host.partition(":")
    own = urlsplit(settings.BASE_URL)
    if port and port not in {str(own.port or ""), str(settings.TLS_PORT)}:
        return ""
    suffix = f".auth.{own.hostname}"
    return bare.removesuffix(suffix) if bare.endswith(suffix) else bare if "." in bare else ""


cache = ConfigurationCache()


def problem() -> str | None:
    """Say what keeps this process from being sent requests: a probe of readiness."""
    cache.poll()
    return "stale" if cache.age() > STALE else None


def pool(public_id: str) -> UserPool:
    """Return a pool's held row: shared, read-only. Raises PoolNotFound."""
    return cache.pool(public_id).row


def client(client_id: str) -> AppClient:
    """Return a client's held row, with its pool: shared, read-only. Raises ClientNotFound."""
    return cache.client(client_id)[1]


def identity_pool(public_id: str) -> IdentityPool:
    """Return an identity pool's held row: shared, read-only. Raises IdentityPoolNotFound."""
    return cache.identity_pool(public_id)


def pool_by_host(host: str) -> UserPool | None:
    """Return the pool that a Host header names, if any."""
    return cache.pool_by_host(host)


def scopes(pool: UserPool) -> frozenset[str]:
    """Return the scopes of a pool's resource servers, as the wire writes them."""
    return cache.scopes(pool)


def custom_domain(pool: UserPool) -> str:
    """Return a pool's own host name, empty where it has none."""
    return cache.custom_domain(pool)


def providers(pool: UserPool) -> tuple[IdentityProvider, ...]:
    """Return a pool's identity providers as they were made, with their identifiers: shared, read-only."""
    return cache.providers(pool)


def decoy_key(pool: UserPool) -> bytes:
    """Return the pool's permanent key for decoys and SRP salts."""
    return cache.pool(pool.public_id).decoy_key


def touch(pool: UserPool) -> None:
    """Say that a pool's configuration changed: call it inside the transaction of the change, at its end."""
    UserPool.objects.filter(pk=pool.pk).update(version=F("version") + 1, changed_at=clock_timestamp())
    transaction.on_commit(lambda: cache.forget(pool.public_id))


def touch_identity_pool(pool: IdentityPool) -> None:
    """Say that an identity pool's configuration changed, as :func:`touch`."""
    IdentityPool.objects.filter(pk=pool.pk).update(version=F("version") + 1, changed_at=clock_timestamp())
    transaction.on_commit(lambda: cache.forget(pool.public_id))


class clock_timestamp(Now):  # noqa: N801 - reads as the SQL function that it is
    """The database's moment of the statement, not of the transaction's start."""

    template = "CLOCK_TIMESTAMP()"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:  # noqa: ANN401 - Django's types
        """Return the SQL."""
        return self.as_sql(compiler, connection, template="CLOCK_TIMESTAMP()", **context)
