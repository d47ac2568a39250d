"""Signing up in each kind of pool, races for a name, and what unknown users and limits see."""

from __future__ import annotations

import pytest

from identity.foundation import errors
from pools.models import AppClient, AuditEvent, OutboxMessage, SignInName, User, UserPool
from pools.services import access, configuration
from pools.services.messages.destinations import Delivery
from pools.services.people import attributes, users
from pools.services.pools.schema import Unfit
from pools.services.sign_up import sign_up
from pools.services.sign_up.sign_up import SignedUp
from tests import factories
from tests.factories import BY, PASSWORD
from tests.services.conftest import VISITOR, at_once, code_sent_to, mail_to

NAME = "alice@example.com"


def join(client: AppClient, username: str = NAME, **given: str) -> SignedUp:
    return sign_up.sign_up(client, username, password=PASSWORD, attributes=given, by=VISITOR)


def confirm(client: AppClient, username: str, address: str, *, force_alias: bool = False) -> User:
    code = code_sent_to(address)
    return sign_up.confirm(client, username, code=code, force_alias=force_alias, by=VISITOR)


def names_of(user: User) -> dict[str, str]:
    return dict(SignInName.objects.filter(user=user).values_list("kind", "name"))


class TestByAddress:
    def test_the_address_becomes_attribute_and_name_and_sub_the_username(self, client: AppClient) -> None:
        done = join(client, "Alice@Example.com")

        user = access.user_by_sub(client.pool, done.user_sub)
        assert done == SignedUp(str(user.sub), confirmed=False, delivery=Delivery("a***@e***", "EMAIL", "email"))
        assert user.username == str(user.sub)
        assert user.status == "UNCONFIRMED"
        assert names_of(user) == {"username": str(user.sub), "email": "alice@example.com"}
        assert users.attributes_of(user) == {
            "sub": str(user.sub),
            "email": "alice@example.com",
            "email_verified": "false",
        }

    def test_the_code_confirms_account_and_address(self, client: AppClient) -> None:
        join(client)

        user = confirm(client, "ALICE@example.com", NAME)

        assert user.status == "CONFIRMED"
        assert users.attributes_of(access.user(client.pool, NAME))["email_verified"] == "true"
        assert AuditEvent.objects.filter(tag="account_confirmed", subject=str(user.sub)).exists()
        with pytest.raises(errors.WrongState, match=r"^User cannot be confirmed. Current status is CONFIRMED$"):
            confirm(client, NAME, NAME)  # the same code once more

    def test_a_taken_address_is_taken_at_once(self, client: AppClient) -> None:
        join(client)

        with pytest.raises(errors.UsernameExists):
            join(client, "ALICE@EXAMPLE.COM")

    @pytest.mark.parametrize(
        ("username", "text"),
        [
            ("alice", "Username should be an email."),
            ("+4912345678", "Username should be an email."),
            ("a b@example.com", "Username should be an email."),
            ("alice@exa\x00mple.com", "Username should be an email."),
            ("", "Username should be an email."),
            (f"a@{'d' * 60}.{'d' * 60}.example", "Username should be an email."),  # an address, and no username
        ],
    )
    def test_another_shape_is_refused(self, client: AppClient, username: str, text: str) -> None:
        with pytest.raises(errors.Invalid) as refused:
            join(client, username)

        assert refused.value.message == text

    def test_an_address_that_differs_from_the_name_is_refused(self, client: AppClient) -> None:
        with pytest.raises(errors.Invalid):
            join(client, NAME, email="mallory@example.com")

    @pytest.mark.usefixtures("patient_gate")
    def test_of_twenty_who_take_a_name_at_once_one_gets_it(self, client: AppClient) -> None:
        outcomes = at_once(20, lambda _: join(client))

        assert sum(isinstance(outcome, SignedUp) for outcome in outcomes) == 1
        rest = {type(outcome) for outcome in outcomes if not isinstance(outcome, SignedUp)}
        assert rest <= {errors.UsernameExists, errors.TooManyAttempts}
        assert User.objects.count() == 1
        assert SignInName.objects.count() == 2
        assert OutboxMessage.objects.count() == 1

    def test_an_operator_confirms_without_verifying(self, client: AppClient) -> None:
        join(client)

        sign_up.admin_confirm(client.pool, NAME, by=BY)

        user = access.user(client.pool, NAME)
        assert (user.status, user.email_verified) == ("CONFIRMED", False)
        with pytest.raises(errors.WrongState):
            sign_up.admin_confirm(client.pool, NAME, by=BY)


