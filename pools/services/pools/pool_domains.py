"""Domains of a pool: a prefix under the installation's host, and a host name of its own.

How a host finds its pool is ``configuration``'s. What is printed names the pool's own host name where it has one, else
the installation's address; the prefix is served and never printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as installation
from django.db import IntegrityError

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid, refuse
from pools.models import PoolDomain, UserPool
from pools.services import access, atomic_part, audit, configuration
from pools.services.audit import Tag

PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
HOST = re.compile(rf"(?:{PREFIX.pattern}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
PREFIX_LENGTH, HOST_LENGTH = 63, 253
CERTIFICATE = re.compile(r"arn:[\w-]+:acm:[\w-]+:\d{12}:certificate/\S+")
RESERVED = ("aws", "amazon", "cognito")
CLASSIC, MANAGED = 1, 2
NO_REPLICAS = "Routing cannot be set: an installation has no replicas in other regions. Leave it out."
ABSENT = "No such domain or user pool exists."


def create(pool: UserPool, name: str, *, settings: Mapping[str, Any], by: Actor) -> PoolDomain:
    """Give a pool a domain; with a certificate it is a host name of its own, else a prefix.

    Raises:
        Invalid: the name is malformed, reserved or taken, or the pool has such a domain already.

    """
    own = settings.get("custom_domain_config") is not None
    refuse(_setting_problems(settings))
    refuse(_host_problems(name) if own else _prefix_problems(name))
    kept = {"managed_login_version": CLASSIC, **_given(settings)}
    domain = PoolDomain(pool=pool, name=name, custom=own, configuration=kept, created_at=clock.now())
    try:
        with atomic_part.begin() as part:
            # The pool's row serialises them: one prefix, one host name.
            access.lock_pool(part, pool)
            present = PoolDomain.objects.filter(pool_id=pool.pk, custom=own).first()
            if present is not None:
                part.refuse(Invalid("User pool already has a domain configured.", field="domain"))
            domain.save(force_insert=True)
            _record(Tag.DOMAIN_SET, domain, by=by)
    except IntegrityError:
        raise Invalid("Domain already associated with another user pool.", field="domain") from None
    return domain


def set_prefix(pool: UserPool, prefix: str, *, by: Actor) -> PoolDomain:
    """Give a pool its prefix; again with the same prefix changes nothing.

    Raises:
        Invalid: the prefix is malformed, reserved or taken, or the pool has another.

    """
    present = next((domain for domain in of(pool) if not domain.custom and domain.name == prefix), None)
    return present or create(pool, prefix, settings={}, by=by)


def update(pool: UserPool, name: str, *, settings: Mapping[str, Any], by: Actor) -> PoolDomain:
    """Change what is set of a pool's domain; what is left out stays, but for the certificate, which is always named.

    Raises:
        Invalid: the pool has no such domain, a setting breaks a rule, or the domain would be of the other kind.

    """
    refuse(_setting_problems(settings))
    with atomic_part.begin() as part:
        rows = PoolDomain.objects.filter(pool_id=pool.pk, name=name)
        domain = rows.select_for_update().first()
        if domain is None:
            part.refuse(Invalid(ABSENT, field="domain"))
        if settings.get("custom_domain_config") is not None and not domain.custom:
            part.refuse(Invalid("A prefix domain takes no certificate.", field="custom_domain_config"))
        if settings.get("custom_domain_config") is None and domain.custom:
            # terraform-provider-aws#43248
            text = "Cannot convert custom domain to prefix domain."
            part.refuse(Invalid(text, field="custom_domain_config"))
        kept = {**domain.configuration, **_given(settings)}
        if kept != domain.configuration:
            rows.update(configuration=kept)
            domain.configuration = kept
            _record(Tag.DOMAIN_CHANGED, domain, by=by)
    return domain


def delete(pool: UserPool, name: str, *, by: Actor) -> None:
    """Take a domain from a pool: anybody may have it from now on.

    Raises:
        Invalid: the pool has no such domain.

    """
    with atomic_part.begin() as part:
        rows = PoolDomain.objects.filter(pool_id=pool.pk, name=name)
        domain = rows.select_for_update().first()
        if domain is None:
            part.refuse(Invalid(ABSENT, field="domain"))
        rows.delete()
        _record(Tag.DOMAIN_DELETED, domain, by=by)


def named(name: str) -> PoolDomain | None:
    """Return the domain of that name with its pool, None where nobody has it."""
    return PoolDomain.objects.filter(name=name, pool__deleted_at=None).select_related("pool").first()


def of(pool: UserPool) -> list[PoolDomain]:
    """Return a pool's domains: at most its prefix, then its own host name."""
    return list(PoolDomain.objects.filter(pool_id=pool.pk).order_by("custom"))


def address(pool: UserPool) -> str:
    """Return where people and clients find a pool's pages. From configuration, never from a request."""
    host = configuration.custom_domain(pool)
    if not host:
        return names.issuer(pool.public_id)
    own = urlsplit(installation.BASE_URL)
    return f"{own.scheme}://{host}" + (f":{own.port}" if own.port else "")


def alias_target() -> str:
    """Return the host that DNS has to lead a pool's own host name to."""
    return urlsplit(installation.BASE_URL).hostname or ""


def _prefix_problems(name: str) -> Iterator[Invalid]:
    if len(name) > PREFIX_LENGTH:  # the model's own length, which host names may pass
        text = f"Member must have length less than or equal to {PREFIX_LENGTH}"
        found = f"1 validation error detected: Value '{name}' at 'domain' failed to satisfy constraint: {text}"
        yield Invalid(found, field="domain")
    if not PREFIX.fullmatch(name):
        yield Invalid(
            "The domain name contains an invalid character. Domain names can only contain lower-case letters, numbers, "
            "and hyphens. Please enter a different name that follows this format: "
            r"^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$",
            field="domain",
        )
    for word in RESERVED:
        if word in name:
            yield Invalid(f"Domain cannot contain reserved word: {word}", field="domain")


def _host_problems(name: str) -> Iterator[Invalid]:
    if len(name) > HOST_LENGTH or not HOST.fullmatch(name):
        yield Invalid("Custom domain is not a valid subdomain", field="domain")
    for url in (installation.BASE_URL, installation.CONSOLE_URL):
        own = urlsplit(url).hostname or ""
        if name == own or name.endswith(f".auth.{own}"):
            yield Invalid("This is an address of the installation.", field="domain")


def _setting_problems(settings: Mapping[str, Any]) -> Iterator[Invalid]:
    if settings.get("routing") is not None:
        yield Invalid(NO_REPLICAS, field="routing")
    certificate = (settings.get("custom_domain_config") or {}).get("certificate_arn")
    if certificate is not None and not CERTIFICATE.fullmatch(certificate):
        text = (
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a "
            "valid certificate chain."
        )
        yield Invalid(text, field="custom_domain_config")
    if settings.get("managed_login_version", CLASSIC) not in {CLASSIC, MANAGED}:
        yield Invalid("ManagedLoginVersion is 1 or 2.", field="managed_login_version")


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _record(tag: Tag, domain: PoolDomain, *, by: Actor) -> None:
    audit.record(tag, pool=domain.pool, subject=domain.pool.public_id, by=by, detail={"domain": domain.name})
    configuration.touch(domain.pool)
