"""The gateway spoken to without a server, signed by a real key, over a database that is rolled back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from identity.foundation.call import Answer, Call

PASSWORD = "Correct-horse-7"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@dataclass
class Wire:
    """One who sends requests to the gateway."""

    key: tuple[str, str]

    def call(self, target: str, body: bytes, **headers: str) -> Call:
        """Return a signed request."""
        request = AWSRequest(
            "POST", "https://id.example/", data=body, headers={"X-Amz-Target": target, "Host": "id.example", **headers}
        )
        service = "cognito-identity" if target.startswith("AWSCognitoIdentityService.") else "cognito-idp"
        SigV4Auth(Credentials(*self.key), service, "us-east-1").add_auth(request)
        sent = {name.lower(): str(value) for name, value in request.headers.items()}
        return Call("POST", "/", "", sent, body, "10.0.0.1", "00000000-0000-0000-0000-000000000001")

    def raw(self, operation: str, body: bytes) -> Answer:
        """Send a body to an operation."""
        from pools.cognito.contract import SERVICES
        from pools.cognito.gateway import gateway

        target = next(prefix for prefix, service in SERVICES.items() if operation in service.operations)
        return gateway(self.call(f"{target}.{operation}", body))

    def ask(self, operation: str, **members: Any) -> dict[str, Any]:
        """Send a request that succeeds."""
        answer = self.raw(operation, json.dumps(members).encode())
        assert answer.status == 200, answer.body
        return dict(json.loads(answer.body or b"{}"))

    def refusal(self, operation: str, **members: Any) -> tuple[str, str]:
        """Send a request that is refused; return code and text."""
        answer = self.raw(operation, json.dumps(members).encode())
        assert answer.status == 400, answer.body
        error = json.loads(answer.body)
        return error["__type"], error["message"]


@pytest.fixture
def wire(db: None) -> Wire:
    """Return a sender with an operator's key."""
    from identity.foundation.actor import Actor
    from pools.services import configuration
    from pools.services.operators import operators

    del db
    configuration.cache.forget_everything()
    return Wire(operators.create_key(operators.create("ada", by=Actor.system()), by=Actor.system()))


@dataclass
class Place:
    """A pool, a client and a person in it."""

    wire: Wire
    pool: str
    client: str
    username: str
    tokens: dict[str, Any]


@pytest.fixture
def place(wire: Wire) -> Place:
    """Return a pool with a confirmed person who is signed in."""
    return make_place(wire)


def make_identity_pool(place: Place, provider: str, *, guests: bool) -> str:
    """Make an identity pool of the place's people, its user pool by that name; return its id."""
    made = place.wire.ask(
        "CreateIdentityPool",
        IdentityPoolName="test",
        AllowUnauthenticatedIdentities=guests,
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": place.client}],
    )
    return str(made["IdentityPoolId"])


def make_place(wire: Wire, name: str = "ana", **settings: Any) -> Place:
    """Make a pool with a confirmed person who is signed in."""
    pool = wire.ask("CreateUserPool", PoolName="test", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    made = wire.ask(
        "CreateUserPoolClient", UserPoolId=pool, ClientName="app", **{"ExplicitAuthFlows": FLOWS, **settings}
    )
    client = made["UserPoolClient"]["ClientId"]
    wire.ask(
        "AdminCreateUser",
        UserPoolId=pool,
        Username=name,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}],
    )
    wire.ask("AdminSetUserPassword", UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
    return Place(wire, pool, client, name, sign_in(wire, client, name)["AuthenticationResult"])


def sign_in(wire: Wire, client: str, name: str, password: str = PASSWORD) -> dict[str, Any]:
    """Sign someone in."""
    return wire.ask(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client,
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
