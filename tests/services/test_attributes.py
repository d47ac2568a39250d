"""Attributes: who may write what, and that a new address is proven before it counts."""

from __future__ import annotations

import random

import pytest
from django.db.transaction import atomic

from identity.foundation import errors
from pools.models import AppClient, SignInName, User, UserPool
from pools.services import access
from pools.services.people import address_proofs, attributes, users
from tests import factories
from tests.factories import BY
from tests.services.conftest import VISITOR, at_once, code_sent_to, wrong

OLD, NEW = "alice@example.com", "new@example.com"


@pytest.fixture
def alice(alias_pool: UserPool) -> User:
    return factories.make_user(alias_pool, "alice", email=OLD, email_verified="true")


@pytest.fixture
def app(alias_pool: UserPool) -> AppClient:
    return factories.make_client(alias_pool)


def now(user: User) -> dict[str, str]:
    return users.attributes_of(User.objects.get(id=user.id))


def test_plain_attributes_are_written_and_deleted(app: AppClient, alice: User) -> None:
    assert attributes.update(app, alice, {"given_name": "Al", "nickname": "Ally"}, by=VISITOR) == []
    assert now(alice) | {"given_name": "Al", "nickname": "Ally"} == now(alice)

    attributes.update(app, alice, {"given_name": "", "nickname": ""}, by=VISITOR)

    assert now(alice).keys() == {"sub", "email", "email_verified"}


def test_a_new_address_is_unproven_until_its_code_comes_back(app: AppClient, alice: User) -> None:
    [sent] = attributes.update(app, alice, {"email": NEW}, by=VISITOR)

    assert (sent.destination, sent.attribute) == ("n***@e***", "email")
    assert (now(alice)["email"], now(alice)["email_verified"]) == (NEW, "false")
    assert access.user_or_decoy(app, OLD).is_decoy
    assert access.user_or_decoy(app, NEW).is_decoy
    code = code_sent_to(NEW)
    with pytest.raises(errors.CodeMismatch):
        address_proofs.verify(app.pool, alice, "email", wrong(code), by=VISITOR)
    address_proofs.verify(app.pool, alice, "email", code, by=VISITOR)
    assert now(alice)["email_verified"] == "true"
    assert access.user_or_decoy(app, NEW).username == "alice"
    with pytest.raises(errors.CodeExpired):
        address_proofs.verify(app.pool, alice, "email", code, by=VISITOR)


def test_the_old_address_stays_until_the_new_is_proven_where_the_pool_says_so(transactional_db: None) -> None:
    pool = factories.make_pool(
        alias_attributes=["email"],
        auto_verified_attributes=["email"],
        user_attribute_update_settings={"attributes_require_verification_before_update": ["email"]},
    )
    app = factories.make_client(pool)
    user = factories.make_user(pool, "alice", email=OLD, email_verified="true")

    attributes.update(app, user, {"email": NEW, "name": "Al"}, by=VISITOR)

    assert now(user) | {"email": OLD, "email_verified": "true", "name": "Al"} == now(user)
    address_proofs.verify(pool, user, "email", code_sent_to(NEW), by=VISITOR)
    assert (now(user)["email"], now(user)["email_verified"]) == (NEW, "true")
    attributes.admin_update(pool, user, {"email": OLD, "email_verified": "true"}, by=BY)
    assert now(user)["email"] == OLD


def test_an_address_that_someone_proved_first_is_refused_and_the_code_stays_good(
    alias_pool: UserPool, app: AppClient, alice: User
) -> None:
    attributes.update(app, alice, {"email": NEW}, by=VISITOR)
    code = code_sent_to(NEW)
    other = factories.make_user(alias_pool, "bob", email=NEW, email_verified="true")

    with pytest.raises(errors.AliasExists):
        address_proofs.verify(alias_pool, alice, "email", code, by=VISITOR)

    assert now(alice)["email_verified"] == "false"
    users.delete(alias_pool, other, by=BY)
    address_proofs.verify(alias_pool, alice, "email", code, by=VISITOR)


def test_the_address_one_signs_in_by_is_claimed_at_once(pool: UserPool, client: AppClient) -> None:
    alice, bob = (factories.make_user(pool, name) for name in (OLD, "bob@example.com"))

    with pytest.raises(errors.AliasExists):
        attributes.update(client, alice, {"email": "Bob@example.com"}, by=VISITOR)
    attributes.update(client, alice, {"email": NEW}, by=VISITOR)
    with pytest.raises(errors.Invalid):
        attributes.update(client, alice, {"email": ""}, by=VISITOR)

    assert access.user_or_decoy(client, NEW).id == alice.id
    assert access.user_or_decoy(client, OLD).is_decoy
    assert access.user_or_decoy(client, "bob@example.com").id == bob.id


