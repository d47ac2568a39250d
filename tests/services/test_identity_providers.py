"""Identity providers and links: races, secrets, what a process holds of them, limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.db.models.signals import post_init

from identity.foundation import sealing
from identity.foundation.errors import Invalid, LimitExceeded, Misuse, NotFound
from pools import ports
from pools.models import (
    COGNITO_SUBJECT,
    AuditEvent,
    AuditPersonal,
    ExternalLogin,
    Group,
    IdentityProvider,
    ProviderIdentifier,
    User,
    UserPool,
)
from pools.ports.kinds import About
from pools.services import access, configuration, housekeeping, sealing_contexts
from pools.services.audit import Tag
from pools.services.people import attributes as own_attributes
from pools.services.people import external_logins, groups, users
from pools.services.pools import user_pools
from pools.services.providers import identity_providers, joining, linking
from pools.services.providers.arrivals import Arrival
from pools.services.providers.identity_providers import ProviderChanged, ProviderExists, ProviderNotSupported
from pools.services.providers.linking import Login
from tests import factories
from tests.factories import BY
from tests.providers import CORP, DETAILS
from tests.services.conftest import at_once


def make(pool: UserPool, name: str = "Corp", kind: str = "OIDC", **more: Any) -> IdentityProvider:
    """Make a provider."""
    return identity_providers.create(pool, name, kind=kind, **{"details": DETAILS[kind], "by": BY, **more})


class Kind:
    """A kind of provider whose details are taken as they are; what happens meanwhile is a test's."""

    about = About("Plain", "plain", "Plain", "Anybody.", "Nowhere.", ())

    def __init__(self) -> None:
        """Do nothing meanwhile."""
        self.meanwhile: Callable[[], None] = lambda: None

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return them; outside any transaction, where an issuer may be asked."""
        if transaction.get_connection().in_atomic_block:
            raise Misuse("asked inside a transaction")
        self.meanwhile()
        return details

    def fetch(self, *_: object, **__: object) -> dict[str, str]:
        """Keep nothing."""
        return {}

    told = fetch

    def start(self, *_: object, **__: object) -> Any:  # noqa: ANN401 - not reached
        """Not asked."""
        raise NotImplementedError

    finish = leave = introduce = problems = documents = read_documents = start


@pytest.fixture
def kind() -> Iterator[Kind]:
    """Return a kind that is registered."""
    made = Kind()
    ports.provider_kinds.register("Plain", made)
    yield made
    if "Plain" in ports.provider_kinds.names():
        ports.provider_kinds.withdraw("Plain")


def test_of_two_that_take_a_name_at_once_one_has_it(pool: UserPool) -> None:
    outcomes = at_once(4, lambda _: make(pool))

    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [ProviderExists] * 3
    assert [each.name for each in IdentityProvider.objects.filter(pool=pool)] == ["Corp"]
    assert Group.objects.filter(pool=pool).count() == 1


def test_of_two_that_take_an_identifier_at_once_one_has_it(pool: UserPool) -> None:
    outcomes = at_once(4, lambda number: make(pool, f"Corp{number}", identifiers=["corp.example"]))

    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [Invalid] * 3
    [provider] = IdentityProvider.objects.filter(pool=pool)
    assert ProviderIdentifier.objects.get(pool=pool).provider_id == provider.id
    assert identity_providers.identified(pool, "corp.example") == provider


def test_of_two_that_link_a_login_at_once_one_has_it(pool: UserPool) -> None:
    make(pool)
    people = [factories.make_user(pool) for _ in range(4)]
    source = Login("Corp", COGNITO_SUBJECT, "one")

    outcomes = at_once(
        4, lambda number: linking.link(pool, destination=named_here(people[number].username), source=source, by=BY)
    )

    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [Invalid] * 3
    assert ExternalLogin.objects.filter(pool=pool).count() == 1
    told = [user for user in people if "identities" in users.attributes_of(reread(pool, user))]
    assert len(told) == 1


def named_here(name: str) -> Login:
    """Return somebody of the pool."""
    return Login("Cognito", "", name)


def reread(pool: UserPool, user: User) -> User:
    """Return a person's row as it is now."""
    return access.user_by_sub(pool, user.sub)


@pytest.mark.parametrize("known_as", ["three@corp.example", "nobody@corp.example"])
def test_who_comes_is_looked_for_by_one_statement_that_reads_nobody_elses_link(
    pool: UserPool, django_assert_num_queries: Callable[[int], Any], known_as: str
) -> None:
    mapping = {"email": "email", "email_verified": "email_verified"}
    make(pool, attribute_mapping=mapping)
    for name in ("one", "two", "three", "four"):
        owner, source = named_here(factories.make_user(pool).username), Login("Corp", "email", f"{name}@corp.example")
        linking.link(pool, destination=owner, source=source, by=BY)
    came = Arrival("Corp", "subject", {"email": known_as, "email_verified": "true", "given_name": "Ada"})
    read: list[str] = []

    def note(instance: ExternalLogin, **_: object) -> None:
        read.append(instance.value)

    post_init.connect(note, sender=ExternalLogin)
    try:
        with django_assert_num_queries(1):
            known = joining.is_known(pool, came)
    finally:
        post_init.disconnect(note, sender=ExternalLogin)

    assert read == ([known_as] if known else [])
    assert known == known_as.startswith("three")
    assert not joining.is_known(pool, replace(came, values={**came.values, "email_verified": "false"}))


