"""Applications that a pool is a SAML identity provider for: registered, told, changed and deleted.

Each is an app client's, one at most: people sign in on its pages, and it reads of them what the client may. Whom an
application is answered about is ``saml_sign_ins``, and signing out ``saml_logouts``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from identity.foundation import clock, names, paging
from identity.foundation.actor import Actor
from identity.foundation.errors import AlreadyExists, DomainError, Invalid, LimitExceeded, Misuse, NotFound, refuse
from identity.foundation.paging import Page
from pools import ports
from pools.models import AppClient, SamlApplication, SamlParticipant, UserPool, deletion
from pools.ports import RegisteredApplication
from pools.services import access, atomic_part, audit, receipts
from pools.services.atomic_part import AtomicPart
from pools.services.audit import Tag
from pools.services.pools import app_clients
from pools.services.providers import our_side
from pools.services.providers import saml_application_rules as rules
from pools.services.receipts import Receipt

MAX_APPLICATIONS = 300
SETTINGS: Final[Mapping[str, Any]] = {
    "entity_id": "",
    "acs_urls": (),
    "acs_indexes": (),
    "slo_url": "",
    "certificates": (),
    "signs_requests": True,
    "encryption_certificate": "",
    "name_id_format": str(SamlApplication.NameIdFormat.PERSISTENT),
    "name_id_attribute": "",
    "attributes": {},
    "signs_assertion": True,
    "signs_response": True,
    "encrypts": False,
    "allows_unasked": False,
    "default_relay_state": "",
}
"""What is chosen of an application, with what holds where nothing is said."""


class ApplicationExists(AlreadyExists):
    """The pool has an application of that entity id, or the app client has one."""

    public = "The application is registered already."


def create(
    pool: UserPool, client: AppClient, settings: Mapping[str, Any], *, receipt: Receipt | None = None, by: Actor
) -> SamlApplication:
    """Register an application for an app client. ``settings`` are some of :data:`SETTINGS`.

    Raises:
        Invalid: a value breaks a rule, or nobody signs in on pages of the app client.
        ApplicationExists: the entity id is taken, or the app client has an application.
        AlreadyAccepted: the form that asks for it was accepted before.
        LimitExceeded: the pool has three hundred.

    """
    refuse(problems_of_new(pool, client, settings))
    now = clock.now()
    columns = _columns(_completed(settings))
    row = SamlApplication(id=names.uuid7(), pool=pool, client=client, created_at=now, modified_at=now, **columns)
    with atomic_part.begin() as part:
        access.lock_pool(part, pool, changes_key=False)
        _refuse_twin(part, pool, row.entity_id)
        if SamlApplication.objects.filter(pool_id=pool.pk, client_id=client.id).exists():
            part.refuse(ApplicationExists(code="client_has_application"))
        if SamlApplication.objects.filter(pool_id=pool.pk)[:MAX_APPLICATIONS].count() >= MAX_APPLICATIONS:
            part.refuse(LimitExceeded("The pool has too many SAML applications.", code="too_many_applications"))
        part.refuse_if(receipts.keep(receipt))
        row.save(force_insert=True)
        _record(Tag.SAML_APPLICATION_CREATED, row, by=by)
    return row


def problems_of_new(pool: UserPool, client: AppClient, settings: Mapping[str, Any]) -> Iterator[Invalid]:
    """Yield all that is wrong with an application that is to be registered, but what is taken."""
    if not app_clients.has_pages(client):
        text = "Nobody signs in on pages of this app: it has no OAuth code grant."
        yield Invalid(text, field="client_id", code="app_without_pages")
    yield from rules.problems(pool, _completed(settings))


def problems_of_change(application: SamlApplication, changes: Mapping[str, Any]) -> Iterator[Invalid]:
    """Yield all that is wrong with an application as it would be, but what is taken."""
    yield from rules.problems(application.pool, _changed(application, changes))


def update(
    application: SamlApplication, changes: Mapping[str, Any], *, receipt: Receipt | None = None, by: Actor
) -> SamlApplication:
    """Change some of an application's :data:`SETTINGS`; what is not named stays.

    Raises:
        Invalid: a value breaks a rule.
        NotFound: it was deleted meanwhile.
        ApplicationExists: the entity id is another's.
        AlreadyAccepted: the form that asks for it was accepted before.

    """
    pool = application.pool
    with atomic_part.begin() as part:
        access.lock_pool(part, pool, changes_key=False)
        rows = SamlApplication.objects.filter(pool_id=pool.pk, id=application.id)
        row = rows.select_for_update(of=("self",)).select_related("pool").first()
        if row is None:
            part.refuse(_absent())
        part.refuse_if(next(problems_of_change(row, changes), None))
        columns = _columns(_changed(row, changes))
        changed = sorted(name for name, value in columns.items() if getattr(row, name) != value)
        _refuse_twin(part, pool, columns["entity_id"], but=row)
        part.refuse_if(receipts.keep(receipt))
        rows.update(**columns, modified_at=clock.now())
        _record(Tag.SAML_APPLICATION_CHANGED, row, by=by, changed=changed)
    return by_id(pool, application.id)


def delete(application: SamlApplication, *, receipt: Receipt | None = None, by: Actor) -> None:
    """Delete an application: nobody is signed in there any more. Its app client stays.

    Raises:
        NotFound: it was deleted meanwhile.

    """
    pool = application.pool
    with atomic_part.begin() as part:
        rows = SamlApplication.objects.filter(pool_id=pool.pk, id=application.id)
        row = rows.select_for_update().first()
        if row is None:
            part.refuse(_absent())
        part.refuse_if(receipts.keep(receipt))
        deletion.delete(SamlParticipant.objects.filter(pool_id=pool.pk, application_id=row.id))
        deletion.delete(rows)
        _record(Tag.SAML_APPLICATION_DELETED, application, by=by)


def page(pool: UserPool, limit: int, token: str | None) -> Page[SamlApplication]:
    """Return a page of a pool's applications, each with its app client, in the order in which they were made."""
    purpose = f"saml-applications:{pool.pk}"
    start = paging.read(token, purpose=purpose)
    rows = _of(pool).order_by("id")
    if start:
        rows = rows.filter(id__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda row: [str(row.id)], purpose=purpose)


