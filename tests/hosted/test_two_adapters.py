"""One scenario, two adapters: what the API says of signing in, up and recovering, the pages say too."""

from __future__ import annotations

import time
from typing import Protocol

import pyotp
import pytest
from botocore.exceptions import ClientError

from tests.hosted.world import OTHER_PASSWORD, PASSWORD, World

REFUSED = {
    "NotAuthorizedException": "refused",
    "UserNotConfirmedException": "unconfirmed",
    "CodeMismatchException": "wrong code",
    "ExpiredCodeException": "wrong code",
    "InvalidPasswordException": "weak password",
}


class Adapter(Protocol):
    """What somebody may do at either; each answers with what happened."""

    def sign_in(self, name: str, password: str) -> str:
        """Return ``in``, ``code`` for a second factor, or what was refused."""

    def answer(self, code: str) -> str:
        """Give the second factor's code."""

    def sign_up(self, name: str, password: str) -> str:
        """Ask for an account."""

    def confirm(self, name: str, code: str) -> str:
        """Prove its address."""

    def forgot(self, name: str) -> str:
        """Ask for a code."""

    def reset(self, name: str, code: str, password: str) -> str:
        """Set a new password."""


class Api:
    """boto3."""

    def __init__(self, world: World) -> None:
        """Speak for the pool's app."""
        self.world, self.idp = world, world.live.boto(signed=False)
        self.session = self.name = ""

    def _ask(self, operation: str, **given: object) -> dict[str, object] | str:
        try:
            answer: dict[str, object] = getattr(self.idp, operation)(ClientId=self.world.client_id, **given)
        except ClientError as problem:
            message = problem.response["Error"]["Message"]
            if "exceeded" in message:
                return "locked"
            return REFUSED[problem.response["Error"]["Code"]]
        return answer

    def sign_in(self, name: str, password: str) -> str:
        """InitiateAuth."""
        self.name = name
        given = {"USERNAME": name, "PASSWORD": password}
        return self._outcome(self._ask("initiate_auth", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given))

    def _outcome(self, answer: dict[str, object] | str) -> str:
        if isinstance(answer, str):
            return answer
        self.session = str(answer.get("Session", ""))
        return "code" if answer.get("ChallengeName") == "SOFTWARE_TOKEN_MFA" else "in"

    def answer(self, code: str) -> str:
        """RespondToAuthChallenge."""
        given = {"USERNAME": self.name, "SOFTWARE_TOKEN_MFA_CODE": code}
        answer = self._ask(
            "respond_to_auth_challenge",
            ChallengeName="SOFTWARE_TOKEN_MFA",
            Session=self.session,
            ChallengeResponses=given,
        )
        return answer if isinstance(answer, str) else self._outcome(answer)

    def sign_up(self, name: str, password: str) -> str:
        """SignUp."""
        return self._said(self._ask("sign_up", Username=name, Password=password))

    def confirm(self, name: str, code: str) -> str:
        """ConfirmSignUp."""
        return self._said(self._ask("confirm_sign_up", Username=name, ConfirmationCode=code))

    def forgot(self, name: str) -> str:
        """ForgotPassword."""
        return self._said(self._ask("forgot_password", Username=name))

    def reset(self, name: str, code: str, password: str) -> str:
        """ConfirmForgotPassword."""
        return self._said(self._ask("confirm_forgot_password", Username=name, ConfirmationCode=code, Password=password))

    @staticmethod
    def _said(answer: dict[str, object] | str) -> str:
        return answer if isinstance(answer, str) else "done"


