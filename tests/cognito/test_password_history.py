"""PasswordHistorySize through boto3: the last passwords of a person, the present one with them, are not taken again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from identity.foundation import sealing
from pools.models import AuditEvent, Password, PasswordHistory, User, UserPool
from pools.services import housekeeping, sealing_contexts
from tests.cognito.conftest import PASSWORD, World, refused
from tests.live import Live

USED = "Password has previously been used"
POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
FIRST, SECOND, THIRD, FOURTH = (f"Other-horse-{number}" for number in range(1, 5))


def remembering(size: int) -> dict[str, Any]:
    return {"Policies": {"PasswordPolicy": {**POLICY, "PasswordHistorySize": size}}}


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    """Return a pool that remembers three passwords."""
    return World(live, pool=remembering(3))


def reused() -> AbstractContextManager[None]:
    return refused("PasswordHistoryPolicyViolationException", USED)


def put(world: World, name: str, *passwords: str, permanent: bool = True) -> None:
    """Set passwords as an operator, one after the other."""
    for password in passwords:
        world.idp.admin_set_user_password(
            UserPoolId=world.pool_id, Username=name, Password=password, Permanent=permanent
        )


def all_refused(world: World, name: str, passwords: Iterable[str]) -> None:
    for password in passwords:
        with reused():
            put(world, name, password)


def is_refused(world: World, name: str, password: str) -> bool:
    try:
        put(world, name, password)
    except ClientError as problem:
        assert problem.response["Error"]["Code"] == "PasswordHistoryPolicyViolationException"
        return True
    return False


def test_the_last_passwords_are_refused_and_older_ones_are_taken(world: World) -> None:
    name = world.person()

    all_refused(world, name, [PASSWORD])
    put(world, name, FIRST, SECOND)
    all_refused(world, name, [PASSWORD, FIRST, SECOND])
    assert world.tokens(name, SECOND)
    put(world, name, THIRD, PASSWORD)
    all_refused(world, name, [SECOND, THIRD, PASSWORD])
    put(world, name, FIRST)
    assert world.tokens(name, FIRST)


def test_a_temporary_password_counts_and_is_counted(world: World) -> None:
    name = world.person()

    with reused():
        put(world, name, PASSWORD, permanent=False)
    put(world, name, FIRST, permanent=False)
    with reused():
        put(world, name, FIRST)

    assert world.user(name)["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_a_person_changes_the_password_to_none_of_the_last(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    put(world, name, FIRST)

    for _ in range(6):  # the previous password is right each time: nobody is locked out
        with reused():
            world.anyone.change_password(AccessToken=token, PreviousPassword=FIRST, ProposedPassword=PASSWORD)
    with reused():
        world.anyone.change_password(AccessToken=token, PreviousPassword=FIRST, ProposedPassword=FIRST)
    with refused("NotAuthorizedException"):
        world.anyone.change_password(AccessToken=token, PreviousPassword=SECOND, ProposedPassword=PASSWORD)
    world.anyone.change_password(AccessToken=token, PreviousPassword=FIRST, ProposedPassword=SECOND)

    assert world.tokens(name, SECOND)
    all_refused(world, name, [PASSWORD, FIRST, SECOND])


def test_a_forgotten_password_is_replaced_by_none_of_the_last_and_the_code_stays_good(world: World) -> None:
    name = world.person()
    world.anyone.forgot_password(ClientId=world.client_id, Username=name)
    code = world.code(f"{name}@example.com")
    given = {"ClientId": world.client_id, "Username": name}

    with refused("CodeMismatchException"):  # the code first: who does not hold it learns nothing of passwords
        world.anyone.confirm_forgot_password(**given, ConfirmationCode=wrong(code), Password=PASSWORD)
    with reused():
        world.anyone.confirm_forgot_password(**given, ConfirmationCode=code, Password=PASSWORD)
    assert world.tokens(name)
    world.anyone.confirm_forgot_password(**given, ConfirmationCode=code, Password=FIRST)

    assert world.tokens(name, FIRST)
    all_refused(world, name, [PASSWORD, FIRST])


def wrong(code: str) -> str:
    return "000000" if code != "000000" else "000001"


def test_unknown_users_are_told_what_known_ones_are(world: World) -> None:
    silent = world.new_client(PreventUserExistenceErrors="ENABLED")["ClientId"]
    person, unknown = world.person(), f"stranger-{secrets.token_hex(4)}"

    for name in (person, unknown):
        world.anyone.forgot_password(ClientId=silent, Username=name)
        with refused("CodeMismatchException"):
            world.anyone.confirm_forgot_password(
                ClientId=silent, Username=name, ConfirmationCode="x00000", Password=PASSWORD
            )


@pytest.mark.parametrize("as_operator", [False, True])
def test_who_was_invited_chooses_another_password_than_the_temporary_one(world: World, as_operator: bool) -> None:
    name = f"guest-{secrets.token_hex(4)}"
    given = {"UserPoolId": world.pool_id, "Username": name, "MessageAction": "SUPPRESS"}
    world.idp.admin_create_user(**given, TemporaryPassword=FIRST)
    challenge = world.sign_in(name, FIRST)

    def respond(password: str) -> dict[str, Any]:
        if not as_operator:
            return world.respond(challenge, name, NEW_PASSWORD=password)
        answer: dict[str, Any] = world.idp.admin_respond_to_auth_challenge(
            UserPoolId=world.pool_id,
            ClientId=world.client_id,
            ChallengeName=challenge["ChallengeName"],
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": password},
        )
        return answer

    with reused():
        respond(FIRST)
    assert respond(SECOND)["AuthenticationResult"]
    all_refused(world, name, [FIRST, SECOND])


def test_a_password_of_ones_own_sign_up_is_remembered(world: World) -> None:
    name = f"person-{secrets.token_hex(4)}"
    address = [{"Name": "email", "Value": f"{name}@example.com"}]
    world.anyone.sign_up(ClientId=world.client_id, Username=name, Password=FIRST, UserAttributes=address)
    world.idp.admin_confirm_sign_up(UserPoolId=world.pool_id, Username=name)

    all_refused(world, name, [FIRST])


def test_an_invitation_that_is_sent_again_may_name_the_same_temporary_password(world: World) -> None:
    name = f"guest-{secrets.token_hex(4)}"
    given = {"UserPoolId": world.pool_id, "Username": name, "TemporaryPassword": FIRST}
    address = [{"Name": "email", "Value": f"{name}@example.com"}]
    world.idp.admin_create_user(**given, UserAttributes=address)

    # AdminCreateUser declares no such exception; that the same one came twice does not count twice.
    world.idp.admin_create_user(**given, MessageAction="RESEND")
    put(world, name, SECOND, THIRD)

    all_refused(world, name, [FIRST, SECOND, THIRD])


def test_the_same_password_of_another_is_no_matter(world: World, new_world: Callable[..., World]) -> None:
    one, two = world.person(), world.person()
    elsewhere = new_world(pool=remembering(3))
    elsewhere.person(one)
    put(world, one, FIRST)
    put(world, two, FIRST)
    put(elsewhere, one, FIRST)

    with world.live.orm():
        kept = [bytes(row.keyed_hash) for row in PasswordHistory.objects.filter(user__username__in=[one, two])]
    assert len(set(kept)) == len(kept)


def test_the_size_changes_while_people_have_passwords(new_world: Callable[..., World]) -> None:
    world = new_world()
    pool = world.pool_id

    def size(wanted: int) -> None:
        world.idp.update_user_pool(UserPoolId=pool, AutoVerifiedAttributes=["email"], **remembering(wanted))
        told = world.idp.describe_user_pool(UserPoolId=pool)["UserPool"]["Policies"]["PasswordPolicy"]
        assert told == {**POLICY, **({"PasswordHistorySize": wanted} if wanted else {})}

    name = world.person()
    put(world, name, PASSWORD)  # nothing is remembered yet
    assert hashes(world, name) == []
    size(3)
    all_refused(world, name, [PASSWORD])  # the present one, though it was set before
    put(world, name, FIRST, SECOND)
    all_refused(world, name, [PASSWORD, FIRST, SECOND])
    size(1)
    all_refused(world, name, [SECOND])
    put(world, name, FIRST)
    assert len(hashes(world, name)) == 1
    size(0)
    put(world, name, FIRST)
    size(3)
    all_refused(world, name, [FIRST])
    put(world, name, SECOND)  # what was remembered before the zero is void
    all_refused(world, name, [FIRST, SECOND])


def hashes(world: World, name: str) -> list[bytes]:
    with world.live.orm():
        rows = PasswordHistory.objects.filter(user__username=name, pool__public_id=world.pool_id)
        return [bytes(row.keyed_hash) for row in rows.order_by("set_at")]


def test_an_update_that_leaves_the_policy_out_switches_it_off_and_what_was_kept_goes(
    new_world: Callable[..., World],
) -> None:
    world = new_world(pool=remembering(24))
    name = world.person()
    put(world, name, FIRST)
    assert len(hashes(world, name)) == 3  # with the temporary one

    world.idp.update_user_pool(UserPoolId=world.pool_id, AutoVerifiedAttributes=["email"])
    with world.live.orm():
        housekeeping.purge_password_history()

    assert hashes(world, name) == []
    put(world, name, FIRST)
    assert hashes(world, name) == []


@pytest.mark.parametrize("size", [-1, 25])
def test_a_size_that_there_is_not_is_refused(world: World, size: int) -> None:
    with refused("InvalidParameterException"):
        world.idp.create_user_pool(PoolName="test", **remembering(size))
    with refused("InvalidParameterException"):
        world.idp.update_user_pool(UserPoolId=world.pool_id, **remembering(size))
    told = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]["Policies"]["PasswordPolicy"]
    assert told["PasswordHistorySize"] == 3


def test_of_two_who_set_the_same_password_at_once_one_is_refused(world: World) -> None:
    names = [world.person() for _ in range(5)]

    for name in names:
        with ThreadPoolExecutor(2) as both:
            found = list(both.map(lambda _, name=name: is_refused(world, name, FIRST), range(2)))
        assert sorted(found) == [False, True]
        assert len(hashes(world, name)) == 3  # with the temporary one


def test_a_refusal_leaves_a_row_and_nothing_of_the_password(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    sub = {each["Name"]: each["Value"] for each in world.user(name)["UserAttributes"]}["sub"]
    before = world.user(name)

    with reused():
        put(world, name, PASSWORD)
    with reused():
        world.anyone.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=PASSWORD)

    with world.live.orm():
        rows = AuditEvent.objects.filter(tag="password_refused", subject=sub).order_by("id")
        told = [(row.outcome, row.actor_kind, row.detail) for row in rows]
    assert told == [
        ("refused", "operator", {"reason": "reused"}),
        ("refused", "user", {"reason": "reused"}),
    ]
    assert world.user(name) == before


def test_what_is_kept_is_a_hash_that_nobody_has_without_the_pools_key(world: World) -> None:
    name = world.person()

    with world.live.orm():
        user = User.objects.select_related("password").get(username=name, pool__public_id=world.pool_id)
        kept = [bytes(row.keyed_hash) for row in PasswordHistory.objects.filter(user=user).order_by("set_at")]
        place = sealing_contexts.verifier(world.pool_id, name)
        verifier = sealing.unseal(user.password.sealed_verifier or b"", place=place)
        pool = UserPool.objects.get(public_id=world.pool_id)
        key = sealing.unseal(pool.sealed_decoy_key, place=sealing_contexts.decoy_key(world.pool_id))

    assert kept[-1] == hmac.digest(sealing.derive(key, "password-history"), verifier, "sha256")
    assert [len(each) for each in kept] == [32, 32]
    assert not {verifier, hashlib.sha256(verifier).digest(), hashlib.sha256(PASSWORD.encode()).digest()} & {*kept}


def test_what_is_kept_goes_with_the_person(world: World) -> None:
    name = world.person()
    with world.live.orm():
        user_id = User.objects.get(username=name, pool__public_id=world.pool_id).id
    world.anyone.delete_user(AccessToken=world.tokens(name)["AccessToken"])

    with world.live.orm():
        housekeeping.purge_users()

        assert not PasswordHistory.objects.filter(user_id=user_id).exists()
        assert not Password.objects.filter(user_id=user_id).exists()
    world.person(name)
