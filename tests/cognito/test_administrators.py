"""What administrators do with a user through boto3, and what the user sees of it. Ended passwords: ``test_resets``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pools.services.pools import signing_keys
from tests.cognito.conftest import PASSWORD, World, named, refused
from tests.live import Live

INVALID, NOT_AUTHORIZED, NOBODY = "InvalidParameterException", "NotAuthorizedException", "UserNotFoundException"
TAKEN = "An account with the given email already exists."
NO_CODE = "Invalid code provided, please request a code again."
ROLE = "arn:aws:iam::000000000000:role/Member"
SCHEMA = [
    {"Name": "given_name", "AttributeDataType": "String", "Mutable": True, "Required": True},
    {"Name": "level", "AttributeDataType": "Number", "Mutable": True, "NumberAttributeConstraints": {"MaxValue": "9"}},
    {"Name": "once", "AttributeDataType": "String", "Mutable": False},
]


@pytest.fixture(scope="module")
def aliased(live: Live) -> World:
    """Return a pool where addresses and chosen names sign in, and a second factor may be had."""
    world = World(live, pool={"AliasAttributes": ["email", "preferred_username"]})
    world.mfa("OPTIONAL")
    return world


@pytest.fixture(scope="module")
def ruled(live: Live) -> World:
    """Return a pool with rules for attributes, whose client may write almost nothing."""
    return World(live, pool={"Schema": SCHEMA}, client={"WriteAttributes": ["given_name"]})


def about(world: World, name: str, operation: str, **more: Any) -> Any:  # noqa: ANN401 - an answer
    """Call an administrator's operation about somebody."""
    return getattr(world.idp, operation)(UserPoolId=world.pool_id, Username=name, **more)


def write(world: World, name: str, **attributes: str) -> None:
    """Change somebody's attributes."""
    given = [{"Name": key, "Value": value} for key, value in attributes.items()]
    about(world, name, "admin_update_user_attributes", UserAttributes=given)


def attributes_of(world: World, name: str) -> dict[str, str]:
    """Return somebody's attributes, without the sub."""
    found = named(world.user(name)["UserAttributes"])
    del found["sub"]
    return found


def sub_of(world: World, name: str) -> str:
    """Return somebody's sub."""
    return named(world.user(name)["UserAttributes"])["sub"]


def audited(world: World, sub: str, *, since: int = 0) -> list[tuple[str, str, str]]:
    """Return what the audit rows about somebody say happened, by what kind of caller, with what outcome."""
    with world.live.orm():
        from pools.models import AuditEvent
        from pools.services import access

        rows = AuditEvent.objects.filter(pool_id=access.pool(world.pool_id).pk, subject=sub).order_by("id")
        return [(row.tag, row.actor_kind, row.outcome) for row in rows][since:]


EVERY: dict[str, dict[str, Any]] = {
    "admin_update_user_attributes": {"UserAttributes": [{"Name": "nickname", "Value": "Nick"}]},
    "admin_delete_user_attributes": {"UserAttributeNames": ["nickname"]},
    "admin_set_user_mfa_preference": {"SoftwareTokenMfaSettings": {"Enabled": False}},
    "admin_set_user_settings": {"MFAOptions": []},
    "admin_delete_software_token": {},
    "admin_get_user_auth_factors": {},
    "admin_list_groups_for_user": {},
    "admin_user_global_sign_out": {},
    "admin_disable_user": {},
    "admin_enable_user": {},
    "admin_reset_user_password": {},
    "admin_delete_user": {},
}
TAGS = {
    "admin_update_user_attributes": "attributes_changed",
    "admin_delete_user_attributes": "attributes_changed",
    "admin_set_user_mfa_preference": "mfa_preference_set",
    "admin_delete_software_token": "factor_removed",
    "admin_user_global_sign_out": "signed_out_everywhere",
    "admin_disable_user": "user_disabled",
    "admin_enable_user": "user_enabled",
    "admin_reset_user_password": "password_ended",
    "admin_delete_user": "user_deleted",
}