def test_of_racing_claims_of_a_chosen_name_one_wins(alias_pool: UserPool, app: AppClient) -> None:
    people = [factories.make_user(alias_pool, f"p{number}") for number in range(6)]

    outcomes = at_once(6, lambda n: attributes.update(app, people[n], {"preferred_username": "star"}, by=VISITOR))

    assert sum(isinstance(outcome, list) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, errors.AliasExists) for outcome in outcomes) == 5
    assert SignInName.objects.filter(kind="preferred_username").count() == 1
    assert User.objects.filter(preferred_username="star").count() == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"email_verified": "true"}, errors.NotAuthorized),
        ({"sub": "5f2c9f1e-0000-4000-8000-000000000001"}, errors.NotAuthorized),
        ({"custom:none": "admin"}, errors.Invalid),
        ({"email": "not an address"}, errors.Invalid),
        ({"phone_number": "0123"}, errors.Invalid),
        ({"updated_at": "today"}, errors.Invalid),
    ],
)
def test_what_people_may_not_write_changes_nothing(
    pool: UserPool, client: AppClient, changes: dict[str, str], problem: type[Exception]
) -> None:
    user = factories.make_user(pool, OLD)
    before = now(user)

    with pytest.raises(problem):
        attributes.update(client, user, {"name": "Al", **changes}, by=VISITOR)

    assert now(user) == before
    attributes.update(client, user, {"name": "Al"}, by=VISITOR)


def test_fixed_and_bounded_custom_attributes_are_held_to_the_schema(transactional_db: None) -> None:
    pool = factories.make_pool(
        schema=[
            {"name": "fixed", "attribute_data_type": "String", "mutable": False},
            {
                "name": "level",
                "attribute_data_type": "Number",
                "mutable": True,
                "number_attribute_constraints": {"min_value": "1", "max_value": "5"},
            },
        ]
    )
    user = users.create(pool, "alice", attributes={"custom:fixed": "a", "custom:level": "5"}, by=BY)

    attributes.admin_update(pool, user, {"custom:fixed": "a", "custom:level": "1"}, by=BY)
    for changes in ({"custom:fixed": "b"}, {"custom:level": "6"}, {"custom:level": "x"}, {"custom:other": "1"}):
        with pytest.raises(errors.Invalid):
            attributes.admin_update(pool, user, changes, by=BY)

    assert now(user) | {"custom:fixed": "a", "custom:level": "1"} == now(user)


def test_a_change_that_cannot_send_its_code_changes_nothing(app: AppClient, alice: User) -> None:
    for _ in range(5):
        attributes.update(app, alice, {"email": NEW}, by=VISITOR)
        attributes.admin_update(app.pool, alice, {"email": OLD, "email_verified": "true"}, by=BY)

    with pytest.raises(errors.TooManyAttempts):
        attributes.update(app, alice, {"email": NEW, "name": "Al"}, by=VISITOR)

    assert now(alice) == {"sub": str(alice.sub), "email": OLD, "email_verified": "true"}


def test_names_of_many_bytes_are_refused_or_indexed(alias_pool: UserPool) -> None:
    # Random, since PostgreSQL compresses what repeats.
    dice = random.Random(8)
    cjk = "".join(chr(dice.randrange(0x4E00, 0x9FA0)) for _ in range(2048))
    longer_in_small_letters = cjk[:666] + "Ⱥ" * 200

    for column in ("name", "given_name", "family_name", "preferred_username"):
        users.create(alias_pool, f"fits-{column}", attributes={column: cjk[:833]}, message="suppress", by=BY)
        for value in (cjk, longer_in_small_letters):
            with pytest.raises(errors.Invalid, match="2500 bytes"):
                users.create(alias_pool, f"over-{column}", attributes={column: value}, message="suppress", by=BY)
    # What no index holds may be as long as Cognito lets it be.
    users.create(alias_pool, "nick", attributes={"nickname": cjk}, message="suppress", by=BY)


def test_what_somebody_gave_meanwhile_is_not_given_again(transactional_db: None) -> None:
    pool = factories.make_pool(schema=[{"name": "name", "mutable": True, "required": True}])
    app, user = factories.make_client(pool), factories.make_invited(pool, "alice")
    attributes.check_completion(pool, app, user, {"name": "Al"})
    attributes.admin_update(pool, user, {"name": "Ann"}, by=BY)

    with atomic():
        locked = User.objects.select_for_update().get(pool=pool, pk=user.pk)
        refusal = attributes.complete(pool, locked, {"name": "Al"}, by=VISITOR)

    assert isinstance(refusal, errors.AttributeProvided)
    assert refusal.message == "Cannot modify an already provided name"
    assert now(user)["name"] == "Ann"
