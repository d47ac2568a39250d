"""The tables of settings: what they hold, what an update does by them, and that everyone reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from botocore.model import Shape, StructureShape
from django.db import connection
from structlog.testing import capture_logs

from identity.console import serializers, setting_names, settings_form
from identity.foundation import errors
from identity.management.commands import write_coverage_docs
from pools.cognito import contract, shapes
from pools.models import AppClient, AuditEvent, IdentityPool, UserPool
from pools.services import access, configuration
from pools.services.identity_pools import identity_pool_settings, identity_pools
from pools.services.pools import app_clients, client_secrets, pool_settings, settings_table, user_pools
from pools.services.pools.settings_table import Choice, Control, Setting, Table
from tests import factories
from tests.factories import BY

TABLES = write_coverage_docs.TABLES
ASIDE = {
    "CreateUserPool": set[str](),
    "CreateUserPoolClient": {"user_pool_id", *client_secrets.SETTINGS},
    "CreateIdentityPool": set[str](),
}
"""Members that are no settings: whose the new thing is, and its secret."""
OF_SECOND_FACTORS = {"software_token_mfa_configuration.enabled", "email_mfa_configuration", "web_authn_configuration"}


def leaves(shape: Shape, table: Table, before: str = "") -> Iterator[str]:
    """Walk the members of an input by our names; a structure that is one setting counts as one."""
    assert isinstance(shape, StructureShape)
    for name, (_, member) in shapes.members(shape).items():
        if isinstance(member, StructureShape) and before + name not in table.rows:
            yield from leaves(member, table, f"{before}{name}.")
        else:
            yield before + name


@pytest.mark.parametrize("operation", TABLES)
def test_each_member_that_amazon_takes_is_a_row_and_each_row_is_a_member_or_ours_alone(operation: str) -> None:
    table, shape = TABLES[operation], contract.model(operation).input_shape

    taken = set(leaves(shape, table))

    # SetUserPoolMfaConfig's: CreateUserPool has no word for them.
    rows = {row.name for row in table.settings if row.is_on_wire} - OF_SECOND_FACTORS
    assert taken - ASIDE[operation] == rows


@pytest.mark.parametrize("operation", TABLES)
def test_what_operators_choose_has_a_column_and_words(operation: str) -> None:
    model = {"CreateUserPool": UserPool, "CreateUserPoolClient": AppClient, "CreateIdentityPool": IdentityPool}[
        operation
    ]
    columns = {each.name for each in model._meta.get_fields()}

    for name, (_, choice) in TABLES[operation].choices.items():
        assert name in columns
        assert choice.label
        assert str(choice.help).endswith(".")
    assert set(TABLES[operation].columns) <= columns


@pytest.mark.parametrize("operation", TABLES)
def test_what_is_refused_for_good_says_why_and_what_to_do(operation: str) -> None:
    for setting in TABLES[operation].settings:
        is_refused = setting.availability is settings_table.Availability.REFUSED
        assert bool(setting.refusal) is is_refused, setting.name
        assert not is_refused or setting.why, setting.name
        assert not setting.why or setting.why.endswith("."), setting.name


def test_a_row_that_is_refused_for_good_refuses_and_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = settings_table.Availability.REFUSED
    row = Setting(name="user_pool_tier", availability=refused, why="Tiers are a price list.", refusal="Leave it out.")
    row = replace(row, is_harmless=settings_table.equal_to("LITE"))
    table = replace(pool_settings.TABLE, settings=(row,), rules=(), derive=None)
    monkeypatch.setitem(write_coverage_docs.TABLES, "CreateUserPool", table)

    with pytest.raises(errors.Invalid, match=r"^Leave it out\.$") as raised:
        table.apply(UserPool(), {"user_pool_tier": "PLUS"})
    page = write_coverage_docs.Command().text()

    assert (raised.value.field, raised.value.code) == ("user_pool_tier", "refused")
    assert not isinstance(raised.value, errors.NotAvailable)
    assert table.apply(UserPool(), {"user_pool_tier": "LITE"}) == {"user_pool_tier": "LITE"}
    line = "| `UserPoolTier` | CreateUserPool, UpdateUserPool | Tiers are a price list. |"
    assert line in page.split("\n## Refused")[1]
    assert "refused: `UserPoolTier`" in page


class Faces:
    """Everyone who reads the table of pools."""

    def __init__(self, pool: UserPool) -> None:
        """Look at each."""
        self.described = shapes.user_pool(pool)
        self.form = settings_form.settings_form(pool_settings.TABLE, pool, None).as_p()
        self.shown = serializers.PoolSerializer(pool).data
        self.changes = serializers.ChangePoolSerializer(context={"row": pool}).fields.keys()
        self.coverage = write_coverage_docs.Command().text()
        self.operators_name = setting_names.operators_name("email_configuration.reply_to_email_address")


def test_a_row_is_all_that_a_setting_takes(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everyone knows a setting by its row alone: without the row it is unknown, with another row it is another."""
    name, told = "email_configuration.reply_to_email_address", "EmailConfiguration"
    given: dict[str, Any] = {"email_configuration": {"reply_to_email_address": "help@example.com"}}
    choice = Choice(control=Control.TEXT, label="Replies go to", help="An address.", column="name")
    table = pool_settings.TABLE

    def with_row(change: Callable[[Setting], Setting | None]) -> None:
        rows = (change(row) if row.name == name else row for row in table.settings)
        changed = replace(table, settings=tuple(row for row in rows if row is not None))
        monkeypatch.setattr(pool_settings, "TABLE", changed)
        monkeypatch.setitem(write_coverage_docs.TABLES, "CreateUserPool", changed)

    pool = factories.make_pool(**given)
    before = Faces(pool)
    with_row(lambda row: replace(row, availability=settings_table.Availability.KEPT_ONLY, choice=choice))
    after = Faces(pool)
    with_row(lambda row: None)
    without = Faces(pool)

    assert before.described[told] == {
        "EmailSendingAccount": "COGNITO_DEFAULT",
        "ReplyToEmailAddress": "help@example.com",
    }
    assert without.described[told] == {"EmailSendingAccount": "COGNITO_DEFAULT"}
    assert [("Replies go to" in each.form) for each in (before, after, without)] == [False, True, False]
    assert [each.operators_name for each in (before, after, without)] == [name, "name", name]
    line = "| CreateUserPool | `EmailConfiguration.ReplyToEmailAddress` |"
    assert [(line in each.coverage) for each in (before, after, without)] == [False, True, False]
    with pytest.raises(errors.Invalid, match="Unknown settings"):
        factories.make_pool(**given)