@pytest.mark.parametrize("called", ["username", "sub", "email", "preferred_username"])
def test_somebody_is_called_by_any_name_that_signs_in(aliased: World, called: str) -> None:
    world, name = aliased, aliased.person()
    write(world, name, preferred_username=f"star-{name}")
    sub = sub_of(world, name)
    by = {"username": name, "sub": sub, "email": f"{name}@example.com", "preferred_username": f"star-{name}"}[called]
    world.enrol(world.tokens(name)["AccessToken"])
    before = len(audited(world, sub))

    answers = {operation: about(world, by, operation, **more) for operation, more in EVERY.items()}

    for answer in answers.values():
        del answer["ResponseMetadata"]
    told = {operation: answer for operation, answer in answers.items() if answer}
    assert told == {
        "admin_get_user_auth_factors": {"Username": name, "ConfiguredUserAuthFactors": ["PASSWORD"]},
        "admin_list_groups_for_user": {"Groups": []},
    }
    expected = [(TAGS[operation], "operator", "done") for operation in EVERY if operation in TAGS]
    assert audited(world, sub, since=before) == expected


@pytest.mark.parametrize("operation", EVERY)
def test_nobody_else_is_meant(aliased: World, world: World, operation: str) -> None:
    unproven = aliased.person(email_verified="false")
    other = world.person()
    before = (aliased.user(unproven), world.user(other))

    for name in ("stranger", f"{unproven}@example.com", other, sub_of(world, other), f"{other}@example.com"):
        with refused(NOBODY, "User does not exist."):
            about(aliased, name, operation, **EVERY[operation])

    assert (aliased.user(unproven), world.user(other)) == before


# -- attributes ------------------------------------------------------------------------------------------------------


def test_an_operator_writes_what_the_client_may_not(ruled: World) -> None:
    name = ruled.person(given_name="Ana", nickname="Annie")
    tokens = ruled.tokens(name)

    write(ruled, name, family_name="Ämt", nickname="", **{"custom:level": "7"})

    found = attributes_of(ruled, name)
    assert found == {
        "given_name": "Ana",
        "family_name": "Ämt",
        "custom:level": "7",
        "email": f"{name}@example.com",
        "email_verified": "true",
    }
    claims = signing_keys.unverified_claims(ruled.refresh(tokens["RefreshToken"])["IdToken"])
    assert (claims["family_name"], claims["custom:level"]) == ("Ämt", "7")
    assert "nickname" not in claims


NOT_THERE = "Attributes did not conform to the schema: custom:none: Attribute does not exist in the schema."


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        ("sub", "x", "user.sub: Attribute cannot be updated."),
        ("custom:once", "b", "user.custom:once: Attribute cannot be updated."),
        ("custom:none", "x", NOT_THERE),
        ("custom:level", "10", None),
        ("given_name", "", "user.given_name: Attribute cannot be deleted."),
        ("email", "nonsense", None),
        ("phone_number", "0123", None),
        ("email_verified", "perhaps", None),
        ("nickname", "x" * 2049, None),
        ("family_name", "again", "Attribute family_name is given twice."),
    ],
)
def test_what_breaks_the_schema_changes_nothing(ruled: World, attribute: str, value: str, text: str | None) -> None:
    name = ruled.person(given_name="Ana", **{"custom:once": "a"})
    before = (ruled.user(name), audited(ruled, sub_of(ruled, name)))
    given = [{"Name": "family_name", "Value": "Eve"}, {"Name": attribute, "Value": value}]

    with refused(INVALID, text):
        about(ruled, name, "admin_update_user_attributes", UserAttributes=given)

    assert (ruled.user(name), audited(ruled, sub_of(ruled, name))) == before


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("sub", "user.sub: Attribute cannot be updated."),
        ("custom:once", "user.custom:once: Attribute cannot be updated."),
        ("custom:none", NOT_THERE),
        ("given_name", "user.given_name: Attribute cannot be deleted."),
    ],
)
def test_what_must_stay_is_not_deleted_and_nothing_else_is(ruled: World, attribute: str, text: str) -> None:
    name = ruled.person(given_name="Ana", family_name="Ott", **{"custom:once": "a"})
    before = ruled.user(name)

    with refused(INVALID, text):
        about(ruled, name, "admin_delete_user_attributes", UserAttributeNames=["family_name", attribute])

    assert ruled.user(name) == before


