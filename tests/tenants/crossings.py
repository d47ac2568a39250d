"""For each operation of the wire API: what its legitimate caller sends, and what of another tenant may be put into it.

Without what is foreign the call succeeds, so that a refusal has no other reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyotp
import requests

from pools.cognito.contract import SERVICES
from pools.services.pools import signing_keys
from tests import providers
from tests.tenants.tenant import CALLBACK, FAMILY, OTHER_PASSWORD, PASSWORD, App, Tenant

Members = dict[str, Any]
OWN = "own"
"""No refusal: the call means the caller's own, as if the other tenant were not there."""
NOT_FOUND, NOT_AUTHORIZED = "ResourceNotFoundException", "NotAuthorizedException"
CERTIFICATE = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/one"}
NOBODY, INVALID = "UserNotFoundException", "InvalidParameterException"
_numbers = itertools.count(1)


@dataclass
class Case:
    """A call, and members that make it foreign, each with the refusal that they meet."""

    right: Members
    wrong: list[tuple[Members, str]] = field(default_factory=list)
    otherwise: str = ""
    """The refusal that the right call meets, where this installation cannot do what was asked."""


Maker = Callable[[Tenant, Tenant], list[Case]]
CROSSINGS: dict[str, Maker] = {}
BY_FUNCTION = {name.lower(): name for service in SERVICES.values() for name in service.operations}
# Operations that name one thing, or none: nothing foreign can be put in, and the operator's key is for all pools.
INSTALLATION_WIDE = {
    "AddCustomAttributes": "names a pool",
    "CreateIdentityPool": "makes; whose logins count is asked at GetId",
    "CreateUserPool": "makes",
    "DeleteIdentities": "names identities, of any identity pool",
    "DeleteIdentityPool": "names an identity pool",
    "DeleteUserPool": "names a pool",
    "DescribeIdentity": "names an identity",
    "DescribeIdentityPool": "names an identity pool",
    "DescribeUserPool": "names a pool",
    "DescribeUserPoolDomain": "names a domain",
    "GetIdentityPoolRoles": "names an identity pool",
    "GetPrincipalTagAttributeMap": "names an identity pool; any pool of the installation may be its provider",
    "GetSigningCertificate": "names a pool",
    "GetUserPoolMfaConfig": "names a pool",
    "ListTagsForResource": "names a pool, or an identity pool, by its ARN",
    "ListIdentityPools": "lists the installation",
    "ListUserPools": "lists the installation",
    "MergeDeveloperIdentities": "names an identity pool, and users by its own developers' ids",
    "SetIdentityPoolRoles": "names an identity pool; any pool of the installation may be its provider",
    "SetPrincipalTagAttributeMap": "names an identity pool; any pool of the installation may be its provider",
    "SetUserPoolMfaConfig": "names a pool",
    "TagResource": "names a pool, or an identity pool, by its ARN",
    "UntagResource": "names a pool, or an identity pool, by its ARN",
    "UpdateUserPool": "names a pool",
    "UpdateIdentityPool": "names an identity pool; any pool of the installation may be its provider",
}


def crossing(maker: Maker) -> Maker:
    """Keep a maker under the operation that it is named for, as the registries do."""
    CROSSINGS[BY_FUNCTION[maker.__name__.replace("_", "")]] = maker
    return maker


def new_name(of: Tenant) -> str:
    """Return a name that nobody has."""
    return f"new{next(_numbers)}-{of.word}"


# -- an access token is the whole of who calls


def by_token(mine: Tenant, theirs: Tenant, **members: Any) -> list[Case]:
    """Return a call by an access token. Foreign: a token that means somebody of theirs, with a signature of ours."""
    own, other = mine.tokens(mine.person())["AccessToken"], theirs.tokens()["AccessToken"]
    theirs_by_our_key = mine.forged(signing_keys.unverified_claims(other))
    said = signing_keys.unverified_claims(own)
    about = {name: signing_keys.unverified_claims(other)[name] for name in ("sub", "username", "origin_jti", "jti")}
    foreign: list[tuple[Members, str]] = [
        ({"AccessToken": theirs_by_our_key}, NOT_AUTHORIZED),
        ({"AccessToken": mine.forged({**said, **about})}, NOBODY),
        ({"AccessToken": mine.forged({**said, "origin_jti": about["origin_jti"]})}, NOT_AUTHORIZED),
        ({"AccessToken": mine.forged({**said, "client_id": theirs.public.id})}, NOT_AUTHORIZED),
        # Their head and body with the signature of a token of ours.
        ({"AccessToken": other.rpartition(".")[0] + "." + own.rpartition(".")[2]}, NOT_AUTHORIZED),
    ]
    return [Case({"AccessToken": own, **members}, foreign)]


ALONE = ("AssociateSoftwareToken", "DeleteUser", "GetUser", "GetUserAuthFactors", "GlobalSignOut")
CROSSINGS |= dict.fromkeys(ALONE, by_token)