class Hosted:
    """The pages."""

    def __init__(self, world: World) -> None:
        """Open a browser."""
        self.world, self.visitor, self.waits_at = world, world.visitor(), ""

    def sign_in(self, name: str, password: str) -> str:
        """Fill in /login."""
        page = self.visitor.sign_in(name, password, prompt="login")
        if page.status == 429:
            return "locked"
        said = {"/login": "refused", "/login/totp": "code", "/confirm": "unconfirmed", "/callback": "in"}
        return "in" if page.url.startswith("https://app.example/") else said[page.path]

    def answer(self, code: str) -> str:
        """Fill in /login/totp."""
        page = self.visitor.submit(code=code)
        return "in" if page.url.startswith("https://app.example/") else self._failed(page.alert)

    def sign_up(self, name: str, password: str) -> str:
        """Fill in /signup."""
        self.visitor.start("/signup")
        page = self.visitor.submit(username=name, password=password)
        self.waits_at = page.url
        return "done" if page.path == "/confirm" else self._failed(page.alert)

    def confirm(self, name: str, code: str) -> str:
        """Fill in /confirm."""
        self.visitor.open(self.waits_at)
        page = self.visitor.submit(username=name, code=code)
        return "done" if page.path == "/login/mfa" else self._failed(page.alert)

    def forgot(self, name: str) -> str:
        """Fill in /forgotPassword."""
        self.visitor.start("/forgotPassword")
        page = self.visitor.submit(username=name)
        return "done" if page.path == "/confirmForgotPassword" else self._failed(page.alert)

    def reset(self, name: str, code: str, password: str) -> str:
        """Fill in /confirmForgotPassword."""
        self.visitor.start("/confirmForgotPassword")
        page = self.visitor.submit(username=name, code=code, new_password=password)
        return "done" if page.path == "/login" else self._failed(page.alert)

    @staticmethod
    def _failed(alert: str) -> str:
        if alert.startswith("That code"):
            return "wrong code"
        if "password" in alert or alert.startswith("Add a"):
            return "weak password"
        return alert


@pytest.fixture(params=[Api, Hosted], ids=["api", "hosted"])
def adapter(request: pytest.FixtureRequest, world: World) -> Adapter:
    """Return either adapter of the same pool."""
    found: Adapter = request.param(world)
    return found


def test_signing_in(world: World, adapter: Adapter) -> None:
    name = world.person()

    assert adapter.sign_in(name, OTHER_PASSWORD) == "refused"
    assert adapter.sign_in(world.name(), PASSWORD) == "refused"
    assert adapter.sign_in(name.upper(), PASSWORD) == "in"
    world.disable(name)
    assert adapter.sign_in(name, PASSWORD) == "refused"


def test_signing_in_with_a_second_factor(world: World, adapter: Adapter) -> None:
    name = world.person()
    totp = pyotp.TOTP(world.give_totp(name))

    assert adapter.sign_in(name, PASSWORD) == "code"
    assert adapter.answer("000000") == "wrong code"
    code = totp.at(int(time.time()) + 30)
    assert adapter.answer(code) == "in"
    assert adapter.sign_in(name, PASSWORD) == "code"
    assert adapter.answer(code) == "wrong code"


def test_signing_up(world: World, adapter: Adapter) -> None:
    name = world.name()

    assert adapter.sign_up(name, "weak") == "weak password"
    assert adapter.sign_up(name, PASSWORD) == "done"
    assert adapter.sign_in(name, PASSWORD) == "unconfirmed"
    assert adapter.sign_in(name, OTHER_PASSWORD) == "refused"
    code = world.mailed(name)
    assert adapter.confirm(name, "000000" if code != "000000" else "000001") == "wrong code"
    assert adapter.confirm(name, code) == "done"
    assert adapter.sign_in(name, PASSWORD) == "in"


def test_recovering(world: World, adapter: Adapter) -> None:
    name = world.person()

    assert adapter.forgot(world.name()) == "done"
    assert adapter.forgot(name) == "done"
    code = world.mailed(name)
    assert adapter.reset(name, code, "weak") == "weak password"
    assert adapter.reset(name, "000000" if code != "000000" else "000001", OTHER_PASSWORD) == "wrong code"
    assert adapter.reset(name, code, OTHER_PASSWORD) == "done"
    assert adapter.reset(name, code, PASSWORD) == "wrong code"
    assert adapter.sign_in(name, PASSWORD) == "refused"
    assert adapter.sign_in(name, OTHER_PASSWORD) == "in"


def test_one_counter_of_guesses_for_both_adapters(world: World) -> None:
    name, api, pages = world.person(), Api(world), Hosted(world)

    for number in range(5):
        assert (api if number % 2 else pages).sign_in(name, OTHER_PASSWORD) == "refused"

    assert "locked" in {api.sign_in(name, PASSWORD), pages.sign_in(name, PASSWORD)}
