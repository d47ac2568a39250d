"""What a name may be: an address only what every mail library reads alike, no name what folds to another's."""

from __future__ import annotations

import string
import uuid
from collections.abc import Callable

import pytest
from django.core.mail.message import sanitize_address
from hypothesis import example, given
from hypothesis import strategies as st

from identity.foundation import errors, names
from pools.models import SignInName, UserPool
from pools.services import access
from pools.services.people import attributes, sign_in_names, users
from pools.services.pools import schema
from pools.services.sign_up import sign_up
from tests import factories
from tests.factories import BY, PASSWORD
from tests.services.conftest import VISITOR


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com",
        "Alice.O'Hara+tag@Sub-1.Example.com",
        "a!#$%&'*+/?=^_`{|}~-@b.c",
        "a?=b@example.com",
        "a@xn--mnchen-3ya.de",
        "a@localhost",
        "a@1.example",
        "l" * 64 + "@" + ".".join(["d" * 63] * 3),
    ],
)
def test_an_address_is_one(address: str) -> None:
    assert schema.is_email(address)
    assert sanitize_address(address, "utf-8") == address


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?x?=@ex.com",
        "a=?@ex.com",
        "a@ex。com",
        "a@ß.com",
        "ä@example.com",
        "\uff41@example.com",
        "a@.com",
        "a@com.",
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "a@b_c.d",
        ".a@b.c",
        "a.@b.c",
        "a..b@c.d",
        "a b@c.d",
        '"a"@b.c',
        "a@b@c",
        "a@[127.0.0.1]",
        "a@b.c\n",
        "a\r\nBcc: x@y.z@b.c",
        "@b.c",
        "a@",
        "",
        "l" * 65 + "@b.c",
        "a@" + "d" * 64 + ".c",
        "a@" + ".".join(["d" * 63] * 5),
    ],
)
def test_what_may_be_read_as_another_address_is_none(address: str) -> None:
    assert not schema.is_email(address)


@given(st.text(string.printable + "ßé。", max_size=12), st.text(string.printable + "ßé。", max_size=12))
def test_an_address_is_what_goes_on_the_wire(local: str, domain: str) -> None:
    address = f"{local}@{domain}"

    if schema.is_email(address):
        assert sanitize_address(address, "utf-8") == address


FULL_WIDTH = {ord(character): ord(character) + 0xFEE0 for character in string.digits}


def fullwidth(name: str) -> str:
    """Return a name that reads the same and folds to this one."""
    return name.translate(FULL_WIDTH)


@pytest.fixture
def folding_pool(transactional_db: None) -> UserPool:
    """Return a pool with usernames and aliases, where case does not matter."""
    return factories.make_pool(
        alias_attributes=["email", "phone_number", "preferred_username"],
        username_configuration={"case_sensitive": False},
    )


@pytest.mark.parametrize("written", [str, lambda sub: str(sub).upper(), lambda sub: fullwidth(str(sub))])
def test_nobody_is_called_by_anothers_sub(folding_pool: UserPool, written: Callable[[uuid.UUID], str]) -> None:
    client = factories.make_client(folding_pool)
    name = written(factories.make_user(folding_pool).sub)

    with pytest.raises(errors.UsernameExists):
        sign_up.sign_up(client, name, password=PASSWORD, attributes={"email": "a@example.com"}, by=VISITOR)
    with pytest.raises(errors.UsernameExists):
        users.create(folding_pool, name, attributes={}, message="suppress", by=BY)
    with pytest.raises(errors.UsernameExists):
        users.create(folding_pool, "other", attributes={"preferred_username": name}, message="suppress", by=BY)
    other = factories.make_user(folding_pool)
    with pytest.raises(errors.AliasExists):
        attributes.admin_update(folding_pool, other, {"preferred_username": name}, by=BY)


