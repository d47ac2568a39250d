"""The second factors as steps, one each: of those that somebody has, one is asked for. Its answer is spent once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.services import assurance, audit
from pools.services.audit import Tag
from pools.services.sign_in import factors
from pools.services.sign_in.attempt import CHOSEN, Accepted, Attempt, Offer
from pools.services.sign_in.factors import Factor


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """The step of one factor, which its challenge is named for."""

    factor: Factor
    proof: str = "code"

    @property
    def challenge(self) -> str:
        """Return the factor's kind."""
        return self.factor.kind

    def applies(self, attempt: Attempt) -> bool:
        """Say whether a second factor is due, and it is this one that is asked for."""
        is_due = assurance.lacks_second(attempt.pool, attempt.person, attempt.methods)
        if not is_due:
            return False
        chosen = str(attempt.evidence.get(CHOSEN, ""))
        return factors.asked_first(attempt.pool, attempt.person, chosen=chosen) is self.factor

    def enter(self, attempt: Attempt, *, by: Actor) -> DomainError | None:
        """Issue what the factor asks for."""
        return self.factor.enter(attempt.client, attempt.person, by=by)

    def offer(self, attempt: Attempt) -> Offer:
        """Return what the factor shows, and which others could be asked for in its place."""
        pool, person = attempt.pool, attempt.person
        held = next(each for each in factors.held_by(pool, person) if each.kind == self.factor.kind)
        others = [kind for kind in factors.asked_of(pool, person) if kind != self.factor.kind]
        return Offer({**self.factor.offer(person, held), "others": others})

    def check(self, attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
        """Have the factor look at the answer; a refusal leaves an audit row.

        Raises:
            What the factor refuses.

        """
        pool, person, kind = attempt.pool, attempt.person, self.factor.kind
        try:
            spend = self.factor.check(pool, person, answers, by=by)
        except DomainError as problem:
            detail = {"factor": kind, "reason": type(problem).__name__}
            audit.record(Tag.FACTOR_REFUSED, pool=pool, subject=person.sub, outcome="refused", by=by, detail=detail)
            raise
        return Accepted(kind, spend)


STEPS = tuple(SecondFactor(factor) for factor in factors.FACTORS)