def test_what_a_provider_says_in_capitals_is_kept_without_where_case_does_not_matter(transactional_db: None) -> None:
    """And is the same address when it says so again: what was proven here stays proven."""
    pool = factories.make_pool(username_configuration={"case_sensitive": False})
    make(pool, attribute_mapping={"email": "email", "preferred_username": "nick", "name": "name"})
    said = {"email": "Ada@Corp.example", "email_verified": "false", "preferred_username": "Ada", "name": "Ada L."}
    came = Arrival("Corp", "Ada", said)
    client = factories.make_client(pool)
    first = joining.join(client, came, spend=lambda: None, by=BY)
    own_attributes.admin_update(pool, first, {"email_verified": "true"}, by=BY)
    before = reread(pool, first)

    joining.join(client, came, spend=lambda: None, by=BY)

    after = reread(pool, first)
    told = users.attributes_of(after)
    assert (told["email"], told["preferred_username"], told["name"]) == ("ada@corp.example", "ada", "Ada L.")
    assert (told["email_verified"], after.modified_at) == ("true", before.modified_at)


def test_a_first_sign_in_that_came_first_is_not_linked(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    make(pool)
    user, other = factories.make_user(pool), factories.make_user(pool)
    real = linking.refuse_excess

    def first(*given: Any) -> None:
        real(*given)
        login = {"provider": "Corp", "provider_type": "OIDC", "value": "x", "subject": "x"}
        at_once(1, lambda _: ExternalLogin.objects.create(pool=pool, user=other, primary=True, **login))

    monkeypatch.setattr(linking, "refuse_excess", first)

    with pytest.raises(Invalid, match="Merging is not currently supported"):
        linking.link(pool, destination=named_here(user.username), source=Login("Corp", COGNITO_SUBJECT, "x"), by=BY)

    assert ExternalLogin.objects.get(pool=pool).user_id == other.id
    assert "identities" not in users.attributes_of(reread(pool, user))


def test_secrets_are_sealed_and_nowhere_else(pool: UserPool) -> None:
    secret = "a-secret-of-corps"
    provider = make(pool, details={**CORP, "client_secret": secret})
    apple = make(pool, "SignInWithApple", "SignInWithApple")

    identity_providers.update(pool, "Corp", changes={"details": {**CORP, "client_secret": secret + "2"}}, by=BY)

    for row in IdentityProvider.objects.filter(pool=pool):
        kept = f"{row.details}{bytes(row.sealed_details)!r}"
        assert secret not in kept
        assert DETAILS["SignInWithApple"]["private_key"] not in kept
        assert not {"client_secret", "private_key"} & row.details.keys()
    assert secret not in f"{[row.detail for row in AuditEvent.objects.all()]}"
    corp = identity_providers.named(pool, "Corp")
    assert identity_providers.described_details(pool, corp)["client_secret"] == secret + "2"
    assert "private_key" not in identity_providers.described_details(pool, apple)
    with pytest.raises(sealing.Unsealable):
        sealing.unseal(provider.sealed_details, place=sealing_contexts.provider_details(apple.id))


def test_a_process_drops_what_it_holds_at_each_change(pool: UserPool) -> None:
    def held() -> list[tuple[str, list[str], dict[str, str]]]:
        return [
            (each.name, identity_providers.identifiers(each), each.attribute_mapping)
            for each in configuration.providers(pool)
        ]

    versions = [UserPool.objects.get(pk=pool.pk).version]

    def is_newer() -> bool:
        versions.append(UserPool.objects.get(pk=pool.pk).version)
        return versions[-1] > versions[-2]

    assert held() == []
    make(pool, identifiers=["b", "a"])
    assert is_newer()
    make(pool, "Google", "Google")
    assert held() == [("Corp", ["b", "a"], {"username": "sub"}), ("Google", [], {"username": "sub"})]
    changes = {"identifiers": ["a"], "attribute_mapping": {"email": "mail"}}
    identity_providers.update(pool, "Corp", changes=changes, by=BY)
    assert is_newer()
    assert held()[0] == ("Corp", ["a"], {"email": "mail", "username": "sub"})
    identity_providers.delete(pool, "Corp", by=BY)
    assert is_newer()
    assert [name for name, *_ in held()] == ["Google"]


def test_what_is_held_is_read_once(pool: UserPool, django_assert_num_queries: Callable[[int], Any]) -> None:
    make(pool, identifiers=["a"])
    configuration.providers(pool)

    with django_assert_num_queries(0):
        assert [identity_providers.identifiers(each) for each in configuration.providers(pool)] == [["a"]]


def test_an_issuer_is_asked_outside_any_transaction(pool: UserPool, kind: Kind) -> None:
    made = identity_providers.create(pool, "Upstream", kind="Plain", details={"a": "b"}, by=BY)

    identity_providers.update(pool, "Upstream", changes={"details": {"a": "c"}}, by=BY)

    assert made.details == {"a": "b"}
    assert identity_providers.details(identity_providers.named(pool, "Upstream")) == {"a": "c"}


def test_details_that_changed_meanwhile_are_not_written_over(pool: UserPool, kind: Kind) -> None:
    identity_providers.create(pool, "Upstream", kind="Plain", details={"a": "0"}, by=BY)

    def change(value: str) -> None:
        identity_providers.update(pool, "Upstream", changes={"details": {"a": value}}, by=BY)

    def other() -> None:
        kind.meanwhile = lambda: None
        change("1")

    kind.meanwhile = other
    with pytest.raises(ProviderChanged):
        change("2")
    assert identity_providers.named(pool, "Upstream").details == {"a": "1"}

    kind.meanwhile = lambda: identity_providers.delete(pool, "Upstream", by=BY)
    with pytest.raises(NotFound):
        change("3")


def test_a_kind_that_a_release_does_not_have_is_not_changed(pool: UserPool, kind: Kind) -> None:
    identity_providers.create(pool, "Upstream", kind="Plain", details={"a": "0"}, by=BY)
    ports.provider_kinds.withdraw("Plain")

    with pytest.raises(ProviderNotSupported):
        identity_providers.update(pool, "Upstream", changes={"identifiers": ["x"]}, by=BY)

    assert identity_providers.named(pool, "Upstream").details == {"a": "0"}
    identity_providers.delete(pool, "Upstream", by=BY)


def test_a_pool_has_so_many_providers_and_groups(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_providers, "MAX_PROVIDERS", 1)
    make(pool)
    with pytest.raises(LimitExceeded):
        make(pool, "Other")
    monkeypatch.setattr(identity_providers, "MAX_PROVIDERS", 9)
    monkeypatch.setattr(groups, "GROUPS_OF_A_POOL", 1)
    with pytest.raises(LimitExceeded):
        make(pool, "Other")

    assert [each.name for each in IdentityProvider.objects.filter(pool=pool)] == ["Corp"]


def test_who_is_deleted_leaves_no_login(pool: UserPool) -> None:
    make(pool)
    one, two = factories.make_user(pool), factories.make_user(pool)
    source = Login("Corp", COGNITO_SUBJECT, "x")
    linking.link(pool, destination=named_here(one.username), source=source, by=BY)

    users.delete(pool, one, by=BY)

    assert not ExternalLogin.objects.filter(pool=pool).exists()
    linking.link(pool, destination=named_here(two.username), source=source, by=BY)


def test_a_deleted_pool_leaves_nothing(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    make(pool, identifiers=["a"])
    user = factories.make_user(pool)
    linking.link(pool, destination=named_here(user.username), source=Login("Corp", COGNITO_SUBJECT, "x"), by=BY)
    user_pools.delete(pool, by=BY)
    monkeypatch.setattr(housekeeping, "NOTICED", -housekeeping.NOTICED)

    housekeeping.purge()

    for table in (ExternalLogin, ProviderIdentifier, IdentityProvider, UserPool):
        assert not table.objects.exists(), table


def test_what_is_done_is_in_the_audit_log(pool: UserPool) -> None:
    make(pool)
    user = factories.make_user(pool)
    login = Login("Corp", COGNITO_SUBJECT, "somebody-there")
    AuditEvent.objects.all()._raw_delete("default")

    identity_providers.update(pool, "Corp", changes={"identifiers": ["a"], "acr_mapping": None}, by=BY)
    linking.link(pool, destination=named_here(user.username), source=login, by=BY)
    linking.unlink(pool, login, by=BY)
    identity_providers.delete(pool, "Corp", by=BY)

    about, at = {"provider": "Corp", "type": "OIDC"}, {"provider": "Corp", "attribute": COGNITO_SUBJECT}
    rows = AuditEvent.objects.order_by("id")
    assert [(row.tag, row.subject, row.detail) for row in rows] == [
        (Tag.PROVIDER_CHANGED, "Corp", {**about, "changed": ["identifiers"]}),
        (Tag.PROVIDER_LINKED, str(user.sub), at),
        (Tag.PROVIDER_UNLINKED, str(user.sub), at),
        (Tag.PROVIDER_DELETED, "Corp", about),
    ]
    values = [row.values for row in AuditPersonal.objects.filter(id__in=[row.id for row in rows])]
    assert values == [{"value": "somebody-there"}] * 2


def test_the_claim_has_texts_for_numbers_and_truth_values() -> None:
    told = [{"userId": "ä", "providerName": "Corp", "issuer": None, "primary": True, "dateCreated": 1642699117273}]

    assert external_logins.claim(json.dumps(told)) == [
        {"userId": "ä", "providerName": "Corp", "issuer": None, "primary": "true", "dateCreated": "1642699117273"}
    ]