def test_a_uuid_that_is_nobodys_sub_here_is_a_name_like_any(folding_pool: UserPool) -> None:
    client = factories.make_client(folding_pool)
    elsewhere = str(factories.make_user(factories.make_pool()).sub)
    signed_up, created, own = str(uuid.uuid4()), str(uuid.uuid4()), factories.make_user(folding_pool)

    sign_up.sign_up(client, signed_up, password=PASSWORD, attributes={"email": "a@example.com"}, by=VISITOR)
    users.create(folding_pool, created, attributes={}, message="suppress", by=BY)
    users.create(folding_pool, elsewhere, attributes={}, message="suppress", by=BY)
    attributes.admin_update(folding_pool, own, {"preferred_username": str(own.sub)}, by=BY)

    for name in (signed_up, created, elsewhere):
        assert access.user(folding_pool, name).username == name
        assert access.user_or_decoy(client, name).username == name
    assert access.user_or_decoy(client, str(own.sub)).id == own.id
    with pytest.raises(errors.UsernameExists):
        users.create(folding_pool, created.upper(), attributes={}, message="suppress", by=BY)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("victim\uff20example.com", "email format"),
        ("\uff0b4930123456", "phone number format"),
        ("\ufdfa" * 8, "without spaces"),
        ("\u3392" * 100, "1 to 128 characters"),
        ("a\u00b4b", "without spaces"),
    ],
    ids=["address", "number", "words", "long", "space"],
)
def test_a_username_is_checked_as_it_is_compared(folding_pool: UserPool, name: str, told: str) -> None:
    sign_in_names.check_username(folding_pool, "\uff56ictim")

    with pytest.raises(errors.Invalid, match=told):
        sign_in_names.check_username(folding_pool, name)


@pytest.mark.parametrize("name", ["\ufdfa" * 200, "x" * 2049], ids=["ligatures", "long"])
def test_a_preferred_username_that_cannot_sign_in_is_refused(folding_pool: UserPool, name: str) -> None:
    users.create(folding_pool, "proper", attributes={"preferred_username": "\uff50"}, message="suppress", by=BY)

    with pytest.raises(errors.Invalid):
        users.create(folding_pool, "other", attributes={"preferred_username": name}, message="suppress", by=BY)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("victim@example.com", "email format"),
        ("victim\uff20example.com", "email format"),
        ("+4930123456", "phone number format"),
    ],
    ids=["address", "folding", "number"],
)
@pytest.mark.parametrize("way", ["create", "update", "admin_update", "complete"])
def test_nobody_is_called_like_an_address_where_addresses_sign_in(
    folding_pool: UserPool, way: str, name: str, told: str
) -> None:
    client, chosen = factories.make_client(folding_pool), {"preferred_username": name}
    user = factories.make_user(folding_pool)
    ways: dict[str, Callable[[], object]] = {
        "create": lambda: users.create(folding_pool, "new", attributes=chosen, message="suppress", by=BY),
        "update": lambda: attributes.update(client, user, chosen, by=VISITOR),
        "admin_update": lambda: attributes.admin_update(folding_pool, user, chosen, by=BY),
        "complete": lambda: attributes.check_completion(folding_pool, client, user, chosen),
    }

    with pytest.raises(errors.Invalid, match=f"Preferred username cannot be of {told}"):
        ways[way]()

    attributes.admin_update(folding_pool, user, {"preferred_username": "victim"}, by=BY)


def test_a_preferred_username_like_an_address_harms_nobody_where_addresses_do_not_sign_in(
    transactional_db: None,
) -> None:
    pool = factories.make_pool(alias_attributes=["preferred_username"])
    user = factories.make_user(pool)

    attributes.admin_update(pool, user, {"preferred_username": "me@example.com"}, by=BY)

    assert access.user(pool, "me@example.com").id == user.id


def test_a_sub_means_its_owner_whoever_is_called_so(alias_pool: UserPool) -> None:
    owner, other = factories.make_user(alias_pool), factories.make_user(alias_pool)
    kind = SignInName.Kind.PREFERRED_USERNAME
    SignInName.objects.create(pool=alias_pool, user=other, kind=kind, name=str(owner.sub))

    assert access.user(alias_pool, str(owner.sub)).id == owner.id


@given(st.text(max_size=8))
@example("H\u0331")
def test_a_folded_name_folds_to_itself(name: str) -> None:
    pool = UserPool(case_sensitive=False)
    folded = access.normalise(pool, name)

    assert access.normalise(pool, folded) == folded


@given(st.text(max_size=8))
@example("\u03f9")
@example("\u0130\u03a3")
@example("\u03a3\U00010791")
def test_a_flattened_value_is_the_same_name(value: str) -> None:
    flattened = names.flattened(value)

    assert names.folded(flattened) == names.folded(value)
    assert names.flattened(flattened) == flattened
    assert flattened in (value, value.lower())


def test_what_small_letters_make_too_long_is_refused_and_not_kept(folding_pool: UserPool) -> None:
    for called in ("\u023e" * 1000, "\u0130" * 200 + "a" * 1800):
        with pytest.raises(errors.Invalid, match="2500 bytes"):
            users.create(folding_pool, "new", attributes={"preferred_username": called}, message="suppress", by=BY)