def test_deleted_attributes_are_gone_and_an_address_signs_nobody_in(aliased: World) -> None:
    name = aliased.person(given_name="Ana", phone_number="+4912345678")
    email = f"{name}@example.com"
    assert aliased.tokens(email)

    for _ in range(2):
        about(aliased, name, "admin_delete_user_attributes", UserAttributeNames=["email", "given_name"])

    assert attributes_of(aliased, name) == {"phone_number": "+4912345678"}
    with refused(NOBODY, "User does not exist."):
        aliased.sign_in(email)
    assert aliased.person(email=email)


def test_an_operators_word_proves_an_address(aliased: World) -> None:
    name = aliased.person(email_verified="false")
    email, new = f"{name}@example.com", f"new-{name}@example.org"
    with refused(NOBODY):
        aliased.sign_in(email)

    write(aliased, name, email_verified="true")
    assert aliased.tokens(email)
    write(aliased, name, email=new, email_verified="true")
    assert aliased.tokens(new)
    write(aliased, name, email_verified="false")

    for address in (email, new):
        with refused(NOBODY):
            aliased.sign_in(address)
    assert attributes_of(aliased, name) == {"email": new, "email_verified": "false"}
    assert aliased.live.messages(email) == aliased.live.messages(new) == []


def test_a_new_address_without_a_word_is_unproven_and_gets_a_code(aliased: World) -> None:
    name = aliased.person()
    token, new = aliased.tokens(name)["AccessToken"], f"new-{name}@example.org"

    write(aliased, name, email=new)

    assert attributes_of(aliased, name) == {"email": new, "email_verified": "false"}
    for address in (f"{name}@example.com", new):
        with refused(NOBODY):
            aliased.sign_in(address)
    aliased.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=aliased.code(new))
    assert aliased.tokens(new)


def test_an_address_that_waits_for_its_code_changes_nothing_until_then(live: Live) -> None:
    wait = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    world = World(live, pool={"AliasAttributes": ["email"], "UserAttributeUpdateSettings": wait})
    name = world.person()
    token, old = world.tokens(name)["AccessToken"], f"{name}@example.com"
    first, second, third = (f"{word}-{name}@example.org" for word in ("first", "second", "third"))

    write(world, name, email=first, nickname="Nick")
    assert attributes_of(world, name) == {"email": old, "email_verified": "true", "nickname": "Nick"}
    assert world.tokens(old)
    world.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=world.code(first))
    assert attributes_of(world, name)["email"] == first

    write(world, name, email=second)
    code = world.code(second)
    write(world, name, email=third, email_verified="true")
    assert attributes_of(world, name) == {"email": third, "email_verified": "true", "nickname": "Nick"}
    assert world.live.messages(third) == []
    with refused("ExpiredCodeException", NO_CODE):  # what waited is overtaken
        world.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code)
    assert world.tokens(third)


def test_a_name_that_another_owns_is_refused_and_nothing_changes(aliased: World) -> None:
    owner, name = aliased.person(), aliased.person()
    email, star = f"{owner}@example.com", f"star-{owner}"
    write(aliased, owner, preferred_username=star)
    other = aliased.person(email=email, email_verified="false")
    before = aliased.user(name), aliased.user(other)

    with refused("AliasExistsException", TAKEN):
        write(aliased, name, nickname="Nick", email=email, email_verified="true")
    with refused("AliasExistsException", TAKEN):
        write(aliased, other, email_verified="true")
    for taken in (star, owner):
        with refused("AliasExistsException", "An account with the given preferred username already exists."):
            write(aliased, name, preferred_username=taken)

    assert (aliased.user(name), aliased.user(other)) == before
    assert aliased.user(email)["Username"] == owner
    about(aliased, owner, "admin_delete_user")
    write(aliased, other, email_verified="true")
    assert aliased.user(email)["Username"] == other


