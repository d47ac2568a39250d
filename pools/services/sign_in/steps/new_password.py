"""A password of one's own, in place of the one an operator gave, and the attributes that were left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import AttemptTokenRefused, DomainError
from pools.models import User
from pools.models.user import Status
from pools.services import access, audit
from pools.services.audit import Tag
from pools.services.messages import notices
from pools.services.messages.notices import Change
from pools.services.people import attributes, external_logins, password_history, passwords
from pools.services.sign_in.attempt import Accepted, Attempt, Challenge, Offer, moment, nothing_to_issue

challenge = Challenge.NEW_PASSWORD
enter = nothing_to_issue
proof = "new_password"


def applies(attempt: Attempt) -> bool:
    """Say whether an operator's temporary password is still in place, and was what somebody signed in by."""
    return attempt.person.status == Status.FORCE_CHANGE_PASSWORD and attempt.proven("password")


def offer(attempt: Attempt) -> Offer:
    """Return which attributes are missing, and those that are there: of them clients send back what they are told."""
    present = attributes.of(attempt.person)
    missing = [name for name in attributes.required(attempt.pool) if not present.get(name)]
    told = {name: value for name, value in present.items() if name != external_logins.IDENTITIES}
    return Offer({"required": missing, "attributes": told})


def check(attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
    """Check the new password by the pool's policy, and the attributes by its schema.

    Raises:
        PasswordRejected: it breaks the policy, or is one of the last.
        Invalid: a required attribute is missing, or one does not fit the schema.

    """
    pool, person = attempt.pool, attempt.person
    password = str(answers.get("new_password", ""))
    changes = {str(name): str(value) for name, value in dict(answers.get("attributes") or {}).items()}
    passwords.check_policy(pool, password)
    present = access.user_by_sub(pool, person.sub)
    attributes.check_completion(pool, attempt.client, present, changes)
    prepared = passwords.hashed(pool, person.username, password)
    with password_history.audit_refusals(pool, person.sub, by=by):
        password_history.check(present, prepared.remembered)
    notice, changed_at = notices.prepare(pool, person, Change.PASSWORD, by=by), clock.now()

    def write() -> DomainError | None:
        user = access.locked_user(pool, person)
        if user is None or user.status != Status.FORCE_CHANGE_PASSWORD:
            return AttemptTokenRefused(detail="the account changed meanwhile")
        if reused := password_history.refusal(user, prepared.remembered):
            return reused  # by who set one meanwhile
        passwords.store(user, prepared, changed_at=changed_at)
        if refusal := attributes.complete(pool, user, changes, by=by):
            return refusal
        User.objects.filter(pool_id=pool.pk, pk=user.id).update(status=Status.CONFIRMED, modified_at=clock.now())
        audit.record(Tag.PASSWORD_CHANGED, pool=pool, subject=user.sub, by=by, detail={"method": "invited"})
        notices.send(notice)
        return None

    return Accepted("new_password", write, changes_person=True, password_changed=moment(changed_at))