def by_id(pool: UserPool, application_id: UUID) -> SamlApplication:
    """Return an application with its app client.

    Raises:
        NotFound: the pool has none with that id.

    """
    return _only(_of(pool).filter(id=application_id).first())


def of_client(client: AppClient) -> SamlApplication | None:
    """Return the application of an app client, if it has one."""
    return SamlApplication.objects.filter(pool_id=client.pool_id, client_id=client.id).first()


def called(pool: UserPool, entity_id: str) -> SamlApplication:
    """Return an application with its app client, by what it calls itself.

    Raises:
        NotFound: the pool has none of that name.

    """
    if not entity_id or len(entity_id) > rules.LONGEST_ENTITY_ID or "\x00" in entity_id:
        raise _absent()
    return _only(_of(pool).filter(entity_id=entity_id).first())


def registered(application: SamlApplication) -> RegisteredApplication:
    """Return what an application is registered with, as SAML needs it."""
    return RegisteredApplication(
        entity_id=application.entity_id,
        acs_urls=dict(zip(application.acs_indexes, application.acs_urls, strict=True)),
        slo_url=application.slo_url,
        certificates=tuple(application.certificates),
        signs_requests=application.signs_requests,
        encryption_certificate=application.encryption_certificate if application.encrypts else "",
        name_id_format=application.name_id_format,
        signs_assertion=application.signs_assertion,
        signs_response=application.signs_response,
    )