def test_the_address_that_is_the_username_moves_at_once(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"UsernameAttributes": ["email"]})
    for address in ("ann@example.com", "bob@example.com"):
        world.person(address, email=address)

    with refused("AliasExistsException", TAKEN):
        write(world, "ann@example.com", email="bob@example.com", email_verified="true")
    with refused(INVALID, "user.email: Attribute cannot be deleted."):
        about(world, "ann@example.com", "admin_delete_user_attributes", UserAttributeNames=["email"])
    write(world, "ann@example.com", email="eve@example.com", email_verified="true")

    assert world.tokens("eve@example.com")
    with refused(NOBODY):
        world.sign_in("ann@example.com")


def test_codes_to_an_address_are_limited(aliased: World) -> None:
    name = aliased.person()
    new = f"new-{name}@example.org"
    for _ in range(5):
        write(aliased, name, email=new)
        write(aliased, name, email=f"{name}@example.com", email_verified="true")
    before = aliased.user(name)

    with refused("TooManyRequestsException", "Attempt limit exceeded, please try after some time."):
        write(aliased, name, email=new)

    assert aliased.user(name) == before


# -- accounts --------------------------------------------------------------------------------------------------------


def all_refused(calls: Iterable[Callable[[], Any]], code: str, text: str | None = None) -> None:
    """Expect each call to be refused alike."""
    for call in calls:
        with refused(code, text):
            call()


def test_a_deleted_user_is_gone_at_once_with_all_that_was_theirs(aliased: World) -> None:
    world, name = aliased, aliased.person()
    sub, tokens = sub_of(world, name), world.tokens(name)
    world.idp.create_group(UserPoolId=world.pool_id, GroupName=f"of-{name}")
    about(world, name, "admin_add_user_to_group", GroupName=f"of-{name}")
    world.anyone.forgot_password(ClientId=world.client_id, Username=name)
    code = world.code(f"{name}@example.com")

    about(world, name, "admin_delete_user")

    for gone in (name, sub, f"{name}@example.com"):
        with refused(NOBODY, "User does not exist."):
            about(world, gone, "admin_delete_user")
    with refused(NOBODY, "User does not exist."):
        world.anyone.get_user(AccessToken=tokens["AccessToken"])
    with refused(NOT_AUTHORIZED, "Refresh Token has been revoked"):
        world.refresh(tokens["RefreshToken"])
    with refused(NOBODY, "User does not exist."):
        world.sign_in(name)
    assert world.idp.list_users_in_group(UserPoolId=world.pool_id, GroupName=f"of-{name}")["Users"] == []
    assert world.person(name) == name
    assert sub_of(world, name) != sub
    with refused("ExpiredCodeException", NO_CODE):
        world.anyone.confirm_forgot_password(
            ClientId=world.client_id, Username=name, ConfirmationCode=code, Password=PASSWORD
        )
    assert about(world, name, "admin_list_groups_for_user")["Groups"] == []


