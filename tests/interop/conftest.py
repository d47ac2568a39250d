"""A real STS and S3 (Ceph's gateway), an identity pool whose members and guests have roles there, and Keycloak."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import secrets
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

from identity.embedded.aws import ceph as ceph_parts
from identity.embedded.aws import described, home, resources
from tests import servers
from tests.interop import keycloak
from tests.interop.keycloak import Keycloak
from tests.live import Live

PASSWORD = "Correct-horse-7"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


def client(service: str, endpoint: str, keys: tuple[str, ...] | None = None) -> Any:  # noqa: ANN401 - boto3's own
    """Return a boto3 client without retries; without keys, one that signs nothing."""
    signing = {} if keys else {"signature_version": botocore.UNSIGNED}
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        config=botocore.config.Config(
            retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=30, **signing
        ),
        **dict(zip(names, keys or (), strict=False)),
    )


def code(problem: ClientError) -> str:
    """Return an error's code; Ceph's STS and IAM leave out the envelope."""
    return resources.code(problem)


@contextmanager
def refused(*codes: str) -> Iterator[Any]:
    """Expect a refusal with one of these codes."""
    with pytest.raises(ClientError) as caught:
        yield caught
    assert code(caught.value) in codes, caught.value.response


@dataclass
class Cloud:
    """Ceph, and its administrator's clients."""

    endpoint: str
    keys: tuple[str, str]

    @property
    def iam(self) -> Any:  # noqa: ANN401 - boto3's own
        """Return IAM as the administrator."""
        return client("iam", self.endpoint, self.keys)

    @property
    def sts(self) -> Any:  # noqa: ANN401 - boto3's own
        """Return STS as anyone."""
        return client("sts", self.endpoint)

    def s3(self, *keys: str) -> Any:  # noqa: ANN401 - boto3's own
        """Return S3 by these keys, or as the administrator."""
        return client("s3", self.endpoint, keys or self.keys)


@pytest.fixture(scope="session")
def cloud() -> Cloud:
    """Start Ceph, which ends with this process."""
    if not ceph_parts.is_installed():
        pytest.skip(f"needs: {ceph_parts.NEEDS}")
    place = servers.slot() / servers.WORKER
    known = described(place, check=True)
    gateway = ceph_parts.Ceph(home(place), known["ports"], (known["access_key"], known["secret_key"]))
    for part in gateway.parts():
        servers.start_part(part, servers.slot())
    return Cloud(gateway.endpoint_url, gateway.keys)


@pytest.fixture(scope="session")
def keycloak_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """Run Keycloak, for whichever protocol it is spoken to by."""
    with keycloak.started(tmp_path_factory.mktemp("keycloak")) as found:
        yield found


class Shaper:
    """Starts the live web process again with other numbers of workers and threads."""

    def __init__(self, live: Live, cloud: Cloud) -> None:
        """Know how it was."""
        self.live = live
        self.part = live.parts["web"]
        self.settings = dict(live.settings)
        self.cloud = cloud

    def __call__(self, *, workers: int = 1, threads: int = 24) -> None:
        """Start it so."""
        command = list(self.part.command)
        command[command.index("--workers") + 1] = str(workers)
        command[command.index("--blocking-threads") + 1] = str(threads)
        self.live.parts["web"] = dataclasses.replace(self.part, command=tuple(command))
        self.live.settings |= {
            "STS_ENDPOINT_URL": self.cloud.endpoint,
            "WEB_WORKERS": str(workers),
            "WEB_THREADS": str(threads),
        }
        self.live.restart("web")

    def undo(self) -> None:
        """Start it as it was."""
        self.live.parts["web"] = self.part
        self.live.settings.clear()
        self.live.settings.update(self.settings)
        self.live.restart("web")


@pytest.fixture(scope="session")
def installation(live: Live, cloud: Cloud) -> Iterator[Live]:
    """Return the live installation with Ceph as its STS."""
    shaper = Shaper(live, cloud)
    shaper()
    yield live
    shaper.undo()


@pytest.fixture
def shape(installation: Live, cloud: Cloud) -> Iterator[Callable[..., None]]:
    """Return what starts the web process with other numbers; afterwards it is as it was."""
    shaper = Shaper(installation, cloud)
    yield shaper
    shaper.undo()