@crossing
def update_user_attributes(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_token(mine, theirs, UserAttributes=[{"Name": "nickname", "Value": "Nick"}])


@crossing
def delete_user_attributes(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_token(mine, theirs, UserAttributeNames=["nickname"])


@crossing
def get_user_attribute_verification_code(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_token(mine, theirs, AttributeName="email")


@crossing
def verify_user_attribute(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = mine.person(), theirs.person()
    for each, person in ((mine, ours), (theirs, other)):
        token = each.tokens(person)["AccessToken"]
        each.wire.ask("GetUserAttributeVerificationCode", AccessToken=token, AttributeName="email")
    cases = by_token(mine, theirs, AttributeName="email", Code=mine.mailed(ours))
    cases[0].right["AccessToken"] = mine.tokens(ours)["AccessToken"]
    cases[0].wrong.append(({"Code": theirs.mailed(other)}, "CodeMismatchException"))
    return cases


@crossing
def set_user_settings(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_token(mine, theirs, MFAOptions=[])


@crossing
def change_password(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_token(mine, theirs, PreviousPassword=PASSWORD, ProposedPassword=OTHER_PASSWORD)


@crossing
def verify_software_token(mine: Tenant, theirs: Tenant) -> list[Case]:
    cases = by_token(mine, theirs)
    secret = mine.wire.ask("AssociateSoftwareToken", AccessToken=cases[0].right["AccessToken"])["SecretCode"]
    cases[0].right["UserCode"] = pyotp.TOTP(secret).now()
    return cases


@crossing
def set_user_mfa_preference(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_token(mine, theirs, SoftwareTokenMfaSettings={"Enabled": False})


# -- a client, and SECRET_HASH where it has a secret


def hashes(mine: Tenant, theirs: Tenant, name: str, member: str = "SecretHash") -> list[tuple[Members, str]]:
    """Return what of theirs may stand where our confidential client proves itself for a call about a name."""
    ours, other = mine.confidential, theirs.confidential
    return [
        ({member: other.proves(name)}, NOT_AUTHORIZED),
        ({member: other.proves(name, of=ours.id)}, NOT_AUTHORIZED),
        ({"ClientId": other.id}, NOT_AUTHORIZED),
        ({"ClientId": other.id, member: ours.proves(name, of=other.id)}, NOT_AUTHORIZED),
    ]


def proven(app: App, name: str) -> Members:
    """Return client, name and proof."""
    return {"ClientId": app.id, "Username": name, "SecretHash": app.proves(name)}


@crossing
def sign_up(mine: Tenant, theirs: Tenant) -> list[Case]:
    name = new_name(mine)
    namesake = (proven(mine.confidential, theirs.person().name), OWN)  # another person, of another pool
    right = {**proven(mine.confidential, name), "Password": PASSWORD}
    return [Case(right, [*hashes(mine, theirs, name), namesake])]


@crossing
def confirm_sign_up(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = mine.signing_up(), theirs.signing_up()
    code, foreign = mine.mailed(ours), theirs.mailed(other)
    wrong = [
        *hashes(mine, theirs, ours.name),
        ({"ConfirmationCode": foreign}, "CodeMismatchException"),
        ({**proven(mine.confidential, other.name), "ConfirmationCode": foreign}, "ExpiredCodeException"),
    ]
    return [Case({**proven(mine.confidential, ours.name), "ConfirmationCode": code}, wrong)]


@crossing
def resend_confirmation_code(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = mine.signing_up(), theirs.signing_up()
    wrong = [*hashes(mine, theirs, ours.name), (proven(mine.confidential, other.name), OWN)]
    return [Case(proven(mine.confidential, ours.name), wrong)]


@crossing
def forgot_password(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours = mine.person()
    wrong = [*hashes(mine, theirs, ours.name), (proven(mine.confidential, theirs.ann.name), OWN)]
    return [Case(proven(mine.confidential, ours.name), wrong)]


@crossing
def confirm_forgot_password(mine: Tenant, theirs: Tenant) -> list[Case]:
    (ours, code), (other, foreign) = mine.recovering(), theirs.recovering()
    wrong = [
        *hashes(mine, theirs, ours.name),
        ({"ConfirmationCode": foreign}, "CodeMismatchException"),
        ({**proven(mine.confidential, other.name), "ConfirmationCode": foreign}, "ExpiredCodeException"),
    ]
    right = {**proven(mine.confidential, ours.name), "ConfirmationCode": code, "Password": OTHER_PASSWORD}
    return [Case(right, wrong)]


# -- signing in


def password(app: App, name: str, *, by: App | None = None) -> Members:
    """Return the parameters of a sign-in by password."""
    proof = {"SECRET_HASH": (by or app).proves(name, of=app.id)} if app.secret else {}
    return {"USERNAME": name, "PASSWORD": PASSWORD, **proof}


@crossing
def initiate_auth(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other, name = mine.confidential, theirs.confidential, mine.ann.name
    by_password = Case(
        {"ClientId": ours.id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": password(ours, name)},
        [
            ({"AuthParameters": password(ours, theirs.ann.name)}, NOT_AUTHORIZED),
            ({"AuthParameters": password(ours, name, by=other)}, NOT_AUTHORIZED),
            ({"ClientId": other.id}, NOT_AUTHORIZED),
        ],
    )
    token, foreign = (
        {"REFRESH_TOKEN": each.tokens(each.ann, each.confidential)["RefreshToken"]} for each in (mine, theirs)
    )
    ours_proof, their_proof = ({"SECRET_HASH": each.confidential.proves(each.ann.name)} for each in (mine, theirs))
    by_token = Case(
        {"ClientId": ours.id, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {**token, **ours_proof}},
        [
            ({"AuthParameters": {**foreign, **ours_proof}}, NOT_AUTHORIZED),
            ({"AuthParameters": {**foreign, **their_proof}}, NOT_AUTHORIZED),
            ({"AuthParameters": {**token, **their_proof}}, NOT_AUTHORIZED),
            ({"ClientId": other.id}, NOT_AUTHORIZED),
            ({"ClientId": other.id, "AuthParameters": {**foreign, **ours_proof}}, NOT_AUTHORIZED),
        ],
    )
    return [by_password, by_token]


@crossing
def admin_initiate_auth(mine: Tenant, theirs: Tenant) -> list[Case]:
    right = {
        "UserPoolId": mine.pool_id,
        "ClientId": mine.public.id,
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": password(mine.public, mine.ann.name),
    }
    foreign = theirs.tokens()["RefreshToken"]
    wrong: list[tuple[Members, str]] = [
        ({"ClientId": theirs.public.id}, NOT_FOUND),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
        ({"AuthParameters": password(mine.public, theirs.ann.name)}, NOT_AUTHORIZED),
        ({"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": foreign}}, NOT_AUTHORIZED),
    ]
    return [Case(right, wrong)]


@crossing
def respond_to_auth_challenge(mine: Tenant, theirs: Tenant) -> list[Case]:
    (ours, session, code), (other, foreign, their_code) = mine.challenged(), theirs.challenged()

    def answers(name: str, with_code: str) -> Members:
        return {"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": with_code}

    right = {"ClientId": mine.public.id, "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": session}
    wrong: list[tuple[Members, str]] = [
        ({"Session": foreign}, NOT_AUTHORIZED),
        ({"Session": foreign, "ChallengeResponses": answers(other.name, their_code)}, NOT_AUTHORIZED),
        ({"ClientId": theirs.public.id}, NOT_AUTHORIZED),
        ({"ClientId": theirs.public.id, "ChallengeResponses": answers(other.name, their_code)}, NOT_AUTHORIZED),
    ]
    return [Case({**right, "ChallengeResponses": answers(ours.name, code)}, wrong)]


@crossing
def admin_respond_to_auth_challenge(mine: Tenant, theirs: Tenant) -> list[Case]:
    found = []
    for case in respond_to_auth_challenge(mine, theirs):
        own_pool = [({**foreign, "UserPoolId": mine.pool_id}, NOT_FOUND) for foreign, _ in case.wrong[2:]]
        wrong = [*case.wrong[:2], *own_pool, ({"UserPoolId": theirs.pool_id}, NOT_FOUND)]
        whole = ({"UserPoolId": theirs.pool_id, "ClientId": theirs.public.id}, NOT_AUTHORIZED)
        found.append(Case({**case.right, "UserPoolId": mine.pool_id}, [*wrong, whole]))
    return found


@crossing
def get_tokens_from_refresh_token(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = mine.confidential, theirs.confidential
    token, foreign = (each.tokens(each.ann, each.confidential)["RefreshToken"] for each in (mine, theirs))
    wrong: list[tuple[Members, str]] = [
        ({"RefreshToken": foreign}, NOT_AUTHORIZED),
        ({"ClientSecret": other.secret}, NOT_AUTHORIZED),
        ({"ClientId": other.id}, NOT_AUTHORIZED),
        ({"ClientId": other.id, "ClientSecret": other.secret}, NOT_AUTHORIZED),
    ]
    return [Case({"ClientId": ours.id, "ClientSecret": ours.secret, "RefreshToken": token}, wrong)]


@crossing
def revoke_token(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = mine.confidential, theirs.confidential
    token, foreign = (each.tokens(each.ann, each.confidential)["RefreshToken"] for each in (mine, theirs))
    wrong: list[tuple[Members, str]] = [
        ({"Token": foreign}, OWN),  # unknown here, and so revoked already
        ({"ClientSecret": other.secret}, "UnauthorizedException"),
        ({"ClientId": other.id, "Token": foreign}, "UnauthorizedException"),
    ]
    return [Case({"ClientId": ours.id, "ClientSecret": ours.secret, "Token": token}, wrong)]


# -- an operator, who may touch every pool: foreign is what is of another pool than the one named


def by_operator(mine: Tenant, theirs: Tenant, name: str, foreign: str, sub: str, **members: Any) -> list[Case]:
    """Return a call about a user of a pool."""
    wrong: list[tuple[Members, str]] = [
        ({"Username": foreign}, NOBODY),
        ({"Username": sub}, NOBODY),
        ({"UserPoolId": theirs.pool_id}, NOBODY),
    ]
    return [Case({"UserPoolId": mine.pool_id, "Username": name, **members}, wrong)]


@crossing
def admin_get_user(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_operator(mine, theirs, mine.ann.name, theirs.ann.name, theirs.ann.sub)


@crossing
def admin_set_user_password(mine: Tenant, theirs: Tenant) -> list[Case]:
    name = mine.person().name
    return by_operator(mine, theirs, name, theirs.ann.name, theirs.ann.sub, Password=OTHER_PASSWORD, Permanent=True)


def by_operator_of_anyone(mine: Tenant, theirs: Tenant, **members: Any) -> list[Case]:
    """Return a call about somebody of whom nothing else is asked."""
    return by_operator(mine, theirs, mine.person().name, theirs.ann.name, theirs.ann.sub, **members)


OF_ANYONE = (
    "AdminDeleteSoftwareToken",
    "AdminDeleteUser",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminGetUserAuthFactors",
    "AdminResetUserPassword",
    "AdminUserGlobalSignOut",
)
CROSSINGS |= dict.fromkeys(OF_ANYONE, by_operator_of_anyone)


@crossing
def admin_update_user_attributes(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_operator_of_anyone(mine, theirs, UserAttributes=[{"Name": "nickname", "Value": "Nick"}])


@crossing
def admin_delete_user_attributes(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_operator_of_anyone(mine, theirs, UserAttributeNames=["nickname"])


@crossing
def admin_set_user_mfa_preference(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_operator_of_anyone(mine, theirs, SoftwareTokenMfaSettings={"Enabled": False})


@crossing
def admin_set_user_settings(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_operator_of_anyone(mine, theirs, MFAOptions=[])


@crossing
def admin_confirm_sign_up(mine: Tenant, theirs: Tenant) -> list[Case]:
    other = theirs.signing_up()
    return by_operator(mine, theirs, mine.signing_up().name, other.name, other.sub)


@crossing
def admin_create_user(mine: Tenant, theirs: Tenant) -> list[Case]:
    right = {"UserPoolId": mine.pool_id, "Username": new_name(mine), "MessageAction": "SUPPRESS"}
    again = {"Username": theirs.person().name, "MessageAction": "RESEND"}
    return [Case(right, [({"Username": theirs.person().name}, OWN), (again, NOBODY)])]


@crossing
def list_users(mine: Tenant, theirs: Tenant) -> list[Case]:
    for each in (mine, theirs):
        each.person()
    family: Members = {"Limit": 1, "Filter": f'family_name = "{FAMILY}"'}
    token, foreign = (
        each.wire.ask("ListUsers", UserPoolId=each.pool_id, **family)["PaginationToken"] for each in (mine, theirs)
    )
    wrong: list[tuple[Members, str]] = [
        ({"PaginationToken": foreign}, INVALID),
        ({"PaginationToken": None, "Filter": f'email = "{theirs.ann.email}"'}, OWN),
        ({"PaginationToken": None, "Filter": f'sub = "{theirs.ann.sub}"'}, OWN),
    ]
    return [Case({"UserPoolId": mine.pool_id, **family, "PaginationToken": token}, wrong)]


@crossing
def create_user_pool_client(mine: Tenant, theirs: Tenant) -> list[Case]:
    oauth = {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "CallbackURLs": [CALLBACK],
        "SupportedIdentityProviders": ["COGNITO"],
    }
    right = {"UserPoolId": mine.pool_id, "ClientName": "more", "AllowedOAuthScopes": [mine.scope], **oauth}
    return [Case(right, [({"AllowedOAuthScopes": [theirs.scope]}, "ScopeDoesNotExistException")])]


@crossing
def describe_user_pool_client(mine: Tenant, theirs: Tenant) -> list[Case]:
    wrong: list[tuple[Members, str]] = [
        ({"ClientId": theirs.confidential.id}, NOT_FOUND),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
    ]
    return [Case({"UserPoolId": mine.pool_id, "ClientId": mine.confidential.id}, wrong)]


def new_app(of: Tenant, **settings: Any) -> Members:
    """Return a call about a client that nothing else hangs on."""
    made = of.wire.ask("CreateUserPoolClient", UserPoolId=of.pool_id, ClientName=f"more {of.word}", **settings)
    return {"UserPoolId": of.pool_id, "ClientId": made["UserPoolClient"]["ClientId"]}


def by_app(mine: Tenant, theirs: Tenant, **members: Any) -> list[Case]:
    """Return a call about a confidential client."""
    [case] = describe_user_pool_client(mine, theirs)
    return [Case({**case.right, **new_app(mine, GenerateSecret=True), **members}, case.wrong)]


CROSSINGS |= dict.fromkeys(("AddUserPoolClientSecret", "DeleteUserPoolClient", "ListUserPoolClientSecrets"), by_app)


@crossing
def update_user_pool_client(mine: Tenant, theirs: Tenant) -> list[Case]:
    [case] = by_app(mine, theirs, ClientName=f"other {mine.word}")
    oauth = {"AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": [theirs.scope]}
    return [Case(case.right, [*case.wrong, (oauth, "ScopeDoesNotExistException")])]


@crossing
def delete_user_pool_client_secret(mine: Tenant, theirs: Tenant) -> list[Case]:
    apps = [new_app(each, GenerateSecret=True) for each in (mine, theirs)]
    for each, about in zip((mine, theirs), apps, strict=True):
        each.wire.ask("AddUserPoolClientSecret", **about)
    own, foreign = (
        each.wire.ask("ListUserPoolClientSecrets", **about)["ClientSecrets"][0]["ClientSecretId"]
        for each, about in zip((mine, theirs), apps, strict=True)
    )
    wrong: list[tuple[Members, str]] = [
        ({"ClientSecretId": foreign}, NOT_FOUND),
        ({**apps[1], "UserPoolId": mine.pool_id, "ClientSecretId": foreign}, NOT_FOUND),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
    ]
    return [Case({**apps[0], "ClientSecretId": own}, wrong)]


@crossing
def list_user_pool_clients(mine: Tenant, theirs: Tenant) -> list[Case]:
    token, foreign = (
        each.wire.ask("ListUserPoolClients", UserPoolId=each.pool_id, MaxResults=1)["NextToken"]
        for each in (mine, theirs)
    )
    right = {"UserPoolId": mine.pool_id, "MaxResults": 1, "NextToken": token}
    return [Case(right, [({"NextToken": foreign}, INVALID)])]


@crossing
def create_resource_server(mine: Tenant, theirs: Tenant) -> list[Case]:
    other = f"both{next(_numbers)}"  # in lists of either it tells nobody of the other
    theirs.wire.ask("CreateResourceServer", UserPoolId=theirs.pool_id, Identifier=other, Name="API")
    right = {"UserPoolId": mine.pool_id, "Identifier": new_name(mine), "Name": "API"}
    return [Case(right, [({"Identifier": other}, OWN)])]


def by_resource_server(mine: Tenant, theirs: Tenant, **members: Any) -> list[Case]:
    """Return a call about the resource server of a pool."""
    (ours, _, _), (other, _, _) = (each.scope.partition("/") for each in (mine, theirs))
    wrong: list[tuple[Members, str]] = [({"Identifier": other}, NOT_FOUND), ({"UserPoolId": theirs.pool_id}, NOT_FOUND)]
    return [Case({"UserPoolId": mine.pool_id, "Identifier": ours, **members}, wrong)]


CROSSINGS["DescribeResourceServer"] = by_resource_server


@crossing
def update_resource_server(mine: Tenant, theirs: Tenant) -> list[Case]:
    scopes = [{"ScopeName": "read", "ScopeDescription": f"Read {mine.word}"}]
    return by_resource_server(mine, theirs, Name="API", Scopes=scopes)


@crossing
def delete_resource_server(mine: Tenant, theirs: Tenant) -> list[Case]:
    own = new_name(mine)
    mine.wire.ask("CreateResourceServer", UserPoolId=mine.pool_id, Identifier=own, Name="API")
    return by_resource_server(mine, theirs, Identifier=own)


@crossing
def list_resource_servers(mine: Tenant, theirs: Tenant) -> list[Case]:
    about: Members = {"MaxResults": 1}
    for each in (mine, theirs):
        each.wire.ask("CreateResourceServer", UserPoolId=each.pool_id, Identifier=new_name(each), Name="API")
    token, foreign = (
        each.wire.ask("ListResourceServers", UserPoolId=each.pool_id, **about)["NextToken"] for each in (mine, theirs)
    )
    return [Case({"UserPoolId": mine.pool_id, **about, "NextToken": token}, [({"NextToken": foreign}, INVALID)])]


# -- identity providers


def provider(of: Tenant, *identifiers: str) -> str:
    """Make an identity provider; return its name."""
    name = f"Idp{next(_numbers)}"  # nobody's name is in the other's
    given = providers.request("OIDC", ProviderName=name, IdpIdentifiers=list(identifiers))
    of.wire.ask("CreateIdentityProvider", UserPoolId=of.pool_id, **given)
    return name


@crossing
def create_identity_provider(mine: Tenant, theirs: Tenant) -> list[Case]:
    other = provider(theirs, f"{next(_numbers)}.example")
    right = {"UserPoolId": mine.pool_id, **providers.request("OIDC", ProviderName=f"Idp{next(_numbers)}")}
    return [Case(right, [({"ProviderName": other}, OWN)])]


def by_provider(mine: Tenant, theirs: Tenant) -> list[Case]:
    """Return a call about an identity provider of a pool."""
    wrong: list[tuple[Members, str]] = [
        ({"ProviderName": provider(theirs)}, NOT_FOUND),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
    ]
    return [Case({"UserPoolId": mine.pool_id, "ProviderName": provider(mine)}, wrong)]


OF_A_PROVIDER = ("DeleteIdentityProvider", "DescribeIdentityProvider", "UpdateIdentityProvider")
CROSSINGS |= dict.fromkeys(OF_A_PROVIDER, by_provider)


@crossing
def get_identity_provider_by_identifier(mine: Tenant, theirs: Tenant) -> list[Case]:
    own, foreign = (f"{next(_numbers)}.{each.word}.example" for each in (mine, theirs))
    provider(mine, own), provider(theirs, foreign)
    wrong: list[tuple[Members, str]] = [
        ({"IdpIdentifier": foreign}, NOT_FOUND),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
    ]
    return [Case({"UserPoolId": mine.pool_id, "IdpIdentifier": own}, wrong)]


@crossing
def list_identity_providers(mine: Tenant, theirs: Tenant) -> list[Case]:
    tokens = []
    for each in (mine, theirs):
        provider(each), provider(each)
        about = {"UserPoolId": each.pool_id, "MaxResults": 1}
        tokens.append(each.wire.ask("ListIdentityProviders", **about)["NextToken"])
    right = {"UserPoolId": mine.pool_id, "MaxResults": 1, "NextToken": tokens[0]}
    return [Case(right, [({"NextToken": tokens[1]}, INVALID)])]


def at_provider(name: str, value: str) -> Members:
    """Return somebody at a provider."""
    return {"ProviderName": name, "ProviderAttributeName": "Cognito_Subject", "ProviderAttributeValue": value}


@crossing
def admin_link_provider_for_user(mine: Tenant, theirs: Tenant) -> list[Case]:
    right = {
        "UserPoolId": mine.pool_id,
        "DestinationUser": at_provider("Cognito", mine.person().name),
        "SourceUser": at_provider(provider(mine), new_name(mine)),
    }
    wrong: list[tuple[Members, str]] = [
        ({"DestinationUser": at_provider("Cognito", theirs.ann.name)}, NOBODY),
        ({"DestinationUser": at_provider("Cognito", theirs.ann.sub)}, NOBODY),
        ({"SourceUser": at_provider(provider(theirs), "x")}, NOT_FOUND),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
    ]
    return [Case(right, wrong)]


@crossing
def admin_disable_provider_for_user(mine: Tenant, theirs: Tenant) -> list[Case]:
    logins = []
    for each in (mine, theirs):
        login = at_provider(provider(each), new_name(each))
        local = at_provider("Cognito", each.ann.name)
        each.wire.ask("AdminLinkProviderForUser", UserPoolId=each.pool_id, DestinationUser=local, SourceUser=login)
        logins.append(login)
    wrong: list[tuple[Members, str]] = [
        ({"User": logins[1]}, NOT_FOUND),
        ({"User": {**logins[1], "ProviderName": logins[0]["ProviderName"]}}, NOBODY),
        ({"User": at_provider("Cognito", theirs.ann.name)}, NOBODY),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
    ]
    return [Case({"UserPoolId": mine.pool_id, "User": logins[0]}, wrong)]


# -- users from a file


def import_job(of: Tenant, *, is_there: bool = False) -> Members:
    """Return what names a new job, with its file where it is to start."""
    role = "arn:aws:iam::111111111111:role/Logs"
    job = of.wire.ask("CreateUserImportJob", UserPoolId=of.pool_id, JobName="move", CloudWatchLogsRoleArn=role)
    if is_there:
        sent = requests.put(job["UserImportJob"]["PreSignedUrl"], data=b"name\n", timeout=30)
        assert sent.status_code == 200, sent.text
    return {"UserPoolId": of.pool_id, "JobId": job["UserImportJob"]["JobId"]}


@crossing
def get_csv_header(mine: Tenant, theirs: Tenant) -> list[Case]:
    return [Case({"UserPoolId": mine.pool_id})]


@crossing
def create_user_import_job(mine: Tenant, theirs: Tenant) -> list[Case]:
    role = "arn:aws:iam::111111111111:role/Logs"
    return [Case({"UserPoolId": mine.pool_id, "JobName": "move", "CloudWatchLogsRoleArn": role})]


@crossing
def describe_user_import_job(mine: Tenant, theirs: Tenant) -> list[Case]:
    return [Case(import_job(mine), [({"JobId": import_job(theirs)["JobId"]}, NOT_FOUND)])]


@crossing
def list_user_import_jobs(mine: Tenant, theirs: Tenant) -> list[Case]:
    for each in (mine, mine, theirs, theirs):
        import_job(each)
    token, foreign = (
        each.wire.ask("ListUserImportJobs", UserPoolId=each.pool_id, MaxResults=1)["PaginationToken"]
        for each in (mine, theirs)
    )
    right = {"UserPoolId": mine.pool_id, "MaxResults": 1, "PaginationToken": token}
    return [Case(right, [({"PaginationToken": foreign}, INVALID)])]


@crossing
def start_user_import_job(mine: Tenant, theirs: Tenant) -> list[Case]:
    wrong = {"JobId": import_job(theirs, is_there=True)["JobId"]}
    return [Case(import_job(mine, is_there=True), [(wrong, NOT_FOUND)])]


@crossing
def stop_user_import_job(mine: Tenant, theirs: Tenant) -> list[Case]:
    wrong = {"JobId": import_job(theirs)["JobId"]}
    return [Case(import_job(mine), [(wrong, NOT_FOUND)], otherwise="PreconditionNotMetException")]


# -- domains


def without_domain(of: Tenant) -> None:
    """Take the custom domain from a pool that has one."""
    told = of.wire.ask("DescribeUserPool", UserPoolId=of.pool_id)["UserPool"]
    if "CustomDomain" in told:
        of.wire.ask("DeleteUserPoolDomain", UserPoolId=of.pool_id, Domain=told["CustomDomain"])


@crossing
def create_user_pool_domain(mine: Tenant, theirs: Tenant) -> list[Case]:
    right = {"UserPoolId": mine.pool_id, "Domain": f"{new_name(mine)}.example", "CustomDomainConfig": CERTIFICATE}
    without_domain(mine)
    return [Case(right, [({"Domain": f"d-{theirs.word}", "CustomDomainConfig": None}, INVALID)])]


@crossing
def update_user_pool_domain(mine: Tenant, theirs: Tenant) -> list[Case]:
    wrong: list[tuple[Members, str]] = [
        ({"Domain": f"d-{theirs.word}"}, INVALID),
        ({"UserPoolId": theirs.pool_id}, INVALID),
    ]
    return [Case({"UserPoolId": mine.pool_id, "Domain": f"d-{mine.word}", "ManagedLoginVersion": 2}, wrong)]


@crossing
def delete_user_pool_domain(mine: Tenant, theirs: Tenant) -> list[Case]:
    about = {"UserPoolId": mine.pool_id}
    without_domain(mine)
    name = f"{new_name(mine)}.example"
    mine.wire.ask("CreateUserPoolDomain", **about, Domain=name, CustomDomainConfig=CERTIFICATE)
    wrong: list[tuple[Members, str]] = [
        ({"Domain": f"d-{theirs.word}"}, INVALID),
        ({"UserPoolId": theirs.pool_id}, INVALID),
    ]
    return [Case({**about, "Domain": name}, wrong)]


# -- groups


def by_group(mine: Tenant, theirs: Tenant, **members: Any) -> list[Case]:
    """Return a call about the group of a pool."""
    wrong: list[tuple[Members, str]] = [
        ({"GroupName": theirs.group}, NOT_FOUND),
        ({"UserPoolId": theirs.pool_id}, NOT_FOUND),
    ]
    return [Case({"UserPoolId": mine.pool_id, "GroupName": mine.group, **members}, wrong)]


CROSSINGS["GetGroup"] = by_group


@crossing
def create_group(mine: Tenant, theirs: Tenant) -> list[Case]:
    other = f"both{next(_numbers)}"  # in lists of either it tells nobody of the other
    theirs.wire.ask("CreateGroup", UserPoolId=theirs.pool_id, GroupName=other)
    return [Case({"UserPoolId": mine.pool_id, "GroupName": new_name(mine)}, [({"GroupName": other}, OWN)])]


@crossing
def update_group(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_group(mine, theirs, Description=f"Of {mine.word}")


@crossing
def delete_group(mine: Tenant, theirs: Tenant) -> list[Case]:
    own = new_name(mine)
    mine.wire.ask("CreateGroup", UserPoolId=mine.pool_id, GroupName=own)
    [case] = by_group(mine, theirs)
    return [Case({**case.right, "GroupName": own}, case.wrong)]


@crossing
def list_groups(mine: Tenant, theirs: Tenant) -> list[Case]:
    for each in (mine, theirs):
        each.wire.ask("CreateGroup", UserPoolId=each.pool_id, GroupName=new_name(each))
    token, foreign = (
        each.wire.ask("ListGroups", UserPoolId=each.pool_id, Limit=1)["NextToken"] for each in (mine, theirs)
    )
    return [Case({"UserPoolId": mine.pool_id, "Limit": 1, "NextToken": token}, [({"NextToken": foreign}, INVALID)])]


@crossing
def list_users_in_group(mine: Tenant, theirs: Tenant) -> list[Case]:
    tokens = []
    for each in (mine, theirs):
        about = {"UserPoolId": each.pool_id, "GroupName": each.group}
        each.wire.ask("AdminAddUserToGroup", **about, Username=each.person().name)
        tokens.append(each.wire.ask("ListUsersInGroup", **about, Limit=1)["NextToken"])
    [case] = by_group(mine, theirs, Limit=1, NextToken=tokens[0])
    return [Case(case.right, [*case.wrong, ({"NextToken": tokens[1]}, INVALID)])]


@crossing
def admin_add_user_to_group(mine: Tenant, theirs: Tenant) -> list[Case]:
    [case] = by_operator(mine, theirs, mine.person().name, theirs.ann.name, theirs.ann.sub, GroupName=mine.group)
    return [Case(case.right, [*case.wrong, ({"GroupName": theirs.group}, NOT_FOUND)])]


CROSSINGS["AdminRemoveUserFromGroup"] = admin_add_user_to_group


@crossing
def admin_list_groups_for_user(mine: Tenant, theirs: Tenant) -> list[Case]:
    tokens = []
    for each in (mine, theirs):
        name, own = new_name(each), {"UserPoolId": each.pool_id, "Username": each.ann.name}
        each.wire.ask("CreateGroup", UserPoolId=each.pool_id, GroupName=name)
        each.wire.ask("AdminAddUserToGroup", **own, GroupName=name)
        tokens.append(each.wire.ask("AdminListGroupsForUser", **own, Limit=1)["NextToken"])
    about: Members = {"Limit": 1, "NextToken": tokens[0]}
    [case] = by_operator(mine, theirs, mine.ann.name, theirs.ann.name, theirs.ann.sub, **about)
    return [Case(case.right, [*case.wrong, ({"NextToken": tokens[1]}, INVALID)])]


# -- identity pools


@crossing
def get_id(mine: Tenant, theirs: Tenant) -> list[Case]:
    (_, ours), (_, other) = mine.member(), theirs.member()
    token = next(iter(other.values()))
    wrong: list[tuple[Members, str]] = [
        ({"Logins": {mine.provider: token}}, NOT_AUTHORIZED),
        ({"Logins": other}, NOT_AUTHORIZED),
        ({"Logins": {**ours, **other}}, NOT_AUTHORIZED),
        ({"IdentityPoolId": theirs.identity_pool_id}, NOT_AUTHORIZED),
        (
            {"IdentityPoolId": theirs.identity_pool_id, "Logins": {theirs.provider: next(iter(ours.values()))}},
            NOT_AUTHORIZED,
        ),
    ]
    return [Case({"IdentityPoolId": mine.identity_pool_id, "Logins": ours}, wrong)]


def by_identity(mine: Tenant, theirs: Tenant, **more: Any) -> list[Case]:
    """Return a call for an identity, by its logins."""
    (identity, ours), (foreign, other) = mine.member(), theirs.member()
    ours_as_theirs = {theirs.provider: next(iter(ours.values()))}
    wrong: list[tuple[Members, str]] = [
        ({"IdentityId": foreign}, NOT_AUTHORIZED),
        ({"IdentityId": foreign, "Logins": ours_as_theirs}, NOT_AUTHORIZED),
        ({"IdentityId": foreign, "Logins": None}, NOT_AUTHORIZED),
        ({"IdentityId": theirs.guest()}, NOT_AUTHORIZED),
        ({"Logins": other}, NOT_AUTHORIZED),
        ({"Logins": {**ours, **other}}, NOT_AUTHORIZED),
        ({"Logins": {mine.provider: next(iter(other.values()))}}, NOT_AUTHORIZED),
    ]
    return [Case({"IdentityId": identity, "Logins": ours}, wrong, **more)]


@crossing
def get_open_id_token(mine: Tenant, theirs: Tenant) -> list[Case]:
    return by_identity(mine, theirs)


@crossing
def unlink_identity(mine: Tenant, theirs: Tenant) -> list[Case]:
    (case,) = by_identity(mine, theirs)
    case.right["LoginsToRemove"] = [theirs.provider]
    case.wrong = [(members, refusal) for members, refusal in case.wrong if members.get("Logins", {}) is not None]
    return [case]


@crossing
def list_identities(mine: Tenant, theirs: Tenant) -> list[Case]:
    for each in (mine, theirs):
        each.guest(), each.guest()
    token, foreign = (
        each.wire.ask("ListIdentities", IdentityPoolId=each.identity_pool_id, MaxResults=1)["NextToken"]
        for each in (mine, theirs)
    )
    right = {"IdentityPoolId": mine.identity_pool_id, "MaxResults": 1, "NextToken": token}
    return [Case(right, [({"NextToken": foreign}, INVALID)])]


def by_developers(mine: Tenant, theirs: Tenant) -> tuple[Members, Members]:
    """Have both name their developers' people alike; return what names ours, and the identity of theirs."""
    found = []
    for each in (mine, theirs):
        whole = each.wire.ask("DescribeIdentityPool", IdentityPoolId=each.identity_pool_id)
        each.wire.ask("UpdateIdentityPool", **{**whole, "DeveloperProviderName": "ours"})
        named = {"IdentityPoolId": each.identity_pool_id, "Logins": {"ours": each.ann.name}}
        found.append(each.wire.ask("GetOpenIdTokenForDeveloperIdentity", **named)["IdentityId"])
    ours, other = found
    return {"IdentityPoolId": mine.identity_pool_id, "IdentityId": ours}, {"IdentityId": other}


@crossing
def get_open_id_token_for_developer_identity(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = by_developers(mine, theirs)
    _, foreign = theirs.member()
    logins = {"ours": mine.ann.name}
    wrong: list[tuple[Members, str]] = [
        (other, NOT_FOUND),
        ({"Logins": {**logins, **foreign}}, NOT_AUTHORIZED),
        ({"IdentityPoolId": theirs.identity_pool_id}, NOT_FOUND),
    ]
    return [Case({**ours, "Logins": logins}, wrong)]


@crossing
def lookup_developer_identity(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = by_developers(mine, theirs)
    unknown = {"IdentityId": None, "DeveloperUserIdentifier": theirs.ann.name}
    return [Case(ours, [(other, NOT_FOUND), (unknown, NOT_FOUND)])]


@crossing
def unlink_developer_identity(mine: Tenant, theirs: Tenant) -> list[Case]:
    ours, other = by_developers(mine, theirs)
    right = {**ours, "DeveloperProviderName": "ours", "DeveloperUserIdentifier": mine.ann.name}
    wrong: list[tuple[Members, str]] = [
        (other, NOT_FOUND),
        ({"DeveloperUserIdentifier": theirs.ann.name}, NOT_FOUND),
        ({"IdentityPoolId": theirs.identity_pool_id}, NOT_FOUND),
    ]
    return [Case(right, wrong)]


@crossing
def get_credentials_for_identity(mine: Tenant, theirs: Tenant) -> list[Case]:
    # The identity pools here have no role, which is said to those only who may act as the identity.
    return by_identity(mine, theirs, otherwise="InvalidIdentityPoolConfigurationException")