def introduction(pool: UserPool) -> bytes:
    """Return the document by which applications know a pool; it names a key, made where there was none.

    Raises:
        PoolNotFound: the pool was deleted meanwhile.

    """
    return ports.application_protocols[ports.SAML_APPLICATIONS].metadata(our_side.issuing(pool))


def of_metadata(data: bytes) -> dict[str, Any]:
    """Return the :data:`SETTINGS` that an application's metadata tell. Raises Invalid."""
    found = ports.application_protocols[ports.SAML_APPLICATIONS].read_metadata(data)
    told = {
        "entity_id": found.entity_id,
        "acs_urls": list(found.acs_urls.values()),
        "acs_indexes": list(found.acs_urls),
        "slo_url": found.slo_url,
        "certificates": list(found.certificates),
        "signs_requests": found.signs_requests,
        "encryption_certificate": found.encryption_certificate,
    }
    return told | ({"name_id_format": found.name_id_format} if found.name_id_format else {})


def of_metadata_at(url: str) -> dict[str, Any]:
    """Return what is told at an address, which is asked once and now. Raises Invalid, Overloaded."""
    return of_metadata(ports.application_protocols[ports.SAML_APPLICATIONS].fetch_metadata(url))


def _of(pool: UserPool) -> Any:  # noqa: ANN401 - a query set of rows with their client
    rows = SamlApplication.objects.filter(pool_id=pool.pk, client__pool_id=pool.pk)
    return rows.select_related("client", "pool")


def _only(found: SamlApplication | None) -> SamlApplication:
    if found is None:
        raise _absent()
    return found


def _completed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole registration."""
    if unknown := sorted(settings.keys() - SETTINGS.keys()):
        raise Misuse(f"applications have no {unknown[0]}")
    given = {**SETTINGS, **settings}
    return given if "acs_indexes" in settings else {**given, "acs_indexes": list(range(len(given["acs_urls"])))}


def _changed(application: SamlApplication, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return an application as it would be. An address that stays keeps its index."""
    before = {name: getattr(application, name) for name in SETTINGS}
    if "acs_urls" in changes and "acs_indexes" not in changes:
        kept = dict(zip(before["acs_urls"], before["acs_indexes"], strict=True))
        changes = {**changes, "acs_indexes": _indexes(changes["acs_urls"], kept)}
    return _completed({**before, **changes})


def _indexes(urls: Sequence[str], kept: Mapping[str, int]) -> list[int]:
    """Return an index for each address, the one that it had or the next that nobody has."""
    taken = {kept[url] for url in urls if url in kept}
    free = (number for number in range(len(urls) + len(taken)) if number not in taken)
    return [kept[url] if url in kept else next(free) for url in urls]


def _columns(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns of a registration that keeps the rules, certificates in one form."""
    protocol, encryption = ports.application_protocols[ports.SAML_APPLICATIONS], settings["encryption_certificate"]
    return {
        **settings,
        "acs_urls": list(settings["acs_urls"]),
        "acs_indexes": list(settings["acs_indexes"]),
        "attributes": dict(settings["attributes"]),
        "certificates": list(dict.fromkeys(map(protocol.check_certificate, settings["certificates"]))),
        "encryption_certificate": protocol.check_certificate(encryption, encrypts=True) if encryption else "",
    }


def _refuse_twin(part: AtomicPart, pool: UserPool, entity_id: str, *, but: SamlApplication | None = None) -> None:
    """Leave the part where another application of the pool has the entity id; the pool is locked."""
    twin = SamlApplication.objects.filter(pool_id=pool.pk, entity_id=entity_id).first()
    if twin is not None and (but is None or twin.id != but.id):
        part.refuse(ApplicationExists(code="entity_id_taken"))


def _absent() -> DomainError:
    return NotFound("SAML application does not exist.", code="application_not_found")


def _record(tag: Tag, row: SamlApplication, *, by: Actor, **more: Any) -> None:
    detail = {"application": row.entity_id, **more}
    audit.record(tag, pool=row.pool, subject=row.entity_id, by=by, detail=detail)