class TestByUsername:
    @pytest.fixture
    def app(self, alias_pool: UserPool) -> AppClient:
        return factories.make_client(alias_pool)

    def test_an_address_signs_in_only_once_it_is_verified(self, app: AppClient) -> None:
        join(app, "alice", email=NAME)
        assert access.user_or_decoy(app, NAME).is_decoy

        confirm(app, "alice", NAME)

        assert access.user_or_decoy(app, NAME).username == "alice"

    def test_a_second_owner_of_an_address_must_force_the_alias(self, app: AppClient) -> None:
        for name in ("alice", "bob"):
            join(app, name, email=NAME)
            if name == "alice":
                confirm(app, name, NAME)

        with pytest.raises(errors.AliasExists):
            confirm(app, "bob", NAME)
        assert access.user_or_decoy(app, NAME).username == "alice"
        confirm(app, "bob", NAME, force_alias=True)

        assert access.user_or_decoy(app, NAME).username == "bob"
        assert not access.user(app.pool, "alice").email_verified
        assert access.user(app.pool, "bob").email_verified
        moved = AuditEvent.objects.get(tag="alias_moved")
        assert moved.subject == str(access.user(app.pool, "bob").sub)

    def test_an_alias_never_takes_someones_username(self, alias_pool: UserPool, app: AppClient) -> None:
        user = factories.make_user(alias_pool, "alice")
        other = factories.make_user(alias_pool, "bob")

        with pytest.raises(errors.AliasExists):
            attributes.admin_update(alias_pool, other, {"preferred_username": "alice"}, by=BY)

        assert access.user(alias_pool, "alice").id == user.id

    @pytest.mark.parametrize(
        ("username", "text"),
        [
            (NAME, "Username cannot be of email format, since user pool is configured for email alias."),
            ("al ice", "Usernames hold 1 to 128 characters without spaces."),
            ("a" * 129, "Usernames hold 1 to 128 characters without spaces."),
        ],
    )
    def test_names_that_could_be_taken_for_others_are_refused(self, app: AppClient, username: str, text: str) -> None:
        with pytest.raises(errors.Invalid) as refused:
            join(app, username)

        assert refused.value.message == text

    def test_a_chosen_name_waits_for_confirmation(self, app: AppClient) -> None:
        with pytest.raises(errors.Invalid):
            join(app, "alice", preferred_username="ally")

    def test_an_account_without_an_address_gets_no_code(self, app: AppClient) -> None:
        plain = factories.make_client(app.pool, prevent_user_existence_errors="LEGACY")
        done = join(app, "alice")

        assert done.delivery is None
        with pytest.raises(errors.Invalid, match=r"^Auto verification not turned on\.$"):
            sign_up.resend(plain, "alice", by=VISITOR)


def test_case_matters_where_the_pool_says_so(alias_pool: UserPool) -> None:
    app = factories.make_client(alias_pool)

    assert join(app, "alice").user_sub != join(app, "Alice").user_sub