class World:
    """A user pool, a client, an identity pool, and roles and a bucket for them in the cloud."""

    def __init__(self, live: Live, cloud: Cloud) -> None:
        """Make all of it."""
        self.live, self.cloud = live, cloud
        self.idp, self.anyone = live.boto(), live.boto(signed=False)
        self.identity = live.boto("cognito-identity")
        self.public = live.boto("cognito-identity", signed=False)
        self.issuer = f"{live.base_url}/identity-pools"
        self.tag = secrets.token_hex(4)
        self.bucket = f"photos-{self.tag}"
        self.user_pool = self.idp.create_user_pool(PoolName="photos", AutoVerifiedAttributes=["email"])["UserPool"][
            "Id"
        ]
        self.client_id = self.new_client()
        self.provider = f"{live.base_url.partition('://')[2]}/{self.user_pool}"
        self.pool = self.new_identity_pool()
        self.other_pool = self.new_identity_pool()
        self.make_roles()
        self.use(self.pool)
        resources.make_bucket(cloud.s3(), self.bucket)
        cloud.s3().put_object(Bucket=self.bucket, Key=f"{resources.PUBLIC}/hello", Body=b"hello")

    def new_client(self) -> str:
        """Make an app client."""
        made = self.idp.create_user_pool_client(UserPoolId=self.user_pool, ClientName="app", ExplicitAuthFlows=FLOWS)
        return str(made["UserPoolClient"]["ClientId"])

    def new_identity_pool(self) -> str:
        """Make an identity pool with guests and the classic flow."""
        made = self.identity.create_identity_pool(
            IdentityPoolName="photos",
            AllowUnauthenticatedIdentities=True,
            AllowClassicFlow=True,
            CognitoIdentityProviders=[{"ProviderName": self.provider, "ClientId": self.client_id}],
        )
        return str(made["IdentityPoolId"])

    def make_roles(self) -> None:
        """Make the cloud trust the issuer for the first pool, and roles of which the last takes no tags."""
        keys = self.jwks()
        print_of_key = hashlib.sha1(base64.b64decode(keys[0]["x5c"][0])).hexdigest()
        resources.make_provider(self.cloud.iam, self.issuer, [self.pool], print_of_key)
        member, guest = resources.member_policy(self.bucket), resources.guest_policy(self.bucket)

        def role(name: str, method: str, policy: str, *, tags: bool = True) -> str:
            trusted = resources.trust(self.issuer, [self.pool], method, tags=tags)
            return resources.make_role(self.cloud.iam, f"{name}{self.tag}", trusted, policy)

        self.member_role = role("Member", "authenticated", member)
        self.guest_role = role("Guest", "unauthenticated", guest)
        self.untagged_role = role("Untagged", "authenticated", member, tags=False)

    def use(self, pool: str, **roles: str) -> None:
        """Set an identity pool's roles and what confines its members."""
        wanted = {"authenticated": self.member_role, "unauthenticated": self.guest_role, **roles}
        self.identity.set_identity_pool_roles(IdentityPoolId=pool, Roles=wanted)
        from identity.foundation.actor import Actor
        from pools.models import IdentityPool
        from pools.services import configuration
        from pools.services.identity_pools import identity_pools

        with self.live.orm():
            configuration.cache.forget_everything()
            row = IdentityPool.objects.get(public_id=pool)
            policy = resources.session_policy(self.bucket)
            identity_pools.set_session_policies(row, member=policy, by=Actor.system())
            configuration.cache.forget_everything()

    def jwks(self) -> list[dict[str, Any]]:
        """Return the identity pools' published keys."""
        with urllib.request.urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=10) as answer:
            where = json.load(answer)["jwks_uri"]
        with urllib.request.urlopen(where, timeout=10) as answer:
            keys: list[dict[str, Any]] = json.load(answer)["keys"]
        return keys

    def person(self) -> dict[str, str]:
        """Make a confirmed person, and return the tokens of a sign-in."""
        name = f"person-{secrets.token_hex(4)}"
        self.idp.admin_create_user(
            UserPoolId=self.user_pool,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": f"{name}@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        self.idp.admin_set_user_password(UserPoolId=self.user_pool, Username=name, Password=PASSWORD, Permanent=True)
        return self.sign_in(name)

    def sign_in(self, name: str) -> dict[str, str]:
        """Sign a person in by password; return the tokens."""
        signed_in = self.anyone.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        tokens: dict[str, str] = signed_in["AuthenticationResult"]
        return tokens

    def logins(self, tokens: dict[str, str]) -> dict[str, str]:
        """Return the Logins map of a signed-in person."""
        return {self.provider: tokens["IdToken"]}

    def get_id(self, logins: dict[str, str] | None = None) -> str:
        """Return the identity of these logins; a guest's without."""
        return str(self.public.get_id(IdentityPoolId=self.pool, **({"Logins": logins} if logins else {}))["IdentityId"])

    def credentials(self, identity_id: str, logins: dict[str, str] | None = None) -> tuple[str, str, str]:
        """Return an identity's temporary keys."""
        given = {"Logins": logins} if logins else {}
        found = self.public.get_credentials_for_identity(IdentityId=identity_id, **given)["Credentials"]
        return found["AccessKeyId"], found["SecretKey"], found["SessionToken"]


@pytest.fixture(scope="session")
def world(installation: Live, cloud: Cloud) -> World:
    """Return pools, roles and a bucket."""
    return World(installation, cloud)
