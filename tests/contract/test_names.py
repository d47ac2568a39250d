"""Names that one cannot see all of: refused wherever a name is made; those that exist keep working."""

from __future__ import annotations

from typing import Any

import pytest

from identity.foundation import errors
from pools.models import AppClient, SignInName, User, UserPool
from pools.services.people import groups
from tests import factories
from tests.contract.conftest import PASSWORD, Wire

PATTERN = r"Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+"
# By Amazon's pattern, which knows no spaces, controls and format characters; the rest it lets through.
BY_PATTERN = ["al\u200bice", "alice\u00ad", "\u202ealice", " alice", "alice\u00a0", "al\ufeffice", "al\U000e0061ice"]
BY_RULE = ["alice\ufe0f", "al\u034fice", "al\u3164ice", "\u115falice", "al\U000e0101ice", "al\u180bice", "al\uffa0ice"]


@pytest.fixture
def pool(wire: Wire) -> UserPool:
    """Return a pool where people sign in by a name that they chose, too."""
    return factories.make_pool(alias_attributes=["preferred_username"])


def token(wire: Wire, client: AppClient, name: str) -> str:
    """Return the access token of somebody who signs in by a name."""
    auth = {"USERNAME": name, "PASSWORD": factories.PASSWORD}
    given = {"ClientId": client.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": auth}
    return str(wire.ask("InitiateAuth", **given)["AuthenticationResult"]["AccessToken"])


def test_a_name_with_what_nobody_sees_is_refused(wire: Wire, pool: UserPool) -> None:
    client = factories.make_client(pool)
    own = {"AccessToken": token(wire, client, factories.make_user(pool).username)}

    for name in (*BY_PATTERN, *BY_RULE):
        chosen = [{"Name": "preferred_username", "Value": name}]
        made: list[tuple[str, dict[str, Any]]] = [
            ("SignUp", {"ClientId": client.client_id, "Username": name, "Password": PASSWORD}),
            ("AdminCreateUser", {"UserPoolId": pool.public_id, "Username": name}),
            ("UpdateUserAttributes", {**own, "UserAttributes": chosen}),
        ]
        for operation, given in made:
            code, text = wire.refusal(operation, **given)

            assert code == "InvalidParameterException", (operation, name)
            by_pattern = f"at 'username' failed to satisfy constraint: {PATTERN}" in text
            assert by_pattern is ("Username" in given and name in BY_PATTERN), (operation, name, text)
        with pytest.raises(errors.Invalid):
            groups.create(pool, name, by=factories.BY)  # by console and management API: no operation yet

    assert User.objects.filter(pool=pool).count() == 1
    assert not User.objects.exclude(preferred_username=None).exists()


def test_a_name_of_before_keeps_working(wire: Wire, pool: UserPool) -> None:
    client = factories.make_client(pool)
    user = factories.make_user(pool, preferred_username="heart")
    User.objects.filter(pk=user.pk).update(preferred_username="heart\ufe0f")
    SignInName.objects.filter(user=user, kind="preferred_username").update(name="heart\ufe0f")

    own = token(wire, client, "heart\ufe0f")
    kept = [{"Name": "preferred_username", "Value": "heart\ufe0f"}, {"Name": "name", "Value": "Ann"}]
    wire.ask("UpdateUserAttributes", AccessToken=own, UserAttributes=kept)

    assert token(wire, client, "heart\ufe0f")
    assert User.objects.get(pk=user.pk).name == "Ann"