def test_a_pool_of_invited_people_lets_nobody_sign_up(transactional_db: None) -> None:
    pool = factories.make_pool(admin_create_user_config={"allow_admin_create_user_only": True})

    with pytest.raises(errors.NotAuthorized, match=r"^SignUp is not permitted for this user pool$"):
        join(factories.make_client(pool), "alice")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"custom:none": "admin"}, errors.Invalid),
        ({"email_verified": "true"}, errors.NotAuthorized),
        ({"nonsense": "1"}, errors.Invalid),
        ({"birthdate": "yesterday"}, errors.Invalid),
        ({"name": "a\x00b"}, errors.Invalid),
        ({"name": "\ud800"}, errors.Invalid),
        ({"name": "x" * 2049}, errors.Invalid),
    ],
)
def test_attributes_that_may_not_be_written_make_no_account(
    client: AppClient, given: dict[str, str], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        join(client, NAME, **given)

    assert User.objects.count() == 0
    join(client)


def test_a_required_attribute_is_missed_in_cognitos_words(transactional_db: None) -> None:
    pool = factories.make_pool(schema=[{"name": "given_name", "required": True}])

    with pytest.raises(errors.Invalid) as refused:
        join(factories.make_client(pool), "alice")

    assert refused.value.message == (
        "Attributes did not conform to the schema: given_name: The attribute is required\n"
    )


class TestResend:
    def test_each_call_sends_a_new_code_until_the_hours_limit(self, client: AppClient) -> None:
        join(client)
        first = code_sent_to(NAME)

        for number in range(2, 6):
            assert sign_up.resend(client, NAME, by=VISITOR).destination == "a***@e***"
            assert OutboxMessage.objects.count() == number
        with pytest.raises(errors.TooManyAttempts):
            sign_up.resend(client, NAME, by=VISITOR)

        last = code_sent_to(NAME)
        if first != last:
            with pytest.raises(errors.CodeMismatch):
                sign_up.confirm(client, NAME, code=first, by=VISITOR)
        sign_up.confirm(client, NAME, code=last, by=VISITOR)

    def test_unknown_users_are_told_what_people_are_told(self, client: AppClient, plain_client: AppClient) -> None:
        assert sign_up.resend(client, "nobody@example.com", by=VISITOR).destination == "n***@e***"
        for call in (
            lambda: sign_up.resend(plain_client, "nobody@example.com", by=VISITOR),
            lambda: sign_up.confirm(plain_client, "nobody@example.com", code="123456", by=VISITOR),
        ):
            with pytest.raises(errors.UserNotFound, match=r"^Username/client id combination not found\.$"):
                call()

    def test_an_address_is_written_to_five_times_an_hour_whoever_signs_up(self, alias_pool: UserPool) -> None:
        app = factories.make_client(alias_pool)
        for number in range(5):
            join(app, f"bomber{number}", email="victim@example.com")

        with pytest.raises(errors.TooManyAttempts):
            join(app, "bomber5", email="Victim@example.com")

        assert OutboxMessage.objects.count() == 5
        assert User.objects.count() == 5
        join(app, "bomber5", email="other@example.com")

    def test_parallel_requests_do_not_pass_the_limit(self, alias_pool: UserPool, patient_gate: None) -> None:
        app = factories.make_client(alias_pool)

        outcomes = at_once(10, lambda n: join(app, f"bomber{n}", email="victim@example.com"))

        assert sum(isinstance(outcome, SignedUp) for outcome in outcomes) == 5
        assert OutboxMessage.objects.count() == 5


def test_a_link_confirms_where_the_pool_wants_links(transactional_db: None) -> None:
    pool = factories.make_pool(
        auto_verified_attributes=["email"],
        verification_message_template={"default_email_option": "CONFIRM_WITH_LINK"},
    )
    factories.make_client(pool)
    app, later = (factories.make_client(pool, **factories.PAGES) for _ in range(2))
    without = factories.make_client(pool)

    for number, (client, leads_to) in enumerate([(app, app), (later, later), (without, without)]):
        join(client, f"alice{number}", email=f"{number}{NAME}")
        mail = mail_to(f"{number}{NAME}")

        link = (
            f"/{pool.public_id}/confirmUser?client_id={leads_to.client_id}&user_name=alice{number}&confirmation_code="
        )
        assert link in mail.body
        assert "confirmation_code=" in mail.html


def test_a_code_confirms_where_the_pools_own_people_come_to_no_app(transactional_db: None) -> None:
    pool = factories.make_pool(
        auto_verified_attributes=["email"],
        verification_message_template={"default_email_option": "CONFIRM_WITH_LINK"},
    )
    app = factories.make_client(pool)
    AppClient.objects.filter(pk=app.pk).update(identity_providers=["Google"])
    configuration.cache.forget_everything()
    app = access.client(app.client_id)

    join(app, "alice", email=NAME)

    assert "confirmUser" not in mail_to(NAME).body
    assert sign_up.confirm(app, "alice", code=code_sent_to(NAME), by=VISITOR).username == "alice"


def test_who_asks_again_for_an_unconfirmed_account_gets_a_code_again(client: AppClient) -> None:
    address = f"again{factories.number()}@example.com"
    sign_up.sign_up(client, address, password=PASSWORD, attributes={}, by=VISITOR)

    sign_up.remind(client, address, by=VISITOR)

    assert OutboxMessage.objects.count() == 2
    assert mail_to(address).subject == "Your verification code"
    assert sign_up.confirm(client, address, code=code_sent_to(address), by=VISITOR).username


def test_who_has_an_account_is_reminded_of_it_until_the_limit_that_holds_for_codes(
    pool: UserPool, client: AppClient
) -> None:
    address = factories.make_user(pool, f"own{factories.number()}@example.com", email_verified="true").email or ""

    for _ in range(5):
        sign_up.remind(client, address, by=VISITOR)
    with pytest.raises(errors.TooManyAttempts):
        sign_up.remind(client, address, by=VISITOR)

    assert mail_to(address).subject == "You already have an account"


def test_nobody_is_reminded_of_what_is_gone(client: AppClient) -> None:
    sign_up.remind(client, f"nobody{factories.number()}@example.com", by=VISITOR)

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_all_that_is_wrong_is_known_at_once_and_the_first_of_it_is_refused() -> None:
    schema = [{"name": "birthdate", "mutable": True}, {"name": "name", "mutable": True}]
    pool = factories.make_pool(schema=schema, alias_attributes=["email"])
    client = factories.make_client(pool, write_attributes=["email", "birthdate", "name"])
    given = {"email": "ann@", "birthdate": "1990", "name": "Ann", "phone_number": "12"}

    problems = list(sign_up.problems(client, "ann@example.com", password="weak ", attributes=given))

    assert [(type(each), getattr(each, "field", "password"), each.code) for each in problems] == [
        (errors.Invalid, "username", "like_email"),
        (attributes.AttributeNotWritable, "phone_number", "attribute_not_writable"),
        (errors.Invalid, "email", "email"),
        (Unfit, "birthdate", "day"),
        (errors.PasswordRejected, "password", "password_too_short"),
        (errors.PasswordRejected, "password", "password_uppercase"),
        (errors.PasswordRejected, "password", "password_numeric"),
        (errors.PasswordRejected, "password", "password_unstorable"),
    ]
    with pytest.raises(errors.Invalid) as refused:
        sign_up.sign_up(client, "ann@example.com", password="weak ", attributes=given, by=VISITOR)
    assert refused.value.message == problems[0].message
    assert not User.objects.filter(pool_id=pool.pk).exists()
