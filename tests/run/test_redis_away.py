"""Redis is never the only copy (Law 3): whoever signs in cannot tell whether it is there, gone, or silent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pools.services.messages import send_limits
from tests.live import Live
from tests.oidc.world import CALLBACK, PASSWORD, Proof, World, said
from tests.own_redis import OwnRedis

pytestmark = pytest.mark.timeout(240)
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
GUESSES = 5


@pytest.fixture(scope="module")
def world(live: Live, redis: OwnRedis) -> World:
    del redis
    return World(live)


@pytest.fixture(scope="module", params=["there", "gone", "silent"])
def state(request: pytest.FixtureRequest, redis: OwnRedis, world: World) -> Iterator[str]:
    """Have Redis so, for all tests of this file in turn."""
    del world
    with contextlib.nullcontext() if request.param == "there" else getattr(redis, request.param)():
        yield request.param


@pytest.fixture
def anyone(world: World) -> Any:  # noqa: ANN401 - boto3's own
    return world.live.boto(signed=False)


def refusal(call: Any, **given: Any) -> tuple[str, str]:  # noqa: ANN401 - boto3's own
    """Return the code and the text of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def password_of(world: World, name: str, password: str = PASSWORD) -> dict[str, Any]:
    parameters = {"USERNAME": name, "PASSWORD": password}
    return {"ClientId": world.public.id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}


def test_people_sign_in_refresh_and_are_known(world: World, state: str, anyone: Any) -> None:  # noqa: ANN401
    person = world.person()
    began = monotonic()

    tokens = anyone.initiate_auth(**password_of(world, person.email))["AuthenticationResult"]
    refreshed = anyone.initiate_auth(
        ClientId=world.public.id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )["AuthenticationResult"]

    for token in (tokens["AccessToken"], refreshed["AccessToken"]):
        assert anyone.get_user(AccessToken=token)["Username"] == person.username
    anyone.global_sign_out(AccessToken=refreshed["AccessToken"])
    assert refusal(anyone.get_user, AccessToken=tokens["AccessToken"])[0] == "NotAuthorizedException"
    # A silent one is waited for a tenth of a second, once in two.
    assert monotonic() - began < 5, state


def test_a_code_is_worth_tokens_once(world: World, state: str) -> None:
    del state
    proof = Proof()
    code = said(world.browser(world.ann).authorize(world.confidential, scope="openid", **proof.challenge))["code"]

    issued, again = (
        world.token(
            world.confidential,
            "authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=proof.verifier,
        )
        for _ in range(2)
    )

    assert issued.status_code == 200, issued.text
    assert {"access_token", "id_token", "refresh_token"} <= set(issued.json())
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_guesses_lock(world: World, state: str, anyone: Any) -> None:  # noqa: ANN401
    del state
    person = world.person()

    for _ in range(GUESSES):
        wrong = refusal(anyone.initiate_auth, **password_of(world, person.email, "Wrong-horse-7"))
        assert wrong == ("NotAuthorizedException", "Incorrect username or password.")

    locked = refusal(anyone.initiate_auth, **password_of(world, person.email))
    assert locked == ("NotAuthorizedException", "Password attempts exceeded")


def test_an_address_is_sent_so_much_and_gets_it(live: Live, state: str, anyone: Any) -> None:  # noqa: ANN401
    pool = live.boto().create_user_pool(PoolName="names", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    client = live.boto().create_user_pool_client(UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
    address = f"shared-{pool.rpartition('_')[2].lower()}@example.com"

    def ask(number: int) -> dict[str, Any]:
        attributes = [{"Name": "email", "Value": address}]
        return {
            "ClientId": client,
            "Username": f"p{number}",
            "Password": "Correct-horse-9",
            "UserAttributes": attributes,
        }

    for number in range(send_limits.PER_ADDRESS):
        assert anyone.sign_up(**ask(number))["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert refusal(anyone.sign_up, **ask(send_limits.PER_ADDRESS))[0] == "LimitExceededException"

    # The worker hears of it from Redis, or finds it in its sweep of every two seconds.
    live.message(address, count=send_limits.PER_ADDRESS, seconds=20)
    assert len(live.messages(address)) == send_limits.PER_ADDRESS, state
