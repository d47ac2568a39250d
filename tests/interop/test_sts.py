"""An STS that others wrote takes our tokens, and only good ones; its S3 keeps people to what is theirs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from time import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.interop.conftest import Cloud, World, refused

pytestmark = pytest.mark.interop
DENIED = ("AccessDenied", "403")


def assume(cloud: Cloud, role: str, token: str) -> dict[str, Any]:
    """Ask the STS, as an application of the classic flow does."""
    found: dict[str, Any] = cloud.sts.assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="classic", WebIdentityToken=token
    )
    return found


def signed(world: World, **changes: Any) -> str:
    """Return a token signed by the identity pools' own key, with some claims changed."""
    from pools.services import configuration
    from pools.services.tokens import issue

    now = int(time())
    claims = {
        "iss": world.issuer,
        "sub": f"us-east-1:{secrets.token_hex(4)}",
        "aud": world.pool,
        "amr": ["authenticated"],
        "iat": now - 30,
        "exp": now + 600,
        **changes,
    }
    with world.live.orm():
        configuration.cache.forget_everything()
        token = issue.identity_pool_token(claims)
        configuration.cache.forget_everything()
    return token


def test_member_and_guest_get_different_roles(world: World, cloud: Cloud) -> None:
    logins = world.logins(world.person())
    member_id = world.get_id(logins)
    member = cloud.s3(*world.credentials(member_id, logins))
    guest = cloud.s3(*world.credentials(world.get_id()))

    member.put_object(Bucket=world.bucket, Key=f"{member_id}/photo", Body=b"photo")

    assert guest.get_object(Bucket=world.bucket, Key="public/hello")["Body"].read() == b"hello"
    with refused(*DENIED):
        member.get_object(Bucket=world.bucket, Key="public/hello")
    with refused(*DENIED):
        guest.put_object(Bucket=world.bucket, Key=f"{member_id}/photo", Body=b"other")
    with refused(*DENIED):
        guest.get_object(Bucket=world.bucket, Key=f"{member_id}/photo")


def test_a_member_writes_and_lists_under_the_own_identity_only(world: World, cloud: Cloud) -> None:
    people = []
    for _ in range(2):
        logins = world.logins(world.person())
        identity_id = world.get_id(logins)
        people.append((identity_id, cloud.s3(*world.credentials(identity_id, logins))))
    (own_id, own), (stranger_id, stranger) = people

    for identity_id, s3 in people:
        s3.put_object(Bucket=world.bucket, Key=f"{identity_id}/photo", Body=identity_id.encode())

    assert [found["Key"] for found in own.list_objects_v2(Bucket=world.bucket, Prefix=f"{own_id}/")["Contents"]] == [
        f"{own_id}/photo"
    ]
    assert own.get_object(Bucket=world.bucket, Key=f"{own_id}/photo")["Body"].read() == own_id.encode()
    attempts: list[Callable[[], object]] = [
        lambda: own.put_object(Bucket=world.bucket, Key=f"{stranger_id}/photo", Body=b"mine now"),
        lambda: own.get_object(Bucket=world.bucket, Key=f"{stranger_id}/photo"),
        lambda: own.delete_object(Bucket=world.bucket, Key=f"{stranger_id}/photo"),
        lambda: own.list_objects_v2(Bucket=world.bucket, Prefix=f"{stranger_id}/"),
        lambda: own.list_objects_v2(Bucket=world.bucket),
    ]
    for attempt in attempts:
        with refused(*DENIED):
            attempt()
    assert stranger.get_object(Bucket=world.bucket, Key=f"{stranger_id}/photo")["Body"].read() == stranger_id.encode()


def test_the_classic_flow_reaches_the_sts_and_a_guest_does_not_become_a_member(world: World, cloud: Cloud) -> None:
    logins = world.logins(world.person())
    member = world.public.get_open_id_token(IdentityId=world.get_id(logins), Logins=logins)["Token"]
    guest = world.public.get_open_id_token(IdentityId=world.get_id())["Token"]

    assert assume(cloud, world.member_role, member)["Credentials"]["AccessKeyId"]
    assert assume(cloud, world.guest_role, guest)["Credentials"]["AccessKeyId"]
    with refused("AccessDenied"):
        assume(cloud, world.member_role, guest)
    with refused("AccessDenied"):
        assume(cloud, world.guest_role, member)


