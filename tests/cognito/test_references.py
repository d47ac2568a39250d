"""What one resource names of another is checked when it is written, and may be deleted later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from identity.foundation import names
from pools.cognito import contract, operations
from tests import providers
from tests.cognito.conftest import PASSWORD, World, refused
from tests.live import Live

assert operations  # which registers the handlers
ROLE = "arn:aws:iam:::role/Member"
CODE = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid"],
    "CallbackURLs": ["https://app.example/back"],
}
INVALID = "InvalidParameterException"
NO_PROVIDER = "Invalid Cognito Identity Provider"
MADE = "Invalid {} attributes specified while creating a client"
CHANGED = "Invalid {} attributes specified while updating a client"


class Referred:
    """A pool whose client an identity pool names, with a second client that it does not."""

    def __init__(self, live: Live) -> None:
        """Make them, and another pool with a client of its own."""
        self.world, self.other = World(live), World(live)
        self.identity, self.public = live.boto("cognito-identity"), live.boto("cognito-identity", signed=False)
        self.provider = f"cognito-idp.us-east-1.amazonaws.com/{self.world.pool_id}"
        self.unnamed: str = self.world.new_client()["ClientId"]
        made = self.create(self.provider, self.world.client_id)
        self.identity_pool: str = made["IdentityPoolId"]

    def create(self, provider: str, client: str) -> dict[str, Any]:
        """Make an identity pool that names a provider."""
        found: dict[str, Any] = self.identity.create_identity_pool(
            IdentityPoolName="p",
            AllowUnauthenticatedIdentities=True,
            AllowClassicFlow=True,
            DeveloperProviderName="ours",
            CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": client}],
        )
        return found

    def map_roles(self, key: str, role: str = ROLE) -> None:
        """Let a provider's tokens choose roles."""
        mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
        self.identity.set_identity_pool_roles(
            IdentityPoolId=self.identity_pool, Roles={"authenticated": role}, RoleMappings={key: mapping}
        )

    def tag(self, provider: str) -> dict[str, Any]:
        """Have a provider's claims become tags."""
        found: dict[str, Any] = self.identity.set_principal_tag_attribute_map(
            IdentityPoolId=self.identity_pool, IdentityProviderName=provider, UseDefaults=True
        )
        return found

    def roles(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Return what is set of roles."""
        found = self.identity.get_identity_pool_roles(IdentityPoolId=self.identity_pool)
        return found["Roles"], found["RoleMappings"]


@pytest.fixture(scope="module")
def referred(live: Live) -> Referred:
    """Return the resources that name one another."""
    return Referred(live)


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"AllowedOAuthScopes": ["none/read"]}, "ScopeDoesNotExistException", "Invalid scope requested: none/read"),
        (
            {"SupportedIdentityProviders": ["COGNITO", "Corp"]},
            INVALID,
            "The provider Corp does not exist for User Pool {pool}.",
        ),
        (
            {"DefaultRedirectURI": "https://app.example/"},
            INVALID,
            "The default redirect URI https://app.example/ is not in the callback URIs list.",
        ),
        ({"ReadAttributes": ["name", "custom:none"]}, INVALID, MADE.format("read")),
        ({"WriteAttributes": ["name", "custom:none"]}, INVALID, MADE.format("write")),
        ({"WriteAttributes": ["name", "email_verified"]}, INVALID, MADE.format("write")),
    ],
)
def test_a_client_names_what_its_pool_has(referred: Referred, given: dict[str, Any], code: str, text: str) -> None:
    world = referred.world
    before = world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=60)["UserPoolClients"]

    with refused(code, text.format(pool=world.pool_id)):
        world.new_client(**{**CODE, **given})

    assert world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=60)["UserPoolClients"] == before


def test_an_identity_pool_names_clients_that_are_there(referred: Referred) -> None:
    world, other = referred.world, referred.other
    gone = "cognito-idp.us-east-1.amazonaws.com/us-east-1_nobody123"

    for provider, client in (
        (gone, world.client_id),
        (referred.provider, "nosuchclient"),
        (referred.provider, other.client_id),
        ("cognito-idp.eu-west-9.amazonaws.com/eu-west-9_abcdefghi", world.client_id),
    ):
        with refused(INVALID, NO_PROVIDER):
            referred.create(provider, client)

    assert referred.create(referred.provider, referred.unnamed)


def test_a_role_mapping_names_a_provider_of_its_identity_pool(referred: Referred) -> None:
    other = f"cognito-idp.us-east-1.amazonaws.com/{referred.other.pool_id}"
    good = f"{referred.provider}:{referred.world.client_id}"
    referred.map_roles(good)
    before = referred.roles()

    for key in (
        f"{other}:{referred.other.client_id}",
        other,
        f"{referred.provider}:{referred.unnamed}",
        f"{referred.provider}:{referred.other.client_id}",
        "accounts.google.com",
        f"https://{referred.provider}",
    ):
        with refused(INVALID, f"({key}) is not a valid RoleMapping ProviderName or is not a configured provider."):
            referred.map_roles(key)
    with refused(INVALID):
        referred.map_roles(good, "not a role, but long enough")

    assert referred.roles() == before
    referred.map_roles(referred.provider)


def test_tags_are_of_a_provider_of_their_identity_pool(referred: Referred) -> None:
    other = f"cognito-idp.us-east-1.amazonaws.com/{referred.other.pool_id}"
    for name in (
        other,
        "cognito-idp.us-east-1.amazonaws.com/us-east-1_nobody123",
        f"cognito-idp.eu-west-9.amazonaws.com/{referred.world.pool_id}",
        f"{referred.provider}:{referred.world.client_id}",
        f"https://{referred.provider}",
        "accounts.google.com",
        "arn:aws:iam::000000000000:saml-provider/Corp",
    ):
        with refused(INVALID, f"({name}) is not a valid IdentityProviderName or is not a configured provider."):
            referred.tag(name)
        about = {"IdentityPoolId": referred.identity_pool, "IdentityProviderName": name}
        assert referred.identity.get_principal_tag_attribute_map(**about)["PrincipalTags"] == {}

    issuer = f"{referred.world.live.base_url.partition('://')[2]}/{referred.world.pool_id}"
    assert referred.tag(referred.provider)["PrincipalTags"] == referred.tag(issuer)["PrincipalTags"] != {}


def test_what_was_named_may_be_deleted(live: Live) -> None:
    referred = Referred(live)
    world, name = referred.world, referred.world.person()
    key = f"{referred.provider}:{world.client_id}"
    referred.map_roles(key)
    logins = {referred.provider: world.tokens(name)["IdToken"]}
    member = referred.public.get_id(IdentityPoolId=referred.identity_pool, Logins=logins)["IdentityId"]
    world.idp.delete_user_pool(UserPoolId=world.pool_id)

    for ask, about in (
        (referred.public.get_id, {"IdentityPoolId": referred.identity_pool}),
        (referred.public.get_credentials_for_identity, {"IdentityId": member}),
    ):
        with refused("NotAuthorizedException", "Token is not from a supported provider of this identity pool."):
            ask(**about, Logins=logins)
    told = referred.identity.describe_identity_pool(IdentityPoolId=referred.identity_pool)
    assert told["CognitoIdentityProviders"][0]["ClientId"] == world.client_id
    assert referred.roles()[1].keys() == {key}
    referred.map_roles(key)
    referred.tag(referred.provider)
    with refused(INVALID, NO_PROVIDER):
        referred.create(referred.provider, world.client_id)


# -- every write that names something --------------------------------------------------------------------------------

NAMING = re.compile(
    r"""(Id|ID|Arn|ARN|Endpoint|Identity|Group|GroupName|ProviderName|ConfigurationSet(Name)?|DefaultRedirectURI|Claim
    |(ARNs|Scopes|Providers|(?<!User)Attributes|BeforeUpdate)\.\*|UserAttributes\.\*\.Name|(Logins|RoleMappings|AttributeMapping)\.{key}
    |SupportedLoginProviders\.{key}|Roles\.{}|PrincipalTags\.{})$""",
    re.VERBOSE,
)
"""How the path of a member ends that names something of another resource, or of a service beside this one."""
READS = (
    *(
        "Describe",
        "List",
        "AdminGet",
        "AdminList",
        "GetGroup",
        "GetUser",
        "GetIdentityPoolRoles",
        "GetIdentityProviderByIdentifier",
        "GetPrincipalTagAttributeMap",
        "GetCSVHeader",
    ),
)
NO_POOL, NO_CLIENT = "us-east-1_nobody123", "nosuchclientnosuchclient00"
NO_IDENTITY = "us-east-1:00000000-0000-4000-8000-000000000000"
NOT_FOUND, NOT_ALLOWED = "ResourceNotFoundException", "NotAuthorizedException"
NO_IDP = "Identity provider none does not exist."
NO_ARN = "arn:aws:lambda:us-east-1:000000000000:function:none"
NO_TOPIC = "arn:aws:sns:us-east-1:000000000000:none"
UNSUPPORTED = "Token is not from a supported provider of this identity pool."
ROLES = "arn:aws:iam::111111111111:role/Logs"
NOT_YET = "is not available in this release."
FAILOVER = {"SecondaryRegion": "us-east-2", "PrimaryRoute53HealthCheckId": "none"}
ABOUT_A_USER: dict[str, dict[str, Any]] = {
    "AdminDeleteSoftwareToken": {},
    "AdminDeleteUser": {},
    "AdminDeleteUserAttributes": {"UserAttributeNames": ["name"]},
    "AdminDisableUser": {},
    "AdminEnableUser": {},
    "AdminResetUserPassword": {},
    "AdminSetUserMFAPreference": {},
    "AdminSetUserSettings": {"MFAOptions": []},
    "AdminUpdateUserAttributes": {"UserAttributes": [{"Name": "name", "Value": "Jo"}]},
    "AdminUserGlobalSignOut": {},
}
"""Operations that name a pool and somebody of it, with what else they need."""

CHECKED: dict[str, tuple[Any, str, str]] = {
    "AddCustomAttributes.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AddUserPoolClientSecret.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AddUserPoolClientSecret.ClientId": ("{other_client}", NOT_FOUND, "{other_client}"),
    "AdminAddUserToGroup.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminAddUserToGroup.GroupName": ("none", NOT_FOUND, "Group not found."),
    "AdminConfirmSignUp.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminDisableProviderForUser.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminDisableProviderForUser.User.ProviderName": ("none", NOT_FOUND, NO_IDP),
    "AdminLinkProviderForUser.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminLinkProviderForUser.DestinationUser.ProviderName": ("none", "UserNotFoundException", "User does not exist."),
    "AdminLinkProviderForUser.SourceUser.ProviderName": ("none", NOT_FOUND, NO_IDP),
    "AdminCreateUser.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminCreateUser.UserAttributes.*.Name": ("custom:none", INVALID, "custom:none"),
    **{f"{operation}.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL) for operation in ABOUT_A_USER},
    "AdminInitiateAuth.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminInitiateAuth.ClientId": ("{other_client}", NOT_FOUND, "{other_client}"),
    "AdminRemoveUserFromGroup.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminRemoveUserFromGroup.GroupName": ("none", NOT_FOUND, "Group not found."),
    "AdminRespondToAuthChallenge.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminRespondToAuthChallenge.ClientId": ("{other_client}", NOT_FOUND, "{other_client}"),
    "AdminSetUserPassword.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "AdminUpdateUserAttributes.UserAttributes.*.Name": ("custom:none", INVALID, "custom:none"),
    "ConfirmForgotPassword.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "ConfirmSignUp.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "CreateGroup.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "CreateIdentityProvider.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "CreateIdentityProvider.AttributeMapping.{key}": ("custom:none", INVALID, "invalid mapping: [custom:none]"),
    "CreateResourceServer.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "CreateUserImportJob.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    **{
        f"{operation}.{member}": row
        for operation in ("CreateUserPool", "UpdateUserPool")
        for member, row in {
            "DcrConfiguration": ({"AllowedScopes": ["none/read"]}, INVALID, "Invalid scope requested: none/read"),
            "EmailConfiguration.SourceArn": (NO_ARN, INVALID, "SourceArn is not the ARN of an Amazon SES identity."),
            "KeyConfiguration.KmsKeyArn": (NO_ARN, INVALID, "Leave KmsKeyArn out"),
            "LambdaConfig": ({"PreSignUp": NO_TOPIC}, INVALID, f"{NO_TOPIC} is not the ARN of a Lambda function."),
            "SmsConfiguration": ({"SnsCallerArn": NO_ARN}, INVALID, "SnsCallerArn is not the ARN of an IAM role."),
            "SmsConfiguration.EumsSms": ({"CallerArn": NO_ARN}, INVALID, "CallerArn is not the ARN of an IAM role."),
            "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate.*": (
                "email",
                INVALID,
                "must exist in AutoVerifiedAttributes",
            ),
        }.items()
    },
    "CreateUserPoolClient.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "CreateUserPoolClient.ReadAttributes.*": ("custom:none", INVALID, MADE.format("read")),
    "CreateUserPoolClient.WriteAttributes.*": ("custom:none", INVALID, MADE.format("write")),
    "CreateUserPoolClient.SupportedIdentityProviders.*": ("Corp", INVALID, "The provider Corp does not exist"),
    "CreateUserPoolClient.DefaultRedirectURI": ("https://app.example/", INVALID, "is not in the callback URIs list."),
    "CreateUserPoolClient.AllowedOAuthScopes.*": ("none/read", "ScopeDoesNotExistException", "none/read"),
    "DeleteGroup.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "DeleteGroup.GroupName": ("none", NOT_FOUND, "Group not found."),
    "DeleteIdentityProvider.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "DeleteIdentityProvider.ProviderName": ("none", NOT_FOUND, NO_IDP),
    "DeleteResourceServer.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "CreateUserPoolDomain.Routing": ({"Failover": FAILOVER}, INVALID, "Routing cannot be set"),
    "CreateUserPoolDomain.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "DeleteUserPool.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "DeleteUserPoolClient.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "DeleteUserPoolClient.ClientId": ("{other_client}", NOT_FOUND, "{other_client}"),
    "DeleteUserPoolClientSecret.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "DeleteUserPoolClientSecret.ClientId": ("{other_client}", NOT_FOUND, "{other_client}"),
    "DeleteUserPoolClientSecret.ClientSecretId": ("none", NOT_FOUND, "The client secret does not exist."),
    "DeleteUserPoolDomain.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "ForgotPassword.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "GetSigningCertificate.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "GetTokensFromRefreshToken.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "InitiateAuth.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "ResendConfirmationCode.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "RespondToAuthChallenge.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "RevokeToken.ClientId": (NO_CLIENT, "UnauthorizedException", NO_CLIENT),
    "SetUserPoolMfaConfig.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "SetUserPoolMfaConfig.SmsMfaConfiguration": (
        {"SmsConfiguration": {"SnsCallerArn": NO_ARN}},
        INVALID,
        "SnsCallerArn is not the ARN of an IAM role.",
    ),
    "StartUserImportJob.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "StartUserImportJob.JobId": ("import-none", NOT_FOUND, "not found"),
    "StopUserImportJob.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "StopUserImportJob.JobId": ("import-none", NOT_FOUND, "not found"),
    "SignUp.ClientId": (NO_CLIENT, NOT_FOUND, NO_CLIENT),
    "SignUp.UserAttributes.*.Name": ("custom:none", INVALID, "custom:none"),
    "TagResource.ResourceArn": (names.pool_arn(NO_POOL), NOT_FOUND, NO_POOL),
    "UntagResource.ResourceArn": (names.pool_arn(NO_POOL), NOT_FOUND, NO_POOL),
    "UpdateUserPool.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "UpdateGroup.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "UpdateGroup.GroupName": ("none", NOT_FOUND, "Group not found."),
    "UpdateIdentityProvider.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "UpdateIdentityProvider.ProviderName": ("none", NOT_FOUND, NO_IDP),
    "UpdateIdentityProvider.AttributeMapping.{key}": ("custom:none", INVALID, "invalid mapping: [custom:none]"),
    "UpdateResourceServer.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "UpdateUserAttributes.UserAttributes.*.Name": ("custom:none", INVALID, "custom:none"),
    "UpdateUserPoolDomain.Routing": ({"Failover": FAILOVER}, INVALID, "Routing cannot be set"),
    "UpdateUserPoolDomain.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "UpdateUserPoolClient.UserPoolId": (NO_POOL, NOT_FOUND, NO_POOL),
    "UpdateUserPoolClient.ClientId": ("{other_client}", NOT_FOUND, "{other_client}"),
    "UpdateUserPoolClient.ReadAttributes.*": ("custom:none", INVALID, CHANGED.format("read")),
    "UpdateUserPoolClient.WriteAttributes.*": ("custom:none", INVALID, CHANGED.format("write")),
    "UpdateUserPoolClient.SupportedIdentityProviders.*": ("Corp", INVALID, "The provider Corp does not exist"),
    "UpdateUserPoolClient.DefaultRedirectURI": ("https://app.example/", INVALID, "is not in the callback URIs list."),
    "UpdateUserPoolClient.AllowedOAuthScopes.*": ("none/read", "ScopeDoesNotExistException", "none/read"),
    "CreateIdentityPool.CognitoIdentityProviders.*.ProviderName": (
        f"cognito-idp.us-east-1.amazonaws.com/{NO_POOL}",
        INVALID,
        NO_PROVIDER,
    ),
    "CreateIdentityPool.CognitoIdentityProviders.*.ClientId": ("{other_client}", INVALID, NO_PROVIDER),
    "CreateIdentityPool.OpenIdConnectProviderARNs.*": (NO_ARN, INVALID, "Invalid OpenId Connect Provider"),
    "CreateIdentityPool.SamlProviderARNs.*": (NO_ARN, INVALID, "Invalid SAML Provider"),
    "CreateIdentityPool.SupportedLoginProviders.{key}": ("none.example", INVALID, "none.example"),
    "GetCredentialsForIdentity.IdentityId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "GetCredentialsForIdentity.CustomRoleArn": (ROLE, INVALID, "CustomRoleArn"),
    "GetCredentialsForIdentity.Logins.{key}": ("none.example", NOT_ALLOWED, UNSUPPORTED),
    "GetId.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "GetId.Logins.{key}": ("none.example", NOT_ALLOWED, UNSUPPORTED),
    "GetOpenIdToken.IdentityId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "GetOpenIdToken.Logins.{key}": ("none.example", NOT_ALLOWED, UNSUPPORTED),
    "SetIdentityPoolRoles.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "SetIdentityPoolRoles.RoleMappings.{key}": ("accounts.google.com", INVALID, "is not a configured provider."),
    "SetPrincipalTagAttributeMap.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "SetPrincipalTagAttributeMap.IdentityProviderName": ("accounts.google.com", INVALID, "not a configured provider."),
    "GetOpenIdTokenForDeveloperIdentity.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "GetOpenIdTokenForDeveloperIdentity.IdentityId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "GetOpenIdTokenForDeveloperIdentity.Logins.{key}": ("none.example", INVALID, "developer provider"),
    "LookupDeveloperIdentity.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "LookupDeveloperIdentity.IdentityId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "MergeDeveloperIdentities.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "MergeDeveloperIdentities.DeveloperProviderName": ("none.example", INVALID, "none.example"),
    "UnlinkDeveloperIdentity.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "UnlinkDeveloperIdentity.IdentityId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "UnlinkDeveloperIdentity.DeveloperProviderName": ("none.example", INVALID, "none.example"),
    "DeleteIdentityPool.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "TagResource of identity pools.ResourceArn": (NO_ARN, NOT_FOUND, NO_ARN),
    "UnlinkIdentity.IdentityId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "UnlinkIdentity.Logins.{key}": ("none.example", NOT_ALLOWED, UNSUPPORTED),
    "UntagResource of identity pools.ResourceArn": (NO_ARN, NOT_FOUND, NO_ARN),
    "UpdateIdentityPool.IdentityPoolId": (NO_IDENTITY, NOT_FOUND, NO_IDENTITY),
    "UpdateIdentityPool.CognitoIdentityProviders.*.ProviderName": (
        f"cognito-idp.us-east-1.amazonaws.com/{NO_POOL}",
        INVALID,
        NO_PROVIDER,
    ),
    "UpdateIdentityPool.CognitoIdentityProviders.*.ClientId": ("{other_client}", INVALID, NO_PROVIDER),
    "UpdateIdentityPool.OpenIdConnectProviderARNs.*": (NO_ARN, INVALID, "Invalid OpenId Connect Provider"),
    "UpdateIdentityPool.SamlProviderARNs.*": (NO_ARN, INVALID, "Invalid SAML Provider"),
    "UpdateIdentityPool.SupportedLoginProviders.{key}": ("none.example", INVALID, "none.example"),
}
"""What is checked: something that is not there, or is another pool's, the code of the refusal, and words of it."""
IAM = "A role lives in IAM; one that cannot be assumed is told when it is. AWS: API_GetCredentialsForIdentity (Errors)."
CLAIMS = "Any claim of a provider's tokens, which nobody lists. AWS: attributes-for-access-control."
SES = "Lives in Amazon SES, which says so when it sends. AWS: API_EmailConfigurationType."
ACM = "Kept only: certificates are the proxy's in front of an installation. AWS: API_CustomDomainConfigType."
PINPOINT_KEPT = "Of a Pinpoint project: kept only, nothing is sent there. AWS: API_AnalyticsConfigurationType."
PINPOINT = "Of a Pinpoint project that no client of this release has. AWS: API_AnalyticsMetadataType."
LOGS = "A role that writes logs at Amazon; here the failures are kept. AWS: API_CreateUserImportJob."
NOT_CHECKED = {
    "CreateUserImportJob.CloudWatchLogsRoleArn": LOGS,
    "CreateUserPoolDomain.CustomDomainConfig.CertificateArn": ACM,
    "UpdateUserPoolDomain.CustomDomainConfig.CertificateArn": ACM,
    "CreateUserPoolClient.AnalyticsConfiguration": PINPOINT_KEPT,
    "UpdateUserPoolClient.AnalyticsConfiguration": PINPOINT_KEPT,
    "CreateGroup.GroupName": "What is made. AWS: API_CreateGroup.",
    "CreateIdentityProvider.ProviderName": "What is made. AWS: API_CreateIdentityProvider.",
    "CreateGroup.RoleArn": IAM,
    "UpdateGroup.RoleArn": IAM,
    "CreateUserPool.AliasAttributes.*": "One of three words of the model. AWS: API_CreateUserPool.",
    "CreateUserPool.AutoVerifiedAttributes.*": "One of two words of the model. AWS: API_CreateUserPool.",
    "CreateUserPool.UsernameAttributes.*": "One of two words of the model. AWS: API_CreateUserPool.",
    "CreateUserPool.EmailConfiguration.ConfigurationSet": SES,
    "UpdateUserPool.EmailConfiguration.ConfigurationSet": SES,
    "SetUserPoolMfaConfig.WebAuthnConfiguration.RelyingPartyId": "Kept only. AWS: API_WebAuthnConfigurationType.",
    "UpdateUserPool.AutoVerifiedAttributes.*": "One of two words of the model. AWS: API_UpdateUserPool.",
    "CreateIdentityPool.DeveloperProviderName": "A name of the developers' own. AWS: API_CreateIdentityPool.",
    "GetId.AccountId": "Whoever calls needs none, and the pool's id is enough. AWS: API_GetId.",
    "SetIdentityPoolRoles.Roles.{}": IAM,
    "UpdateIdentityPool.DeveloperProviderName": "A name of the developers' own. AWS: API_UpdateIdentityPool.",
    "SetIdentityPoolRoles.RoleMappings.{}.RulesConfiguration.Rules.*.Claim": CLAIMS,
    "SetIdentityPoolRoles.RoleMappings.{}.RulesConfiguration.Rules.*.RoleARN": IAM,
    "GetOpenIdTokenForDeveloperIdentity.PrincipalTags.{}": "A value of the developers' own, of no claim.",
    "SetPrincipalTagAttributeMap.PrincipalTags.{}": CLAIMS,
    **{
        f"{operation}.AnalyticsMetadata.AnalyticsEndpointId": PINPOINT
        for operation in (
            "AdminInitiateAuth",
            "AdminRespondToAuthChallenge",
            "ConfirmForgotPassword",
            "ConfirmSignUp",
            "ForgotPassword",
            "InitiateAuth",
            "ResendConfirmationCode",
            "RespondToAuthChallenge",
            "SignUp",
        )
    },
}
"""What Amazon does not check either, and why."""


def called(operation: contract.Operation) -> str:
    """Return an operation's name, which says whose it is where both services have one of it."""
    is_second = operation.service is contract.identity_pools and operation.name in contract.user_pools.operations
    return f"{operation.name} of identity pools" if is_second else operation.name


def members(shape: Shape, path: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Walk the paths of an input's values."""
    inside = (*seen, shape.name)
    if shape.name in seen:
        return
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from members(member, f"{path}.{name}", inside)
    elif isinstance(shape, ListShape):
        yield from members(shape.member, f"{path}.*", inside)
    elif isinstance(shape, MapShape):
        yield f"{path}.{{key}}"
        yield from members(shape.value, f"{path}.{{}}", inside)
    else:
        yield path


def test_every_write_that_names_something_is_in_the_table() -> None:
    writes = [
        operation
        for service in (contract.user_pools, contract.identity_pools)
        for operation in service.operations.values()
        if operation.handler is not None and not operation.name.startswith(READS)
    ]
    paths = {path for each in writes for path in members(each.model.input_shape, called(each)) if NAMING.search(path)}
    table = [*CHECKED, *NOT_CHECKED]

    assert {path for path in paths if not any(f"{path}.".startswith(f"{row}.") for row in table)} == set()
    assert [row for row in table if not any(f"{path}.".startswith(f"{row}.") for path in paths)] == []
    assert not CHECKED.keys() & NOT_CHECKED.keys()


def put(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any input
    """Return an input with a value at a path; a key of a map keeps the value that some key has, or gets a text."""
    name, _, rest = path.partition(".")
    old = given.get(name)
    if not rest:
        return {**given, name: value}
    if rest == "{key}":
        return {**given, name: {value: next(iter((old or {}).values()), "text")}}
    if rest == "*":
        return {**given, name: [value]}
    if rest.startswith("*."):
        return {**given, name: [put(dict(old[0]) if old else {}, rest.removeprefix("*."), value)]}
    return {**given, name: put(dict(old or {}), rest, value)}


@pytest.fixture(scope="module")
def proper(referred: Referred) -> dict[str, Any]:
    """Return an input of each operation in which only what the table puts there can be wrong."""
    world = referred.world
    guest = referred.public.get_id(IdentityPoolId=referred.identity_pool)["IdentityId"]
    person, client = {"UserPoolId": world.pool_id, "Username": "nobody"}, {"ClientId": world.client_id}
    named, tagged = {**client, "Username": "nobody"}, {"IdentityPoolId": referred.identity_pool}
    password = {"USERNAME": "nobody", "PASSWORD": PASSWORD}
    answer = {
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": "s" * 20,
        "ChallengeResponses": {"USERNAME": "nobody", "NEW_PASSWORD": PASSWORD},
    }
    line = {"ProviderName": referred.provider, "ClientId": world.client_id}
    mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    about = {**client, "UserPoolId": world.pool_id}
    subject = {"ProviderAttributeName": "Cognito_Subject", "ProviderAttributeValue": "x"}
    linked = providers.request("OIDC", ProviderName="Linked")
    world.idp.create_identity_provider(UserPoolId=world.pool_id, **linked)
    return {
        "AddCustomAttributes": {"UserPoolId": world.pool_id, "CustomAttributes": [{"Name": "x"}]},
        "AddUserPoolClientSecret": about,
        "AdminAddUserToGroup": {**person, "Username": world.person(), "GroupName": "none"},
        **{name: {**person, "Username": world.person(), **more} for name, more in ABOUT_A_USER.items()},
        "AdminConfirmSignUp": person,
        "AdminDisableProviderForUser": {"UserPoolId": world.pool_id, "User": {"ProviderName": "Linked", **subject}},
        "AdminLinkProviderForUser": {
            "UserPoolId": world.pool_id,
            "DestinationUser": {"ProviderName": "Cognito", "ProviderAttributeValue": world.person()},
            "SourceUser": {"ProviderName": "Linked", **subject},
        },
        "AdminCreateUser": {**person, "UserAttributes": [{"Name": "name", "Value": "Jo"}]},
        "AdminInitiateAuth": {
            **client,
            "UserPoolId": world.pool_id,
            "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": password,
        },
        "AdminRemoveUserFromGroup": {**person, "Username": world.person(), "GroupName": "none"},
        "AdminRespondToAuthChallenge": {**client, "UserPoolId": world.pool_id, **answer},
        "AdminSetUserPassword": {**person, "Password": PASSWORD},
        "ConfirmForgotPassword": {**named, "ConfirmationCode": "123456", "Password": PASSWORD},
        "ConfirmSignUp": {**named, "ConfirmationCode": "123456"},
        "CreateGroup": {"GroupName": "x"},
        "CreateIdentityProvider": {"UserPoolId": world.pool_id, **providers.request("OIDC", ProviderName="Other")},
        "CreateResourceServer": {"UserPoolId": world.pool_id, "Identifier": "x", "Name": "x"},
        "CreateUserImportJob": {"UserPoolId": world.pool_id, "JobName": "x", "CloudWatchLogsRoleArn": ROLES},
        "CreateUserPool": {"PoolName": "x"},
        "CreateUserPoolClient": {"UserPoolId": world.pool_id, "ClientName": "x", **CODE},
        "DeleteGroup": {"UserPoolId": world.pool_id, "GroupName": "none"},
        "DeleteIdentityProvider": {"UserPoolId": world.pool_id, "ProviderName": "Linked"},
        "DeleteResourceServer": {"Identifier": "x"},
        "CreateUserPoolDomain": {"UserPoolId": world.pool_id, "Domain": "x"},
        "DeleteUserPool": {},
        "DeleteUserPoolDomain": {"UserPoolId": world.pool_id, "Domain": "x"},
        "UpdateUserPoolDomain": {"UserPoolId": world.pool_id, "Domain": "x"},
        "DeleteUserPoolClient": about,
        "DeleteUserPoolClientSecret": {**about, "ClientSecretId": "none"},
        "ForgotPassword": named,
        "GetSigningCertificate": {},
        "GetTokensFromRefreshToken": {"RefreshToken": "x"},
        "StartUserImportJob": {"UserPoolId": world.pool_id, "JobId": "import-none"},
        "StopUserImportJob": {"UserPoolId": world.pool_id, "JobId": "import-none"},
        "InitiateAuth": {**client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": password},
        "ResendConfirmationCode": named,
        "RespondToAuthChallenge": answer,
        "RevokeToken": {"Token": "x"},
        "SetUserPoolMfaConfig": {"UserPoolId": world.pool_id, "MfaConfiguration": "OFF"},
        "SignUp": {**named, "Password": PASSWORD, "UserAttributes": [{"Name": "name", "Value": "Jo"}]},
        "UpdateGroup": {"UserPoolId": world.pool_id, "GroupName": "none"},
        "UpdateUserPoolClient": {**about, **CODE},
        "UpdateIdentityProvider": {"UserPoolId": world.pool_id, "ProviderName": "Linked"},
        "UpdateResourceServer": {"Identifier": "x", "Name": "x"},
        "UpdateUserAttributes": {
            "AccessToken": world.tokens(world.person())["AccessToken"],
            "UserAttributes": [{"Name": "name", "Value": "Jo"}],
        },
        "TagResource": {"Tags": {"x": "y"}},
        "UntagResource": {"TagKeys": ["x"]},
        "UpdateUserPool": {"UserPoolId": world.pool_id},
        "CreateIdentityPool": {
            "IdentityPoolName": "x",
            "AllowUnauthenticatedIdentities": True,
            "CognitoIdentityProviders": [line],
        },
        "GetCredentialsForIdentity": {"IdentityId": guest},
        "GetId": tagged,
        "GetOpenIdToken": {"IdentityId": guest},
        "DeleteIdentityPool": {},
        "GetOpenIdTokenForDeveloperIdentity": {**tagged, "Logins": {"ours": "x"}},
        "LookupDeveloperIdentity": {**tagged},
        "MergeDeveloperIdentities": {
            **tagged,
            "DeveloperProviderName": "ours",
            "SourceUserIdentifier": "x",
            "DestinationUserIdentifier": "y",
        },
        "UnlinkDeveloperIdentity": {
            **tagged,
            "IdentityId": guest,
            "DeveloperProviderName": "ours",
            "DeveloperUserIdentifier": "x",
        },
        "TagResource of identity pools": {"Tags": {"team": "red"}},
        "UnlinkIdentity": {
            "IdentityId": guest,
            "Logins": {referred.provider: "x"},
            "LoginsToRemove": [referred.provider],
        },
        "UntagResource of identity pools": {"TagKeys": ["team"]},
        "UpdateIdentityPool": {
            **tagged,
            "IdentityPoolName": "x",
            "AllowUnauthenticatedIdentities": True,
            "CognitoIdentityProviders": [line],
        },
        "SetIdentityPoolRoles": {**tagged, "Roles": {}, "RoleMappings": {referred.provider: mapping}},
        "SetPrincipalTagAttributeMap": {**tagged, "IdentityProviderName": referred.provider, "UseDefaults": True},
    }


@pytest.mark.parametrize("row", CHECKED)
def test_what_is_not_there_is_refused_when_it_is_named(referred: Referred, proper: dict[str, Any], row: str) -> None:
    operation, _, path = row.partition(".")
    absent, code, words = CHECKED[row]
    other = referred.other.client_id
    absent = other if absent == "{other_client}" else absent
    service = referred.world.idp
    name = operation.removesuffix(" of identity pools")
    if name != operation or name not in contract.user_pools.operations:
        service = referred.identity

    with pytest.raises(ClientError) as refusal:
        getattr(service, xform_name(name))(**put(proper[operation], path, absent))

    told = refusal.value.response["Error"]
    assert told["Code"] == code, told
    assert words.format(other_client=other) in told["Message"]
