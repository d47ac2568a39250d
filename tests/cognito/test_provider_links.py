"""Links between people and logins at identity providers, and people who have no password, through boto3."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused
from tests.providers import request

INVALID, NOBODY = "InvalidParameterException", "UserNotFoundException"
SUBJECT = "Cognito_Subject"
NO_SUCH = "Identity provider {} does not exist."
NO_USER = "User does not exist."


@pytest.fixture(scope="module")
def corp(live: Any) -> World:  # noqa: ANN401 - the live installation
    """Return a pool with two providers, at one of which three attributes are mapped."""
    world = World(live, pool={"AliasAttributes": ["email"]})
    mapping = {"email": "email", "name": "name", "nickname": "nick"}
    for given in (request("OIDC", AttributeMapping=mapping), request("Google", AttributeMapping=mapping)):
        world.idp.create_identity_provider(UserPoolId=world.pool_id, **given)
    return world


def login(provider: str, value: str, attribute: str = SUBJECT) -> dict[str, str]:
    """Return somebody at a provider."""
    return {"ProviderName": provider, "ProviderAttributeName": attribute, "ProviderAttributeValue": value}


def local(name: str) -> dict[str, str]:
    """Return somebody of the pool."""
    return {"ProviderName": "Cognito", "ProviderAttributeValue": name}


def link(world: World, name: str, source: dict[str, str]) -> None:
    """Link a login to somebody of the pool."""
    world.idp.admin_link_provider_for_user(UserPoolId=world.pool_id, DestinationUser=local(name), SourceUser=source)


def unlink(world: World, given: dict[str, str]) -> None:
    """Undo a link, or somebody's password."""
    world.idp.admin_disable_provider_for_user(UserPoolId=world.pool_id, User=given)


def identities(world: World, name: str) -> list[dict[str, Any]]:
    """Return what operators are told of somebody's logins."""
    found = named(world.user(name)["UserAttributes"])
    return list(json.loads(found["identities"])) if "identities" in found else []


