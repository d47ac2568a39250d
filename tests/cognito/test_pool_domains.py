"""Domains of pools through boto3: made, told, changed, deleted; what answers there, and what is printed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.cognito.conftest import World, refused

INVALID = "InvalidParameterException"
NONE = "No such domain or user pool exists."
NOT_OF_ACM = (
    "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid "
    "certificate chain."
)
LONG = (
    f"1 validation error detected: Value '{'x' * 64}' at 'domain' failed to satisfy constraint: "
    "Member must have length less than or equal to 63"
)
CERTIFICATE = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/one"}
OTHER = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/two", "SecurityPolicy": "TLS_V1_2_2021"}
DISCOVERY = "/.well-known/openid-configuration"


def fresh() -> str:
    """Return a name that nobody has."""
    return f"d{secrets.token_hex(6)}"


def make(world: World, name: str, **given: Any) -> dict[str, Any]:
    """Make a domain."""
    found: dict[str, Any] = world.idp.create_user_pool_domain(UserPoolId=world.pool_id, Domain=name, **given)
    del found["ResponseMetadata"]
    return found


def told(world: World, name: str) -> dict[str, Any]:
    """Return a domain as it is told."""
    found: dict[str, Any] = world.idp.describe_user_pool_domain(Domain=name)["DomainDescription"]
    return found


def at(world: World, host: str) -> requests.Response:
    """Ask for the discovery document at a host."""
    return requests.get(f"{world.live.base_url}{DISCOVERY}", headers={"Host": f"{host}:{world.live.port}"}, timeout=30)


def test_a_prefix_is_made_told_changed_and_deleted(new_world: Callable[..., World]) -> None:
    world, prefix = new_world(), fresh()
    host = f"{prefix}.auth.localhost"
    assert at(world, host).status_code == 404

    assert make(world, prefix) == {"ManagedLoginVersion": 1}

    found = told(world, prefix)
    assert {name: value for name, value in found.items() if name not in ("Version", "CloudFrontDistribution")} == {
        "UserPoolId": world.pool_id,
        "AWSAccountId": "000000000000",
        "Domain": prefix,
        "Status": "ACTIVE",
        "ManagedLoginVersion": 1,
    }
    assert world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]["Domain"] == prefix
    issuer = f"{world.live.base_url}/{world.pool_id}"
    document = at(world, host).json()
    assert (document["issuer"], document["token_endpoint"]) == (issuer, f"{issuer}/oauth2/token")
    changed = world.idp.update_user_pool_domain(UserPoolId=world.pool_id, Domain=prefix, ManagedLoginVersion=2)
    assert changed["ManagedLoginVersion"] == 2
    assert told(world, prefix) == {**found, "ManagedLoginVersion": 2}

    world.idp.delete_user_pool_domain(UserPoolId=world.pool_id, Domain=prefix)

    assert told(world, prefix) == {}
    assert at(world, host).status_code == 404
    assert "Domain" not in world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
    for ask in (world.idp.update_user_pool_domain, world.idp.delete_user_pool_domain):
        with refused(INVALID, NONE):
            ask(UserPoolId=world.pool_id, Domain=prefix)


def test_a_custom_domain_answers_and_is_what_discovery_and_mail_name(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_LINK"}})
    host = f"{fresh()}.example"
    oauth = {"AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"], "AllowedOAuthFlowsUserPoolClient": True}
    client = world.new_client(**oauth, CallbackURLs=["https://app.example/cb"])
    issuer = f"{world.live.base_url}/{world.pool_id}"
    assert requests.get(issuer + DISCOVERY, timeout=30).json()["authorization_endpoint"].startswith(issuer)

    made = make(world, host, CustomDomainConfig=CERTIFICATE)

    assert made == {"ManagedLoginVersion": 1, "CloudFrontDomain": "localhost"}
    assert told(world, host)["CustomDomainConfig"] == CERTIFICATE
    assert world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]["CustomDomain"] == host
    pages = f"http://{host}:{world.live.port}"
    for document in (at(world, host).json(), requests.get(issuer + DISCOVERY, timeout=30).json()):
        assert (document["issuer"], document["jwks_uri"]) == (issuer, f"{issuer}/.well-known/jwks.json")
        assert document["authorization_endpoint"] == f"{pages}/oauth2/authorize"
        assert document["end_session_endpoint"] == f"{pages}/logout"
    name = fresh()
    given = [{"Name": "email", "Value": f"{name}@example.com"}]
    world.anyone.sign_up(ClientId=client["ClientId"], Username=name, Password="Correct-horse-7", UserAttributes=given)
    assert f"{pages}/confirmUser?" in world.live.message(f"{name}@example.com")["body"]
    changed = world.idp.update_user_pool_domain(UserPoolId=world.pool_id, Domain=host, CustomDomainConfig=OTHER)
    assert changed["CloudFrontDomain"] == "localhost"
    assert told(world, host)["CustomDomainConfig"] == OTHER

    world.idp.delete_user_pool_domain(UserPoolId=world.pool_id, Domain=host)

    assert at(world, host).status_code == 404
    assert requests.get(issuer + DISCOVERY, timeout=30).json()["authorization_endpoint"].startswith(issuer)


@pytest.mark.parametrize("given", [{}, {"CustomDomainConfig": CERTIFICATE}], ids=["prefix", "custom"])
def test_a_pool_with_a_domain_cannot_be_deleted(given: dict[str, Any], new_world: Callable[..., World]) -> None:
    world = new_world()
    name = f"{fresh()}.example" if given else fresh()
    make(world, name, **given)

    with refused(INVALID, "User pool cannot be deleted. It has a domain configured that should be deleted first."):
        world.idp.delete_user_pool(UserPoolId=world.pool_id)
    assert told(world, name)["UserPoolId"] == world.pool_id
    world.idp.delete_user_pool_domain(UserPoolId=world.pool_id, Domain=name)
    world.idp.delete_user_pool(UserPoolId=world.pool_id)

    with refused("ResourceNotFoundException", f"User pool {world.pool_id} does not exist."):
        world.idp.describe_user_pool(UserPoolId=world.pool_id)


def test_a_name_is_taken_once_and_a_pool_has_one_of_each(new_world: Callable[..., World]) -> None:
    world, other = new_world(), new_world()
    prefix, host = fresh(), f"{fresh()}.example"
    make(world, prefix)
    make(world, host, CustomDomainConfig=CERTIFICATE)

    for name, given in ((prefix, {}), (host, {"CustomDomainConfig": CERTIFICATE})):
        with refused(INVALID, "Domain already associated with another user pool."):
            make(other, name, **given)
        with refused(INVALID, "User pool already has a domain configured."):
            make(world, f"x{name}", **given)
        with refused(INVALID, NONE):
            other.idp.update_user_pool_domain(UserPoolId=other.pool_id, Domain=name)
        with refused(INVALID, NONE):
            other.idp.delete_user_pool_domain(UserPoolId=other.pool_id, Domain=name)

    world.idp.delete_user_pool_domain(UserPoolId=world.pool_id, Domain=prefix)
    make(other, prefix)
    assert told(other, prefix)["UserPoolId"] == other.pool_id


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("my-aws", {}, "Domain cannot contain reserved word: aws"),
        ("amazonian", {}, "Domain cannot contain reserved word: amazon"),
        ("cognito", {}, "Domain cannot contain reserved word: cognito"),
        ("-a", {}, None),
        ("A", {}, None),
        ("a" * 64, {}, None),
        ("a.example", {}, None),
        ("photos", {"CustomDomainConfig": CERTIFICATE}, "Custom domain is not a valid subdomain"),
        ("a.example", {"CustomDomainConfig": {"CertificateArn": "arn:aws:s3:us-east-1:000000000000:x/y"}}, NOT_OF_ACM),
        ("x" * 64, {}, LONG),
        ("a..example", {"CustomDomainConfig": CERTIFICATE}, None),
        ("a.127", {"CustomDomainConfig": CERTIFICATE}, None),
        ("localhost", {"CustomDomainConfig": CERTIFICATE}, None),
        ("a.auth.localhost", {"CustomDomainConfig": CERTIFICATE}, "This is an address of the installation."),
        ("a.example", {"CustomDomainConfig": {}}, None),
        ("a.example", {"CustomDomainConfig": {"CertificateArn": "x" * 20}}, None),
        ("photos", {"ManagedLoginVersion": 3}, "ManagedLoginVersion is 1 or 2."),
        (
            "photos",
            {"Routing": {"Failover": {"SecondaryRegion": "us-east-2", "PrimaryRoute53HealthCheckId": "x"}}},
            "Routing cannot be set: an installation has no replicas in other regions. Leave it out.",
        ),
    ],
)
def test_what_is_no_domain_is_refused(world: World, name: str, given: dict[str, Any], text: str | None) -> None:
    with refused(INVALID, text):
        make(world, name, **given)

    assert "Domain" not in world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]


def test_a_prefix_takes_no_certificate(new_world: Callable[..., World]) -> None:
    world, prefix = new_world(), fresh()
    make(world, prefix)
    before = told(world, prefix)

    with refused(INVALID, "A prefix domain takes no certificate."):
        world.idp.update_user_pool_domain(UserPoolId=world.pool_id, Domain=prefix, CustomDomainConfig=CERTIFICATE)
    host = f"{fresh()}.example"
    make(world, host, CustomDomainConfig=CERTIFICATE)
    with refused(INVALID, "Cannot convert custom domain to prefix domain."):
        world.idp.update_user_pool_domain(UserPoolId=world.pool_id, Domain=host, ManagedLoginVersion=2)
    assert told(world, host)["ManagedLoginVersion"] == 1

    assert told(world, prefix) == before