@pytest.mark.parametrize(
    "fault", ["forged", "expired", "foreign audience", "foreign issuer", "access token", "ID token"]
)
def test_the_sts_itself_refuses_a_token_that_is(fault: str, world: World, cloud: Cloud) -> None:
    good = signed(world)
    header, claims = jwt.decode(good, RSAKey.import_key(world.jwks()[0])).header, {"aud": world.pool}
    person = world.person()
    now = int(time())
    tokens = {
        "forged": lambda: jwt.encode(
            {"alg": "RS256", "kid": header["kid"]},
            {"iss": world.issuer, "sub": "x", **claims, "amr": ["authenticated"], "iat": now - 30, "exp": now + 600},
            RSAKey.generate_key(2048),
        ),
        "expired": lambda: signed(world, iat=now - 1200, exp=now - 2),
        "foreign audience": lambda: signed(world, aud=world.other_pool),
        "foreign issuer": lambda: signed(world, iss=f"{world.live.base_url}/{world.user_pool}"),
        "access token": lambda: person["AccessToken"],
        "ID token": lambda: person["IdToken"],
    }

    assert assume(cloud, world.member_role, good)["Credentials"]
    with refused("AccessDenied", "InvalidIdentityToken"):
        assume(cloud, world.member_role, tokens[fault]())


def test_credentials_for_another_pools_audience_are_a_wrong_configuration(world: World) -> None:
    world.use(world.other_pool)
    guest = world.public.get_id(IdentityPoolId=world.other_pool)["IdentityId"]

    assert world.credentials(world.get_id())
    with refused("InvalidIdentityPoolConfigurationException") as caught:
        world.public.get_credentials_for_identity(IdentityId=guest)
    assert caught.value.response["Error"]["Message"] == (
        "Invalid identity pool configuration. Check assigned IAM roles for this pool."
    )


@pytest.mark.parametrize("tagged", [False, True])
def test_tags_need_a_role_that_takes_them(tagged: bool, world: World, cloud: Cloud) -> None:
    pool = world.new_identity_pool()
    resources_trust(world, cloud, pool)
    logins = world.logins(world.person())
    identity_id = world.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    tags = {"who": "sub"} if tagged else {}
    world.identity.set_principal_tag_attribute_map(
        IdentityPoolId=pool, IdentityProviderName=world.provider, PrincipalTags=tags
    )
    refusal = "InvalidIdentityPoolConfigurationException"

    world.use(pool)
    assert world.credentials(identity_id, logins)
    world.use(pool, authenticated=world.untagged_role)
    if tagged:
        with refused(refusal):
            world.credentials(identity_id, logins)
    else:
        assert world.credentials(identity_id, logins)


def resources_trust(world: World, cloud: Cloud, pool: str) -> None:
    """Make the roles trust one more identity pool."""
    from identity.embedded.aws import resources

    resources.make_provider(cloud.iam, world.issuer, [pool], "a" * 40)
    for role, tags in ((world.member_role, True), (world.untagged_role, False)):
        trusted = resources.trust(world.issuer, [world.pool, pool], "authenticated", tags=tags)
        cloud.iam.update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=trusted)


def test_a_rule_by_tag_holds_in_the_cloud(world: World, cloud: Cloud) -> None:
    pool = world.new_identity_pool()
    resources_trust(world, cloud, pool)
    world.use(pool)
    tokens = world.person()
    logins = world.logins(tokens)
    world.identity.set_principal_tag_attribute_map(
        IdentityPoolId=pool, IdentityProviderName=world.provider, PrincipalTags={"home": "sub"}
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": f"arn:aws:s3:::{world.bucket}",
                "Condition": {"StringEquals": {"s3:prefix": "${aws:PrincipalTag/home}"}},
            }
        ],
    }
    from identity.embedded.aws import resources
    from identity.foundation.actor import Actor
    from pools.models import IdentityPool
    from pools.services.identity_pools import identity_pools

    role = resources.make_role(
        cloud.iam,
        f"Home{world.tag}",
        resources.trust(world.issuer, [pool], "authenticated"),
        json.dumps(policy, separators=(",", ":")),
    )
    world.use(pool, authenticated=role)
    with world.live.orm():
        identity_pools.set_session_policies(IdentityPool.objects.get(public_id=pool), by=Actor.system())
    sub = world.anyone.get_user(AccessToken=tokens["AccessToken"])["UserAttributes"]
    home = next(found["Value"] for found in sub if found["Name"] == "sub")
    identity_id = world.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    s3 = cloud.s3(*world.credentials(identity_id, logins))

    assert s3.list_objects_v2(Bucket=world.bucket, Prefix=home)["KeyCount"] == 0
    with refused(*DENIED):
        s3.list_objects_v2(Bucket=world.bucket, Prefix="")