def test_who_is_disabled_gets_nowhere_until_enabled_and_old_tokens_stay_dead(careful: World) -> None:
    world, name = careful, careful.person()
    tokens = world.tokens(name)
    code = world.enrol(tokens["AccessToken"]).code()
    waiting = world.sign_in(name)

    for _ in range(2):
        about(world, name, "admin_disable_user")

    assert world.user(name)["Enabled"] is False
    calls = (
        lambda: world.sign_in(name),
        lambda: world.respond(waiting, name, SOFTWARE_TOKEN_MFA_CODE=code),
        lambda: world.anyone.get_user(AccessToken=tokens["AccessToken"]),
        lambda: world.refresh(tokens["RefreshToken"]),
        lambda: world.anyone.forgot_password(ClientId=world.client_id, Username=name),
        lambda: about(world, name, "admin_reset_user_password"),
    )
    all_refused(calls, NOT_AUTHORIZED, "User is disabled.")
    with refused(NOT_AUTHORIZED, "Incorrect username or password."):
        world.sign_in(name, "Wrong-horse-7")

    for _ in range(2):
        about(world, name, "admin_enable_user")

    assert world.user(name)["Enabled"] is True
    with refused(NOT_AUTHORIZED, "Access Token has been revoked"):
        world.anyone.get_user(AccessToken=tokens["AccessToken"])
    with refused(NOT_AUTHORIZED, "Refresh Token has been revoked"):
        world.refresh(tokens["RefreshToken"])
    with refused(NOT_AUTHORIZED, "Invalid session for the user."):
        world.respond(waiting, name, SOFTWARE_TOKEN_MFA_CODE=code)
    done = world.respond(world.sign_in(name), name, SOFTWARE_TOKEN_MFA_CODE=code)
    assert done["AuthenticationResult"]["AccessToken"]


def test_a_global_sign_out_ends_every_token_and_no_other_persons(world: World) -> None:
    name, other = world.person(), world.person()
    all_of, others = [world.tokens(name), world.tokens(name)], world.tokens(other)

    for _ in range(2):
        about(world, name, "admin_user_global_sign_out")

    for tokens in all_of:
        with refused(NOT_AUTHORIZED, "Access Token has been revoked"):
            world.anyone.get_user(AccessToken=tokens["AccessToken"])
        with refused(NOT_AUTHORIZED, "Refresh Token has been revoked"):
            world.refresh(tokens["RefreshToken"])
    assert world.anyone.get_user(AccessToken=world.tokens(name)["AccessToken"])["Username"] == name
    assert world.refresh(others["RefreshToken"])


# -- groups ----------------------------------------------------------------------------------------------------------


def test_groups_of_a_user_come_in_pages_the_weightiest_first(new_world: Callable[..., World]) -> None:
    world = new_world()
    name, other = world.person(), world.person()
    weights = {"b": 1, "last-b": None, "a": 1, "zero": 0, "last-a": None, "heavy": 2**31 - 1, "five": 5}
    for group, weight in weights.items():
        more = {} if weight is None else {"Precedence": weight}
        world.idp.create_group(UserPoolId=world.pool_id, GroupName=group, RoleArn=ROLE, **more)
        about(world, name, "admin_add_user_to_group", GroupName=group)
    world.idp.create_group(UserPoolId=world.pool_id, GroupName="not-theirs", Precedence=0)
    about(world, other, "admin_add_user_to_group", GroupName="not-theirs")
    in_order = ["zero", "a", "b", "five", "heavy", "last-a", "last-b"]

    for size in (1, 2, 3, 6, 7, 60):
        pages = world.idp.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=world.pool_id, Username=name, PaginationConfig={"PageSize": size}
        )
        assert [group["GroupName"] for page in pages for group in page["Groups"]] == in_order, size

    whole = about(world, name, "admin_list_groups_for_user", Limit=0)
    assert "NextToken" not in whole
    one = world.idp.get_group(UserPoolId=world.pool_id, GroupName="zero")["Group"]
    assert whole["Groups"][0] == one
    token = about(world, name, "admin_list_groups_for_user", Limit=1)["NextToken"]
    about(world, name, "admin_remove_user_from_group", GroupName="a")
    follows = about(world, name, "admin_list_groups_for_user", Limit=2, NextToken=token)["Groups"]
    assert [group["GroupName"] for group in follows] == ["b", "five"]
    for whose, given in ((other, token), (name, "forged")):
        with refused(INVALID, "Invalid pagination token given."):
            about(world, whose, "admin_list_groups_for_user", NextToken=given)
    with refused(INVALID):
        about(world, name, "admin_list_groups_for_user", Limit=61)