def test_a_switch_is_in_form_and_api_by_its_row(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, table = factories.make_pool(), pool_settings.TABLE
    before = Faces(pool)
    others = tuple(row for row in table.settings if row.name != "deletion_protection")
    monkeypatch.setattr(pool_settings, "TABLE", replace(table, settings=others))

    without = Faces(pool)

    assert [('name="deletion_protected"' in each.form) for each in (before, without)] == [True, False]
    assert [("deletion_protected" in each.shown) for each in (before, without)] == [True, False]
    assert [("deletion_protected" in each.changes) for each in (before, without)] == [True, False]
    assert [("DeletionProtection" in each.described) for each in (before, without)] == [True, False]


RICH_POOL: dict[str, Any] = {
    "username_attributes": ["email"],
    "auto_verified_attributes": ["email"],
    "username_configuration": {"case_sensitive": False},
    "policies": {"password_policy": {"minimum_length": 12, "require_numbers": True, "password_history_size": 5}},
    "admin_create_user_config": {
        "allow_admin_create_user_only": True,
        "unused_account_validity_days": 3,
        "invite_message_template": {"email_subject": "Welcome"},
    },
    "email_verification_message": "Yours is {####}.",
    "verification_message_template": {"default_email_option": "CONFIRM_WITH_LINK"},
    "user_attribute_update_settings": {"attributes_require_verification_before_update": ["email"]},
    "account_recovery_setting": {"recovery_mechanisms": [{"priority": 1, "name": "admin_only"}]},
    "email_configuration": {"reply_to_email_address": "help@example.com"},
    "user_pool_tags": {"team": "blue"},
    "user_pool_tier": "PLUS",
    "deletion_protection": "ACTIVE",
    "schema": [{"name": "role", "mutable": True}],
    "recent_proof": True,
}
RICH_CLIENT: dict[str, Any] = {
    "explicit_auth_flows": ["ALLOW_USER_SRP_AUTH"],
    "access_token_validity": 2,
    "token_validity_units": {"refresh_token": "hours"},
    "prevent_user_existence_errors": "LEGACY",
    "refresh_token_rotation": {"feature": "ENABLED"},
    "read_attributes": ["email"],
    "callback_urls": ["https://a.example/"],
    "default_redirect_uri": "https://a.example/",
    "enable_token_revocation": False,
    "auth_session_validity": 5,
    "openid_strict": True,
}


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer tells otherwise than another."""
    names = before.keys() | after.keys()
    return {name: after.get(name) for name in names if before.get(name) != after.get(name) and "Date" not in name}


def test_another_process_holds_no_setting_from_before_an_update(transactional_db: None) -> None:
    pool = factories.make_pool()
    identity_pool = identity_pools.create("p", settings={"allow_unauthenticated_identities": True}, by=BY)
    other = configuration.ConfigurationCache()
    before = other.pool(pool.public_id).row.recent_proof, other.identity_pool(identity_pool.public_id).guests

    user_pools.update(pool, {"recent_proof": True}, by=BY)
    identity_pools.update(identity_pool, {"allow_unauthenticated_identities": False}, by=BY)
    held = other.pool(pool.public_id).row.recent_proof, other.identity_pool(identity_pool.public_id).guests
    other.poll(force=True)

    assert before == held == (False, True)
    assert other.pool(pool.public_id).row.recent_proof is True
    assert other.identity_pool(identity_pool.public_id).guests is False


class TestPools:
    @pytest.mark.parametrize("given", [{}, RICH_POOL], ids=["plain", "rich"])
    def test_an_update_changes_what_it_names_and_no_more(self, transactional_db: None, given: dict[str, Any]) -> None:
        pool = factories.make_pool(**given)
        before = shapes.user_pool(pool)

        after = user_pools.update(pool, {"pool_name": "Other", "recent_proof": False}, by=BY)

        assert changed(before, shapes.user_pool(after)) == {"Name": "Other"}
        assert not after.recent_proof
        assert after.version > pool.version
        assert access.pool(pool.public_id).name == "Other"
        row = AuditEvent.objects.get(tag="pool_changed", pool_id=pool.pk)
        assert row.detail == {"changed": [*(["pool_name", "recent_proof"] if given else ["pool_name"])]}

    def test_a_whole_update_puts_back_what_it_leaves_out_but_for_what_stays(self, transactional_db: None) -> None:
        pool = factories.make_pool(**RICH_POOL)
        plain = shapes.user_pool(factories.make_pool(username_attributes=["email"], schema=RICH_POOL["schema"]))

        after = user_pools.update(pool, {"auto_verified_attributes": ["email"]}, whole=True, by=BY)

        told = changed(plain, shapes.user_pool(after))
        own = {name: told.pop(name) for name in ("Id", "Arn", "Name")}
        assert own["Name"] == pool.name
        assert told == {
            "AutoVerifiedAttributes": ["email"],
            "UserPoolTags": {"team": "blue"},
            "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
            "UsernameConfiguration": {"CaseSensitive": False},
        }
        assert after.recent_proof

    @pytest.mark.parametrize(
        ("changes", "problem", "field"),
        [
            ({"username_attributes": ["email"]}, errors.Invalid, "username_attributes"),
            ({"schema": []}, errors.Invalid, "schema"),
            (
                {"username_configuration": {"case_sensitive": True}},
                errors.Invalid,
                "username_configuration.case_sensitive",
            ),
            ({"lambda_config": {"pre_sign_up": "arn:aws:lambda:x"}}, errors.Invalid, "lambda_config"),
            (
                {"dcr_configuration": {"allowed_scopes": ["none/read"]}},
                errors.Invalid,
                "dcr_configuration.allowed_scopes",
            ),
            (
                {"dcr_configuration": {"open_dcr_grant_types": ["password"]}},
                errors.Invalid,
                "dcr_configuration.open_dcr_grant_types",
            ),
            ({"pool_name": " "}, errors.Invalid, "pool_name"),
            ({"mfa_configuration": "ON"}, errors.Invalid, "mfa_configuration"),
            (
                {"policies": {"password_policy": {"minimum_length": 5}}},
                errors.Invalid,
                "policies.password_policy.minimum_length",
            ),
            ({"unheard_of": 1}, errors.Invalid, ""),
        ],
    )
    def test_what_breaks_a_rule_cannot_be_changed_or_is_not_there_changes_nothing(
        self, pool: UserPool, changes: dict[str, Any], problem: type[errors.Invalid], field: str
    ) -> None:
        before = UserPool.objects.filter(pk=pool.pk).values().get()

        with pytest.raises(problem) as refused:
            user_pools.update(pool, {"recent_proof": True, **changes}, by=BY)

        assert (type(refused.value), refused.value.field) == (problem, field)
        assert UserPool.objects.filter(pk=pool.pk).values().get() == before

    def test_a_rule_that_is_not_about_a_change_does_not_hinder_it(
        self,
        transactional_db: None,
        settings: Any,  # noqa: ANN401 - pytest-django's
    ) -> None:
        pool = factories.make_pool(auto_verified_attributes=["phone_number"])
        settings.SMS_CHANNEL = ""

        assert user_pools.update(pool, {"recent_proof": True}, by=BY).recent_proof
        with pytest.raises(errors.NotAvailable):
            user_pools.update(pool, {"auto_verified_attributes": ["phone_number", "email"]}, by=BY)

    def test_what_is_so_already_is_not_written(self, pool: UserPool) -> None:
        after = user_pools.update(pool, {"recent_proof": pool.recent_proof, "pool_name": pool.name}, by=BY)

        assert (after.version, after.modified_at) == (pool.version, pool.modified_at)
        assert not AuditEvent.objects.filter(tag="pool_changed", pool_id=pool.pk).exists()

    def test_a_pool_as_the_release_before_kept_it_is_described_and_changed(self, pool: UserPool) -> None:
        kept = {
            "admin_create_user_config": {
                "allow_admin_create_user_only": False,
                "unused_account_validity_days": 0,
                "invite_message_template": {"email_subject": "Welcome"},
            },
            "email_configuration": {"email_sending_account": "COGNITO_DEFAULT"},
            "user_pool_add_ons": {"advanced_security_mode": "OFF"},
            "username_configuration": {"case_sensitive": False},
        }
        UserPool.objects.filter(pk=pool.pk).update(configuration=kept, case_sensitive=False, admin_only_sign_up=True)

        after = user_pools.update(pool, {"user_pool_tags": {"team": "red"}}, by=BY)

        told = shapes.user_pool(after)
        assert told["AdminCreateUserConfig"] == {
            "AllowAdminCreateUserOnly": True,
            "UnusedAccountValidityDays": 7,
            "InviteMessageTemplate": {"EmailSubject": "Welcome"},
        }
        assert told["UsernameConfiguration"] == {"CaseSensitive": False}
        assert told["UserPoolAddOns"] == {"AdvancedSecurityMode": "OFF"}
        assert after.configuration == {**kept, "user_pool_tags": {"team": "red"}}

    def test_a_deleted_pool_is_not_changed(self, pool: UserPool) -> None:
        user_pools.delete(pool, by=BY)

        with pytest.raises(errors.PoolNotFound):
            user_pools.update(pool, {"recent_proof": True}, by=BY)

    def test_two_updates_at_once_both_happen(self, transactional_db: None) -> None:
        pool = factories.make_pool(**RICH_POOL)
        changes = (
            {"user_pool_tags": {"team": "red"}},
            {"email_configuration": {"reply_to_email_address": "b@example.com"}},
        )
        barrier = Barrier(2)

        def update(wanted: dict[str, Any]) -> None:
            barrier.wait(30)
            user_pools.update(pool, wanted, by=BY)
            connection.close()

        with ThreadPoolExecutor(2) as both:
            list(both.map(update, changes))

        told = shapes.user_pool(access.pool(pool.public_id))
        assert (told["UserPoolTags"], told["EmailConfiguration"]["ReplyToEmailAddress"]) == (
            {"team": "red"},
            "b@example.com",
        )


class TestApps:
    @pytest.mark.parametrize("given", [{}, RICH_CLIENT], ids=["plain", "rich"])
    def test_an_update_changes_what_it_names_and_no_more(self, pool: UserPool, given: dict[str, Any]) -> None:
        client = app_clients.create(pool, "app", settings=given, by=BY)
        before = shapes.app_client(pool, client)

        after = app_clients.update(client, {"client_name": "other"}, by=BY)

        assert changed(before, shapes.app_client(pool, after)) == {"ClientName": "other"}
        assert changed(before, shapes.app_client(pool, access.client(client.client_id))) == {"ClientName": "other"}
        assert (after.openid_strict, after.refresh_seconds) == (client.openid_strict, client.refresh_seconds)
        [row] = AuditEvent.objects.filter(tag="client_changed", subject=client.client_id)
        assert row.detail == {"changed": ["client_name"]}

    @pytest.mark.parametrize("whole", [True, False])
    def test_a_secret_is_not_a_setting_that_changes(self, pool: UserPool, whole: bool) -> None:
        client = app_clients.create(pool, "app", settings={"generate_secret": True}, by=BY)

        for name in client_secrets.SETTINGS:
            with pytest.raises(errors.Invalid, match="secret cannot be changed"):
                app_clients.update(client, {name: "x"}, whole=whole, by=BY)

    def test_a_client_of_a_deleted_pool_is_not_changed(self, pool: UserPool) -> None:
        client = app_clients.create(pool, "app", settings={}, by=BY)
        user_pools.delete(pool, by=BY)

        with pytest.raises(errors.ClientNotFound):
            app_clients.update(client, {"client_name": "other"}, by=BY)

    def test_what_is_kept_only_is_warned_of(self, pool: UserPool) -> None:
        analytics = {"application_arn": "arn:aws:mobiletargeting:us-east-1:000000000000:apps/a"}
        with capture_logs() as quiet:
            client = app_clients.create(pool, "app", settings={"supported_identity_providers": ["COGNITO"]}, by=BY)
        with capture_logs() as logs:
            app_clients.update(client, {"analytics_configuration": analytics}, by=BY)

        assert [line for line in quiet if line["event"] == "settings_without_effect"] == []
        [line] = [line for line in logs if line["event"] == "settings_without_effect"]
        assert (line["of"], line["settings"]) == (client.client_id, ["analytics_configuration.application_arn"])

    @pytest.mark.parametrize("type_of", pool_settings.ISSUERS)
    def test_either_type_of_issuer_is_warned_of_by_nobody(self, transactional_db: None, type_of: str) -> None:
        with capture_logs() as logs:
            pool = factories.make_pool(issuer_configuration={"type": type_of})
            user_pools.update(pool, {"user_pool_tags": {"team": "red"}}, by=BY)

        assert [line for line in logs if line["event"] == "settings_without_effect"] == []
        assert pool_settings.TABLE.without_effect(access.pool(pool.public_id)) == []

    def test_no_other_type_of_issuer_is_kept(self, transactional_db: None) -> None:
        with pytest.raises(errors.Invalid, match="Unknown type of issuer"):
            factories.make_pool(issuer_configuration={"type": "OWN"})


class TestIdentityPools:
    def test_an_update_changes_what_it_names_and_no_more(self, transactional_db: None) -> None:
        tags = {"identity_pool_tags": {"team": "red"}, "allow_classic_flow": False}
        pool = identity_pools.create("p", settings={**tags, "allow_unauthenticated_identities": True}, by=BY)
        before = identity_pool_settings.TABLE.describe(pool)

        after = identity_pools.update(pool, {"allow_unauthenticated_identities": False}, by=BY)

        told = identity_pool_settings.TABLE.describe(after)
        assert changed(before, told) == {"allow_unauthenticated_identities": False}
        assert after.version > pool.version
        assert AuditEvent.objects.get(tag="identity_pool_changed").detail == {
            "changed": ["allow_unauthenticated_identities"]
        }

    def test_a_whole_update_puts_back_what_it_leaves_out_but_for_what_stays(self, transactional_db: None) -> None:
        tags = {"identity_pool_tags": {"team": "red"}, "allow_classic_flow": True}
        pool = identity_pools.create("p", settings={**tags, "allow_unauthenticated_identities": True}, by=BY)

        after = identity_pools.update(pool, {}, whole=True, by=BY)

        assert identity_pool_settings.TABLE.describe(after) == {
            "identity_pool_name": "p",
            "allow_unauthenticated_identities": False,
            "identity_pool_tags": {"team": "red"},
        }
        with pytest.raises(errors.NotAvailable):
            identity_pools.update(pool, {"supported_login_providers": {"api.twitter.com": "key;secret"}}, by=BY)
