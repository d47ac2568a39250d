"""User pools: Cognito's defaults, what is refused, and deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries, Settings

from identity.foundation import clock, errors
from pools.models import AuditEvent, SigningKey, User, UserPool
from pools.services import access, housekeeping
from pools.services.people import users
from pools.services.pools import client_secrets, pool_domains, pool_settings, resource_servers, schema, user_pools
from tests import factories
from tests.factories import BY

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
SENDS = "arn:aws:iam::000000000000:role/sms"


def make(**settings: Any) -> UserPool:
    return user_pools.create("A pool", settings=settings, by=BY)


def test_a_plain_pool_has_cognitos_defaults(transactional_db: None) -> None:
    pool = make()

    assert pool.password_policy == {
        "minimum_length": 8,
        "require_uppercase": True,
        "require_lowercase": True,
        "require_numbers": True,
        "require_symbols": True,
        "temporary_password_validity_days": 7,
    }
    assert (pool.mfa, pool.case_sensitive, pool.admin_only_sign_up, pool.deletion_protected) == (
        "OFF",
        True,
        False,
        False,
    )
    assert user_pools.mfa_configuration(pool) == {"mfa_configuration": "OFF"}
    assert SigningKey.objects.filter(pool=pool).count() == 2
    assert AuditEvent.objects.filter(pool_id=pool.pk, tag="pool_created").exists()
    assert access.pool(pool.public_id).pk == pool.pk


def test_the_standard_attributes_are_described_as_cognito_does(transactional_db: None) -> None:
    described = {each["name"]: each for each in user_pools.schema_attributes(make())}

    assert len(described) == 20
    assert described["sub"] == {
        "name": "sub",
        "attribute_data_type": "String",
        "developer_only_attribute": False,
        "mutable": False,
        "required": True,
        "string_attribute_constraints": {"min_length": "1", "max_length": "2048"},
    }
    assert described["birthdate"]["string_attribute_constraints"] == {"min_length": "10", "max_length": "10"}
    assert described["updated_at"]["number_attribute_constraints"] == {"min_value": "0"}
    assert described["email_verified"]["attribute_data_type"] == "Boolean"


def test_own_attributes_get_their_prefix(transactional_db: None) -> None:
    pool = make(
        schema=[
            {"name": "email", "required": True},
            {"name": "name", "mutable": True},
            {"name": "role", "attribute_data_type": "String", "string_attribute_constraints": {"max_length": "20"}},
            {"name": "level", "attribute_data_type": "Number"},
            {"name": "hidden", "attribute_data_type": "String", "developer_only_attribute": True},
        ]
    )

    described = {each["name"]: each for each in user_pools.schema_attributes(pool)}
    assert described["custom:role"]["string_attribute_constraints"] == {"max_length": "20"}
    assert described["custom:level"]["number_attribute_constraints"] == {}
    assert described["dev:custom:hidden"]["developer_only_attribute"]
    assert (described["email"]["required"], described["email"]["mutable"]) == (True, False)
    assert {name for name, each in described.items() if not each["mutable"]} == {
        *("sub", "email", "custom:role", "custom:level", "dev:custom:hidden")
    }
    assert schema.required(pool) == ["email"]


def test_a_policy_that_is_given_says_no_to_what_it_leaves_out(transactional_db: None) -> None:
    policy = make(policies={"password_policy": {"minimum_length": 10, "require_numbers": True}}).password_policy

    assert policy["minimum_length"] == 10
    assert policy["require_numbers"]
    assert not policy["require_symbols"]
    assert policy["temporary_password_validity_days"] == 7


def test_days_that_an_older_release_kept_as_zero_are_told_as_the_default(transactional_db: None) -> None:
    pool = make()
    pool.password_policy["temporary_password_validity_days"] = 0

    told = pool_settings.TABLE.describe(pool)

    assert told["policies"]["password_policy"]["temporary_password_validity_days"] == 7
    assert told["admin_create_user_config"]["unused_account_validity_days"] == 7


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"alias_attributes": ["email"], "username_attributes": ["email"]}, errors.Invalid),
        ({"username_attributes": ["preferred_username"]}, errors.Invalid),
        ({"auto_verified_attributes": ["name"]}, errors.Invalid),
        ({"policies": {"password_policy": {"minimum_length": 5}}}, errors.Invalid),
        ({"policies": {"password_policy": {"minimum_length": 100}}}, errors.Invalid),
        ({"policies": {"password_policy": {"temporary_password_validity_days": 366}}}, errors.Invalid),
        ({"policies": {"password_policy": {"password_history_size": 25}}}, errors.Invalid),
        ({"policies": {"password_policy": {"password_history_size": -1}}}, errors.Invalid),
        ({"policies": {"sign_in_policy": {"allowed_first_auth_factors": ["WEB_AUTHN"]}}}, errors.Invalid),
        ({"acr_configuration": {"Level5": {"acr_value": "urn:own:5"}}}, errors.Invalid),
        ({"acr_configuration": {"Level1": {"acr_value": 'a"b'}}}, errors.Invalid),
        ({"acr_configuration": {"Level1": {}}}, errors.Invalid),
        ({"acr_configuration": {"Level1": {"acr_value": "urn:cognito:loa:2"}}}, errors.Invalid),
        ({"mfa_configuration": "ON"}, errors.Invalid),
        ({"deletion_protection": "MAYBE"}, errors.Invalid),
        ({"lambda_config": {"pre_sign_up": "arn:aws:lambda:x"}}, errors.Invalid),
        (
            {"lambda_config": {"custom_email_sender": {"lambda_arn": FUNCTION, "lambda_version": "V1_0"}}},
            errors.Invalid,
        ),
        (
            {
                "lambda_config": {
                    "pre_token_generation": FUNCTION,
                    "pre_token_generation_config": {"lambda_arn": f"{FUNCTION}g", "lambda_version": "V2_0"},
                }
            },
            errors.Invalid,
        ),
        ({"sms_configuration": {"sns_caller_arn": "arn:aws:iam::1:role/x"}}, errors.Invalid),
        ({"sms_configuration": {"eums_sms": {"caller_arn": ""}}}, errors.Invalid),
        ({"sms_configuration": {"eums_sms": {"external_id": "x"}}}, errors.Invalid),
        ({"sms_configuration": {"eums_sms": {"region": "us-east-1"}}}, errors.Invalid),
        ({"email_configuration": {"email_sending_account": "DEVELOPER"}}, errors.Invalid),
        ({"email_configuration": {"source_arn": "arn:aws:ses:us-east-1:1:identity/x"}}, errors.Invalid),
        ({"email_configuration": {"from": "nobody"}}, errors.Invalid),
        ({"email_configuration": {"from": "A\r\nBcc: <b@example.com>"}}, errors.Invalid),
        ({"email_configuration": {"reply_to_email_address": "x\r\nBcc: y@z"}}, errors.Invalid),
        ({"verification_message_template": {"email_message": "no code here"}}, errors.Invalid),
        ({"verification_message_template": {"email_message_by_link": "no link here"}}, errors.Invalid),
        ({"verification_message_template": {"email_subject": ""}}, errors.Invalid),
        ({"email_verification_message": "no code here"}, errors.Invalid),
        (
            {"admin_create_user_config": {"invite_message_template": {"email_message": "only {####}"}}},
            errors.Invalid,
        ),
        (
            {
                "policies": {"password_policy": {"temporary_password_validity_days": 3}},
                "admin_create_user_config": {"unused_account_validity_days": 3},
            },
            errors.Invalid,
        ),
        ({"schema": [{"name": "role", "required": True}]}, errors.Invalid),
        ({"schema": [{"name": "a" * 21}]}, errors.Invalid),
        ({"schema": [{"name": "role"}, {"name": "role"}]}, errors.Invalid),
        ({"schema": [{"name": "role", "attribute_data_type": "Blob"}]}, errors.Invalid),
        ({"schema": [{"name": "email", "attribute_data_type": "Number"}]}, errors.Invalid),
        (
            {"schema": [{"name": "n", "string_attribute_constraints": {"min_length": "9", "max_length": "1"}}]},
            errors.Invalid,
        ),
        ({"schema": [{"name": "n", "string_attribute_constraints": {"max_length": "many"}}]}, errors.Invalid),
        ({"schema": [{"name": f"a{number}"} for number in range(51)]}, errors.Invalid),
        (
            {
                "alias_attributes": ["preferred_username"],
                "schema": [{"name": "preferred_username", "required": True}],
            },
            errors.Invalid,
        ),
        (
            {
                "account_recovery_setting": {
                    "recovery_mechanisms": [
                        {"name": "admin_only", "priority": 1},
                        {"name": "verified_email", "priority": 2},
                    ]
                }
            },
            errors.Invalid,
        ),
        (
            {"user_attribute_update_settings": {"attributes_require_verification_before_update": ["email"]}},
            errors.Invalid,
        ),
        ({"user_pool_tags": {"k": "v" * 257}}, errors.Invalid),
        ({"unheard_of": 1}, errors.Invalid),
    ],
)
def test_a_setting_that_breaks_a_rule_makes_no_pool(
    transactional_db: None, settings: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem) as refused:
        make(**settings)

    assert type(refused.value) is problem
    assert not UserPool.objects.exists()


def test_sms_is_refused_where_nothing_sends_it(transactional_db: None, settings: Settings) -> None:
    make(auto_verified_attributes=["phone_number"])
    settings.SMS_CHANNEL = ""

    with pytest.raises(errors.NotAvailable):
        make(auto_verified_attributes=["phone_number"])
    with pytest.raises(errors.NotAvailable):
        make(account_recovery_setting={"recovery_mechanisms": [{"name": "verified_phone_number", "priority": 1}]})


@pytest.mark.parametrize("named", [{"sns_caller_arn": SENDS}, {"eums_sms": {"caller_arn": SENDS}}], ids=["sns", "eums"])
def test_sms_is_a_pools_own_where_it_names_a_role(
    transactional_db: None, settings: Settings, named: dict[str, Any]
) -> None:
    settings.SMS_CHANNEL = ""
    own = {"sms_configuration": named}
    make(account_recovery_setting={"recovery_mechanisms": [{"name": "verified_phone_number", "priority": 1}]}, **own)
    pool = make(auto_verified_attributes=["phone_number"], **own)

    with pytest.raises(errors.NotAvailable):
        user_pools.update(pool, {"auto_verified_attributes": ["phone_number"]}, whole=True, by=BY)
    after = user_pools.update(pool, {"auto_verified_attributes": ["phone_number"], **own}, whole=True, by=BY)

    assert (after.auto_verified, after.configuration["sms_configuration"]) == (
        ["phone_number"],
        own["sms_configuration"],
    )


@pytest.mark.parametrize("name", ["", " ", "a" * 129, "a\x00b", "a<b>"])
def test_a_pool_needs_a_proper_name(transactional_db: None, name: str) -> None:
    with pytest.raises(errors.Invalid):
        user_pools.create(name, settings={}, by=BY)


class TestMfa:
    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"mfa_configuration": "ON"}, errors.Invalid),
            ({"mfa_configuration": "OPTIONAL", "software_token_mfa_configuration": {"enabled": False}}, errors.Invalid),
            ({"mfa_configuration": "OFF", "software_token_mfa_configuration": {"enabled": True}}, errors.Invalid),
            ({"mfa_configuration": "SOMETIMES"}, errors.Invalid),
            (
                {
                    "mfa_configuration": "ON",
                    "sms_mfa_configuration": {"enabled": True},
                    "sms_authentication_message": "no code",
                },
                errors.Invalid,
            ),
            ({"mfa_configuration": "OFF", "sms_mfa_configuration": {"enabled": True}}, errors.Invalid),
            ({"mfa_configuration": "ON", "email_mfa_configuration": {"message": "{####}"}}, errors.Invalid),
            ({"mfa_configuration": "OFF", "email_mfa_configuration": {}}, errors.Invalid),
            (
                {
                    "mfa_configuration": "ON",
                    "software_token_mfa_configuration": {"enabled": True},
                    "email_mfa_configuration": {"message": "no code"},
                },
                errors.Invalid,
            ),
        ],
    )
    def test_what_contradicts_itself_is_refused(
        self, pool: UserPool, settings: dict[str, Any], problem: type[Exception]
    ) -> None:
        with pytest.raises(problem):
            user_pools.set_mfa(pool, settings=settings, by=BY)

        assert access.pool(pool.public_id).mfa == "OFF"

    def test_an_authenticator_is_a_second_factor(self, pool: UserPool) -> None:
        wanted = {"mfa_configuration": "ON", "software_token_mfa_configuration": {"enabled": True}}

        assert user_pools.mfa_configuration(user_pools.set_mfa(pool, settings=wanted, by=BY)) == wanted
        assert access.pool(pool.public_id).mfa == "ON"

    def test_codes_by_sms_are_one_where_somebody_sends_them(self, pool: UserPool, settings: Settings) -> None:
        role = {"sns_caller_arn": "arn:aws:iam::123456789012:role/texts"}
        own = {"sms_authentication_message": "Enter {####}", "sms_configuration": role}
        on = {"mfa_configuration": "OPTIONAL", "sms_mfa_configuration": {"enabled": True}}
        settings.SMS_CHANNEL = ""
        with pytest.raises(errors.NotAvailable):
            user_pools.set_mfa(pool, settings=on, by=BY)

        found = user_pools.mfa_configuration(user_pools.set_mfa(pool, settings={**on, **own}, by=BY))

        assert found == {"mfa_configuration": "OPTIONAL", "sms_mfa_configuration": own}
        said = {"software_token_mfa_configuration": {"enabled": False}}
        found = user_pools.mfa_configuration(user_pools.set_mfa(pool, settings={**on, **own, **said}, by=BY))
        assert found == {"mfa_configuration": "OPTIONAL", "sms_mfa_configuration": own, **said}
        off = user_pools.set_mfa(pool, settings={"mfa_configuration": "OFF"}, by=BY)
        assert (off.second_factors, off.configuration["sms_configuration"]["sns_caller_arn"]) == (
            (),
            role["sns_caller_arn"],
        )


class TestServersAndDomains:
    def test_an_identifier_is_taken_once(self, pool: UserPool) -> None:
        scopes = [{"name": "read", "description": "Read"}]
        resource_servers.create(pool, identifier="https://api", name="API", scopes=scopes, by=BY)

        with pytest.raises(errors.Invalid, match="already exists in user pool"):
            resource_servers.create(pool, identifier="https://api", name="API", by=BY)

        [server] = resource_servers.of(pool)
        assert (server.identifier, server.scopes) == ("https://api", [{"name": "read", "description": "Read"}])

    @pytest.mark.parametrize(
        ("identifier", "name", "scope"),
        [
            ("a b", "A", "r"),
            ("", "A", "r"),
            ("a", "", "r"),
            ("a", "A", "r/w"),
            ("a", "A", ""),
            ("aws.cognito/x", "A", "r"),
        ],
    )
    def test_malformed_servers_are_refused(self, pool: UserPool, identifier: str, name: str, scope: str) -> None:
        scopes = [{"name": scope, "description": "d"}]
        with pytest.raises(errors.Invalid):
            resource_servers.create(pool, identifier=identifier, name=name, scopes=scopes, by=BY)

    def test_a_prefix_belongs_to_one_pool(self, pool: UserPool, alias_pool: UserPool) -> None:
        pool_domains.set_prefix(pool, "photos", by=BY)
        pool_domains.set_prefix(pool, "photos", by=BY)

        with pytest.raises(errors.Invalid, match="another user pool"):
            pool_domains.set_prefix(alias_pool, "photos", by=BY)
        with pytest.raises(errors.Invalid):
            pool_domains.set_prefix(pool, "second", by=BY)

        assert [each.name for each in pool_domains.of(pool)] == ["photos"]

    @pytest.mark.parametrize("prefix", ["", "-a", "a-", "A", "a.b", "a" * 64, "my-aws", "cognito", "a_b"])
    def test_malformed_and_reserved_prefixes_are_refused(self, pool: UserPool, prefix: str) -> None:
        with pytest.raises(errors.Invalid):
            pool_domains.set_prefix(pool, prefix, by=BY)


class TestDeletion:
    def test_a_protected_pool_stays(self, transactional_db: None) -> None:
        pool = make(deletion_protection="ACTIVE")

        with pytest.raises(errors.Invalid, match="deletion protection is activated"):
            user_pools.delete(pool, by=BY)

        assert access.pool(pool.public_id).pk == pool.pk

    def test_a_deleted_pool_is_gone_at_once_and_purged_with_all_it_had(
        self, pool: UserPool, alias_pool: UserPool
    ) -> None:
        client = factories.make_client(pool, generate_secret=True)
        factories.give_totp(pool, factories.make_user(pool, "alice@example.com"))
        kept = factories.make_user(alias_pool, "bob")
        resource_servers.create(pool, identifier="photos", name="Photos", by=BY)
        pool_domains.set_prefix(pool, "photos", by=BY)

        with pytest.raises(errors.Invalid, match="has a domain configured"):
            user_pools.delete(pool, by=BY)
        pool_domains.delete(pool, "photos", by=BY)

        user_pools.delete(pool, by=BY)

        for gone in (lambda: access.pool(pool.public_id), lambda: user_pools.delete(pool, by=BY)):
            with pytest.raises(errors.PoolNotFound):
                gone()
        with pytest.raises(errors.ClientNotFound):
            access.client(client.client_id)
        assert pool_domains.set_prefix(alias_pool, "photos", by=BY).name == "photos"
        # Its row is how processes that hold it hear of its end.
        assert housekeeping.purge_pools() == 0
        assert UserPool.objects.get(pk=pool.pk).version > pool.version
        with time_machine.travel(clock.now() + housekeeping.NOTICED + timedelta(seconds=1), tick=False):
            assert housekeeping.purge_pools() == 1
        assert list(UserPool.objects.all()) == [alias_pool]
        assert list(User.objects.all()) == [kept]
        assert AuditEvent.objects.filter(pool_id=pool.pk).exists()


def test_pages_of_pools_hold_each_once(transactional_db: None) -> None:
    made = [make().public_id for _ in range(5)]
    first = user_pools.page(3, None)
    second = user_pools.page(3, first.token)

    assert [pool.public_id for pool in [*first.rows, *second.rows]] == made
    assert second.token is None
    with pytest.raises(errors.Invalid):
        user_pools.page(3, "nonsense")


def test_few_users_are_counted_and_many_are_estimated(
    pool: UserPool, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(7):
        users.new(pool, f"p{number}@example.com", {}, "CONFIRMED").save(force_insert=True)  # type: ignore[arg-type]

    with django_assert_num_queries(1):
        assert user_pools.estimated_users(pool) == 7
    monkeypatch.setattr(user_pools, "COUNTED", 5)
    with django_assert_num_queries(2):
        assert user_pools.estimated_users(pool) >= 5


def test_secrets_of_a_client_are_told_by_the_page_of_no_other(pool: UserPool, alias_pool: UserPool) -> None:
    client = factories.make_client(pool, generate_secret=True)

    with pytest.raises(errors.ClientNotFound):
        access.client_in(alias_pool, client.client_id)
    assert len(client_secrets.values(client)) == 1


def test_a_pool_begins_with_a_second_factor_only_where_its_kind_is_named(transactional_db: None) -> None:
    totp = {"software_token_mfa_configuration": {"enabled": True}}

    assert (make(mfa_configuration="ON", **totp).mfa, make(mfa_configuration="ON", **totp).totp_enabled) == ("ON", True)
    for given in (
        {"mfa_configuration": "ON"},
        {"mfa_configuration": "OPTIONAL", "software_token_mfa_configuration": {"enabled": False}},
        {"mfa_configuration": "OFF", **totp},
        {"mfa_configuration": "SOMETIMES", **totp},
    ):
        with pytest.raises(errors.Invalid):
            make(**given)