# -- second factors --------------------------------------------------------------------------------------------------


def prefer(world: World, name: str, **settings: Any) -> None:
    """Set somebody's preference for their authenticator."""
    about(world, name, "admin_set_user_mfa_preference", SoftwareTokenMfaSettings=settings)


def test_an_operator_says_whether_codes_are_asked_for(careful: World) -> None:
    world, name = careful, careful.person()
    with refused(INVALID, "User has not verified software token mfa."):
        prefer(world, name, Enabled=True)
    world.enrol(world.tokens(name)["AccessToken"])

    prefer(world, name, Enabled=False)
    assert "AuthenticationResult" in world.sign_in(name)
    told = about(world, name, "admin_get_user_auth_factors")
    del told["ResponseMetadata"]
    assert told == {"Username": name, "ConfiguredUserAuthFactors": ["PASSWORD", "SOFTWARE_TOKEN"]}
    prefer(world, name, Enabled=True, PreferredMfa=True)

    assert world.sign_in(name)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    told = about(world, name, "admin_get_user_auth_factors")
    assert (told["PreferredMfaSetting"], told["UserMFASettingList"]) == ("SOFTWARE_TOKEN_MFA", ["SOFTWARE_TOKEN_MFA"])
    with refused(INVALID, "Preferred MFA must be enabled."):
        prefer(world, name, Enabled=False, PreferredMfa=True)
    assert world.user(name)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


@pytest.mark.parametrize("member", ["SMSMfaSettings", "EmailMfaSettings", "WebAuthnMfaSettings"])
def test_factors_of_later_releases_are_not_turned_on_for_show(careful: World, member: str) -> None:
    name = careful.person()

    about(careful, name, "admin_set_user_mfa_preference", **{member: {"Enabled": False}})
    with refused(INVALID, f"{member} is not available in this release."):
        about(careful, name, "admin_set_user_mfa_preference", **{member: {"Enabled": True}})


def test_codes_by_sms_are_not_turned_on_for_show(careful: World) -> None:
    sms = [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]

    with refused(INVALID, "MFAOptions is not available in this release."):
        about(careful, careful.person(), "admin_set_user_settings", MFAOptions=sms)


@pytest.mark.parametrize("mode", ["OPTIONAL", "ON"])
def test_a_lost_authenticator_is_removed_and_another_set_up(new_world: Callable[..., World], mode: str) -> None:
    world = new_world()
    world.mfa("OPTIONAL")
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    app = world.enrol(token)
    world.mfa(mode)
    waiting = world.sign_in(name)
    if mode == "ON":
        with refused(INVALID, "This user pool requires a second factor."):
            prefer(world, name, Enabled=False)

    for _ in range(2):
        about(world, name, "admin_delete_software_token")

    with refused(NOT_AUTHORIZED, "Invalid session for the user."):
        world.respond(waiting, name, SOFTWARE_TOKEN_MFA_CODE=app.code())
    told = about(world, name, "admin_get_user_auth_factors")
    del told["ResponseMetadata"]
    assert told == {"Username": name, "ConfiguredUserAuthFactors": ["PASSWORD"]}
    notice = world.live.message(f"{name}@example.com", count=3, notices=True)
    assert notice["subject"] == "Authenticator app removed"
    again = world.sign_in(name)
    assert ("AuthenticationResult" in again, again.get("ChallengeName")) == (
        (False, "MFA_SETUP") if mode == "ON" else (True, None)
    )
    assert world.anyone.associate_software_token(AccessToken=token)["SecretCode"]
    done = [tag for tag, _, _ in audited(world, sub_of(world, name)) if tag == "factor_removed"]
    assert done == ["factor_removed"]