def payload(token: str) -> dict[str, Any]:
    """Return what a token says."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def signed_in_at(world: World, provider: str, subject: str) -> str:
    """Make somebody as a first sign-in at a provider makes them; return the username."""
    name = f"{provider}_{subject}"
    with world.live.orm():
        from pools.models import ExternalLogin
        from pools.models.user import Status
        from pools.services import access
        from pools.services.people import external_logins, users
        from tests import factories

        pool = access.pool(world.pool_id)
        user = users.new(pool, name, {}, Status.EXTERNAL_PROVIDER)
        assert users.insert(pool, user, by=factories.BY) == ""
        about = {"provider": provider, "provider_type": provider, "value": subject, "subject": subject}
        ExternalLogin.objects.create(pool=pool, user=user, primary=True, **about)
        external_logins.tell(pool, user)
    return name


def test_a_linked_login_is_told_everywhere_in_cognitos_form(corp: World) -> None:
    name = corp.person()
    link(corp, name, login("Google", "google-1"))
    link(corp, name, login("Corp", "corp-1"))

    first, second = identities(corp, name)

    assert list(first) == ["userId", "providerName", "providerType", "issuer", "primary", "dateCreated"]
    dates = [each.pop("dateCreated") for each in (first, second)]
    assert dates == sorted(dates)
    assert all(isinstance(date, int) for date in dates)
    assert first == {
        "userId": "google-1",
        "providerName": "Google",
        "providerType": "Google",
        "issuer": None,
        "primary": False,
    }
    assert (second["userId"], second["providerName"], second["providerType"]) == ("corp-1", "Corp", "OIDC")
    text = named(corp.user(name)["UserAttributes"])["identities"]
    listed = corp.idp.list_users(UserPoolId=corp.pool_id, Filter=f'username = "{name}"')["Users"][0]
    assert named(listed["Attributes"])["identities"] == text
    tokens = corp.tokens(name)
    own = corp.anyone.get_user(AccessToken=tokens["AccessToken"])
    assert named(own["UserAttributes"])["identities"] == text
    claim = payload(tokens["IdToken"])["identities"]
    assert [each.pop("dateCreated") for each in claim] == [str(date) for date in dates]
    assert claim[0] == {**first, "primary": "false"}
    assert "identities" not in payload(tokens["AccessToken"])
    assert "identities" not in payload(corp.tokens(corp.person())["IdToken"])


def test_no_list_of_an_apps_hides_logins_and_nobody_writes_them(corp: World) -> None:
    name = corp.person()
    link(corp, name, login("Google", "google-own"))
    app = corp.new_client(ReadAttributes=["email"], WriteAttributes=["name"])
    tokens = corp.sign_in(name, client_id=app["ClientId"])["AuthenticationResult"]

    told = named(corp.anyone.get_user(AccessToken=tokens["AccessToken"])["UserAttributes"])
    assert told.keys() == {"sub", "email", "identities"}

    before = identities(corp, name)
    mine = [{"Name": "identities", "Value": "[]"}]
    with refused(INVALID):
        corp.anyone.update_user_attributes(AccessToken=corp.tokens(name)["AccessToken"], UserAttributes=mine)
    about = {"UserPoolId": corp.pool_id, "Username": name}
    with refused(INVALID):
        corp.idp.admin_update_user_attributes(**about, UserAttributes=mine)
    with refused(INVALID):
        corp.idp.admin_delete_user_attributes(**about, UserAttributeNames=["identities"])
    with refused(INVALID):
        corp.idp.admin_create_user(UserPoolId=corp.pool_id, Username="x-new", UserAttributes=mine)
    assert identities(corp, name) == before


def test_logins_are_not_among_what_a_new_password_may_come_with(corp: World) -> None:
    name = corp.person()
    link(corp, name, login("Google", "invited"))
    corp.idp.admin_set_user_password(UserPoolId=corp.pool_id, Username=name, Password=PASSWORD, Permanent=False)

    challenge = corp.sign_in(name)

    assert json.loads(challenge["ChallengeParameters"]["userAttributes"]).keys() == {"email", "email_verified"}
    done = corp.respond(challenge, name, NEW_PASSWORD=f"{PASSWORD}-new")
    assert payload(done["AuthenticationResult"]["IdToken"])["identities"][0]["userId"] == "invited"


MERGING = "Merging is not currently supported, provide a SourceUser that has not been "
LOCAL_SOURCE = (
    "Invalid SourceUser: Cognito users with a username/password may not be passed in as a SourceUser, "
    "only as a DestinationUser"
)
NOT_THAT = "Invalid SourceUser: ProviderAttributeName must be {}."
MAPPED = f"{SUBJECT} or a mapped attribute"
VALUE = "Invalid SourceUser: ProviderAttributeValue is missing or too long."


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [
        (local("somebody"), INVALID, LOCAL_SOURCE),
        ({**local("somebody"), "ProviderName": "COGNITO"}, INVALID, LOCAL_SOURCE),
        (login("Nobody", "1"), "ResourceNotFoundException", NO_SUCH.format("Nobody")),
        (login("Google", "a@example.com", "email"), INVALID, NOT_THAT.format(SUBJECT)),
        (login("Google", "1", "sub"), INVALID, NOT_THAT.format(SUBJECT)),
        (login("Corp", "1", "sub"), INVALID, NOT_THAT.format(MAPPED)),
        (login("Corp", "1", "username"), INVALID, NOT_THAT.format(MAPPED)),
        (login("Corp", "1", "nick"), INVALID, NOT_THAT.format(MAPPED)),
        (login("Corp", "1", "gender"), INVALID, NOT_THAT.format(MAPPED)),
        (login("Corp", "1", ""), INVALID, NOT_THAT.format(MAPPED)),
        (login("Corp", ""), INVALID, VALUE),
        (login("Corp", "ä" * 1025), INVALID, VALUE),
    ],
)
def test_what_cannot_be_linked_is_refused_and_changes_nothing(
    source: dict[str, str], code: str, text: str, corp: World
) -> None:
    name = corp.person()
    before = corp.user(name)

    with refused(code, text):
        link(corp, name, source)

    assert corp.user(name) == before


def test_a_login_is_linked_once(corp: World) -> None:
    one, two = corp.person(), corp.person()
    link(corp, one, login("Corp", "once"))

    with refused(INVALID, "SourceUser is already linked to DestinationUser"):
        link(corp, one, login("Corp", "once"))
    with refused(INVALID, f"{MERGING}linked"):
        link(corp, two, login("Corp", "once"))
    link(corp, two, login("Google", "once"))
    link(corp, two, login("Corp", "Once"))

    assert [each["userId"] for each in identities(corp, one)] == ["once"]
    assert [each["userId"] for each in identities(corp, two)] == ["once", "Once"]


def test_who_signed_in_before_is_not_merged(corp: World) -> None:
    name = signed_in_at(corp, "Google", "early")
    assert [each["primary"] for each in identities(corp, name)] == [True]

    with refused(INVALID, f"{MERGING}signed up in order to link"):
        link(corp, corp.person(), login("Google", "early"))
    with refused(INVALID, "SourceUser is already linked to DestinationUser"):
        link(corp, name, login("Google", "early"))

    # Deleted, the profile is in nobody's way.
    other = corp.person()
    corp.idp.admin_delete_user(UserPoolId=corp.pool_id, Username=name)
    link(corp, other, login("Google", "early"))
    assert [each["primary"] for each in identities(corp, other)] == [False]


def test_somebody_of_a_provider_is_a_destination_too(corp: World) -> None:
    name = signed_in_at(corp, "Google", "host")
    corp.idp.admin_link_provider_for_user(
        UserPoolId=corp.pool_id,
        DestinationUser=login("Google", "host", "ignored"),
        SourceUser=login("Corp", "guest"),
    )

    assert [(each["userId"], each["primary"]) for each in identities(corp, name)] == [("host", True), ("guest", False)]
    for destination in (login("Google", "nobody"), login("Corp", "host"), login("Nobody", "host"), local("nobody"), {}):
        with refused(NOBODY, NO_USER):
            corp.idp.admin_link_provider_for_user(
                UserPoolId=corp.pool_id, DestinationUser=destination, SourceUser=login("Corp", "other")
            )


def test_somebody_has_five_links_at_most(corp: World) -> None:
    name = signed_in_at(corp, "Google", "many")  # who they are themselves is none
    for number in range(5):
        link(corp, name, login("Corp", f"many-{number}"))

    with refused("LimitExceededException", "A user can be linked to at most 5 identities."):
        link(corp, name, login("Corp", "many-5"))
    unlink(corp, login("Corp", "many-0"))
    link(corp, name, login("Corp", "many-5"))


def test_a_provider_links_by_five_attributes_at_most(new_world: Callable[..., World]) -> None:
    world = new_world()
    attributes = ["email", "name", "nickname", "gender", "locale"]
    given = request("OIDC", AttributeMapping={name: name for name in [*attributes, "profile"]})
    world.idp.create_identity_provider(UserPoolId=world.pool_id, **given)
    for name in attributes:
        link(world, world.person(), login("Corp", "x", name))

    for attribute in ("profile", SUBJECT):
        with refused("LimitExceededException", "An identity provider links by at most 5 attributes."):
            link(world, world.person(), login("Corp", "x", attribute))
    link(world, world.person(), login("Corp", "y", "locale"))


def test_a_login_by_another_attribute_is_nobodys_until_it_is_used(corp: World) -> None:
    name = corp.person()
    link(corp, name, login("Corp", "ada@corp.example", "email"))

    assert identities(corp, name) == []
    with refused(INVALID, f"{MERGING}linked"):
        link(corp, corp.person(), login("Corp", "ada@corp.example", "email"))
    with refused(NOBODY, NO_USER):
        unlink(corp, login("Corp", "ada@corp.example"))
    with refused(NOBODY, NO_USER):
        unlink(corp, login("Corp", "ada@corp.example", "name"))
    unlink(corp, login("Corp", "ada@corp.example", "email"))
    link(corp, corp.person(), login("Corp", "ada@corp.example", "email"))


def test_a_link_that_is_undone_is_told_no_more(corp: World) -> None:
    name = corp.person()
    link(corp, name, login("Google", "undone"))
    link(corp, name, login("Corp", "undone"))
    tokens = corp.tokens(name)

    unlink(corp, login("Google", "undone"))

    assert [each["providerName"] for each in identities(corp, name)] == ["Corp"]
    with refused(NOBODY, NO_USER):
        unlink(corp, login("Google", "undone"))
    with refused("ResourceNotFoundException", NO_SUCH.format("Nobody")):
        unlink(corp, login("Nobody", "undone"))
    unlink(corp, login("Corp", "undone"))
    assert "identities" not in named(corp.user(name)["UserAttributes"])
    assert "identities" not in payload(corp.refresh(tokens["RefreshToken"])["IdToken"])
    link(corp, corp.person(), login("Google", "undone"))


def test_logins_outlive_their_provider(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.idp.create_identity_provider(UserPoolId=world.pool_id, **request("OIDC"))
    name = world.person()
    link(world, name, login("Corp", "kept"))
    before = identities(world, name)

    world.idp.delete_identity_provider(UserPoolId=world.pool_id, ProviderName="Corp")

    assert identities(world, name) == before
    unlink(world, login("Corp", "kept"))
    assert identities(world, name) == []


# -- people without a password of their own --------------------------------------------------------------------------


def test_a_password_is_disabled_until_an_operator_sets_another(corp: World) -> None:
    name = corp.person()
    tokens = corp.tokens(name)
    with refused(INVALID, f"ProviderAttributeName must be {SUBJECT}."):
        unlink(corp, local(name))
    with refused(NOBODY, NO_USER):
        unlink(corp, {**local("nobody"), "ProviderAttributeName": SUBJECT})
    assert corp.tokens(name)

    for _ in range(2):
        unlink(corp, {**local(name), "ProviderAttributeName": SUBJECT})

    assert corp.user(name)["UserStatus"] == "EXTERNAL_PROVIDER"
    with refused("NotAuthorizedException", "Incorrect username or password."):
        corp.sign_in(name)
    assert corp.refresh(tokens["RefreshToken"])
    corp.idp.admin_set_user_password(UserPoolId=corp.pool_id, Username=name, Password=f"{PASSWORD}-new", Permanent=True)
    assert corp.user(name)["UserStatus"] == "CONFIRMED"
    assert corp.tokens(name, f"{PASSWORD}-new")


def test_whoever_signs_in_elsewhere_has_no_use_of_a_password(corp: World) -> None:
    name = corp.person()
    token = corp.tokens(name)["AccessToken"]
    unlink(corp, {**local(name), "ProviderAttributeName": SUBJECT})
    state = "User password cannot be reset in the current state."
    app = {"ClientId": corp.client_id, "Username": name}

    with refused("NotAuthorizedException", state):
        corp.anyone.forgot_password(**app)
    with refused("NotAuthorizedException", state):
        corp.idp.admin_reset_user_password(UserPoolId=corp.pool_id, Username=name)
    for previous in ({"PreviousPassword": PASSWORD}, {}):
        with refused("NotAuthorizedException", "User is not authorized to change password."):
            corp.anyone.change_password(AccessToken=token, ProposedPassword=f"{PASSWORD}-new", **previous)
    for flow, client in (("USER_PASSWORD_AUTH", corp.anyone), ("ADMIN_USER_PASSWORD_AUTH", corp.idp)):
        with refused("NotAuthorizedException", "Incorrect username or password."):
            ask = client.initiate_auth if client is corp.anyone else client.admin_initiate_auth
            pool = {} if client is corp.anyone else {"UserPoolId": corp.pool_id}
            ask(
                **pool,
                ClientId=corp.client_id,
                AuthFlow=flow,
                AuthParameters={"USERNAME": name, "PASSWORD": f"{PASSWORD}-new"},
            )
    assert corp.user(name)["UserStatus"] == "EXTERNAL_PROVIDER"
