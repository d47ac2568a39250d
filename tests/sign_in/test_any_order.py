"""Whatever is called in whatever order, nobody reaches tokens without the recorded proof of each required factor."""

from __future__ import annotations

import pyotp
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from identity.foundation import errors
from pools.models import AppClient, AuthEvent, Guess, TotpFactor, User, UserPool
from pools.services import access
from pools.services.people import passwords
from pools.services.sign_in import enrolment, factors, flows, machine, sealed_attempts
from pools.services.sign_in.machine import Challenge, Challenged, EndsIn, SignedIn
from tests import factories
from tests.sign_in.conftest import BY
from tests.srp_client import STAMP, Client
from tests.walks import walk

CHALLENGES = [*Challenge, *(factor.kind for factor in factors.FACTORS)]
TEMPORARY = "Temporary-1"
OWN = "Own-choice-1"


class Walker(RuleBasedStateMachine):
    """An attacker who knows the password now and then, and holds every attempt token ever seen."""

    pools: dict[str, tuple[UserPool, AppClient, AppClient]]

    @initialize(mfa=st.sampled_from(["OFF", "OPTIONAL", "ON"]), invited=st.booleans(), enrolled=st.booleans())
    def someone(self, mfa: str, invited: bool, enrolled: bool) -> None:
        """Make a person in one of the pools."""
        self.pool, self.client, self.sibling = self.pools[mfa]
        self.name = f"person{factories.number()}"
        self.user = factories.make_invited(self.pool, self.name, password=TEMPORARY)
        self.password = TEMPORARY
        if not invited:
            passwords.admin_set(self.pool, self.user, OWN, permanent=True, by=BY)
            self.password = OWN
        self.must_change = invited
        self.totp = factories.give_totp(self.pool, self.user) if enrolled else None
        self.sessions: list[str] = []
        self.spent: set[str] = set()
        self.pending: pyotp.TOTP | None = None
        # What the attempt behind each attempt token has proven.
        self.proven: dict[str, set[str]] = {}
        self.came_with: dict[str, str] = {}
        self.exchanges: dict[str, tuple[Client, Challenged]] = {}

    @property
    def needs_code(self) -> bool:
        return self.pool.mfa != "OFF" and self.totp is not None

    def quieten(self) -> None:
        """Forget locks and spent codes, which would only hide what is looked for."""
        Guess.objects.filter(pool_id=self.pool.pk, subject=self.user.id).delete()
        TotpFactor.objects.filter(pool_id=self.pool.pk, user_id=self.user.id).update(last_step=0)

    def took(self, outcome: object, proven: set[str]) -> None:
        """Check an outcome against what was proven on the way to it."""
        if isinstance(outcome, Challenged):
            assert outcome.attempt_token not in self.proven, "an attempt token came twice"
            self.sessions.append(outcome.attempt_token)
            self.came_with[outcome.attempt_token] = outcome.challenge
            self.proven[outcome.attempt_token] = proven
            return
        assert isinstance(outcome, SignedIn)
        assert "password" in proven
        assert not self.must_change or "new_password" in proven
        assert not self.needs_code or proven & {"totp", "enrolled"}
        assert self.pool.mfa != "ON" or proven & {"totp", "enrolled"}
        assert AuthEvent.objects.filter(pool_id=self.pool.pk, user_id=self.user.id, passed=True).exists()
        if "new_password" in proven:
            self.must_change, self.password = False, OWN

    @rule(right=st.booleans(), ends_in=st.sampled_from(list(EndsIn)))
    def begin(self, right: bool, ends_in: EndsIn) -> None:
        """Try a password."""
        self.quieten()
        password = self.password if right else "Wrong-guess-1"
        try:
            outcome = factories.begin(self.client, username=self.name, password=password, ends_in=ends_in, by=BY)
        except errors.PasswordIncorrect:
            assert not right
            return
        assert right
        self.took(outcome, {"password"})

    @rule()
    def begin_by_srp(self) -> None:
        """Begin an exchange, which proves nothing yet and writes nothing."""
        self.quieten()
        exchange = Client("")
        given = {"client_public": f"{exchange.public:x}"}
        asked = machine.begin(flows.by_api(self.client, "USER_SRP_AUTH"), username=self.name, answers=given, by=BY)
        assert isinstance(asked, Challenged)
        self.exchanges[asked.attempt_token] = exchange, asked
        self.took(asked, set())

    def signed(self, session: str, right: bool) -> dict[str, str]:
        """Return the answer to an exchange, nonsense where the session began none."""
        if session not in self.exchanges:
            return {"signature": "", "timestamp": STAMP}
        exchange, asked = self.exchanges[session]
        exchange.password = self.password if right else "Wrong-guess-1"
        given = {
            "USER_ID_FOR_SRP": asked.username,
            "SALT": f"{asked.parameters['salt']:x}",
            "SRP_B": f"{asked.parameters['server_public']:x}",
            "SECRET_BLOCK": sealed_attempts.block(session),
        }
        answer = exchange.answer(self.pool.public_id, given)
        return {"signature": answer["PASSWORD_CLAIM_SIGNATURE"], "timestamp": answer["TIMESTAMP"]}

    @precondition(lambda self: self.sessions)
    @rule(
        data=st.data(),
        challenge=st.sampled_from([*[None] * 6, *CHALLENGES]),
        right=st.booleans(),
        by_sibling=st.sampled_from([False, False, False, True]),
    )
    def respond(self, data: st.DataObject, challenge: str | None, right: bool, by_sibling: bool) -> None:
        """Answer any session with any challenge or with the one that it came with, rightly or wrongly, spent or not."""
        self.quieten()
        session = data.draw(st.sampled_from(self.sessions))
        challenge = challenge or self.came_with.get(session, Challenge.FACTOR_SETUP)
        code = self.totp.now() if right and self.totp else "000000"
        answers = {"code": code, "new_password": OWN if right else "short", "password": self.password}
        if challenge == Challenge.PASSWORD_VERIFIER:
            answers |= self.signed(session, right)
        client = self.sibling if by_sibling else self.client
        try:
            outcome = machine.respond(client, challenge=challenge, attempt_token=session, answers=answers, by=BY)
        except errors.DomainError:
            return
        assert not by_sibling
        assert session not in self.spent, "an attempt token succeeded twice"
        self.spent.add(session)
        proof = {
            Challenge.PASSWORD_VERIFIER: "password",
            "totp": "totp",
            Challenge.NEW_PASSWORD: "new_password",
            Challenge.FACTOR_SETUP: "set_up",
        }
        assert challenge == Challenge.FACTOR_SETUP or right
        self.took(outcome, self.proven[session] | {proof[challenge]})
        if challenge == Challenge.NEW_PASSWORD:
            self.must_change, self.password = False, OWN

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def associate(self, data: st.DataObject) -> None:
        """Ask for a seed within a sign-in."""
        session = data.draw(st.sampled_from(self.sessions))
        try:
            secret, following = enrolment.enrol(self.client, session, "totp", by=BY)
        except errors.DomainError:
            return
        assert self.pool.mfa == "ON"
        assert self.totp is None
        assert session not in self.spent
        self.spent.add(session)
        self.pending = pyotp.TOTP(secret)
        self.sessions.append(following)
        self.proven[following] = self.proven[session]

    @precondition(lambda self: self.sessions and self.pending)
    @rule(data=st.data(), right=st.booleans())
    def verify(self, data: st.DataObject, right: bool) -> None:
        """Prove the seed within a sign-in."""
        assert self.pending is not None
        self.quieten()
        session = data.draw(st.sampled_from(self.sessions))
        code = self.pending.now() if right else "000000"
        try:
            following = enrolment.prove_enrolment(self.client, session, "totp", code, by=BY)
        except errors.DomainError:
            return
        assert right
        assert session not in self.spent
        self.spent.add(session)
        self.sessions.append(following)
        self.proven[following] = self.proven[session] | {"enrolled"}
        self.totp = self.pending

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def disable(self, data: st.DataObject) -> None:
        """End an account for a moment: no session of before survives it."""
        session = data.draw(st.sampled_from(self.sessions))
        User.objects.filter(pk=self.user.pk).update(enabled=False)
        for challenge in CHALLENGES:
            try:
                machine.respond(self.client, challenge=challenge, attempt_token=session, answers={}, by=BY)
            except errors.DomainError:
                continue
            raise AssertionError("a disabled person went on")
        User.objects.filter(pk=self.user.pk).update(enabled=True)


def test_no_order_of_calls_reaches_tokens_without_every_required_proof(transactional_db: None) -> None:
    Walker.pools = {}
    for mfa in ("OFF", "OPTIONAL", "ON"):
        pool = factories.make_pool(mfa=mfa)
        client, sibling = (
            factories.make_client(pool, explicit_auth_flows=[*factories.FLOWS, "ALLOW_USER_SRP_AUTH"]) for _ in range(2)
        )
        Walker.pools[mfa] = (access.pool(pool.public_id), client, sibling)

    run_state_machine_as_test(
        Walker,
        settings=walk(20, stateful_step_count=14),
    )
