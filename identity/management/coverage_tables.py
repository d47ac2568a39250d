"""What ``docs/coverage.md`` says that the code does not. ``tests/contract/test_members.py`` holds it true.

Three tables: the test of each operation that is answered; what members of their inputs do that is less than at Amazon,
wherever they occur; the same of members of one operation. Members that are settings are not here: their rows say it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Less(StrEnum):
    """How a member does less than at Amazon."""

    KEPT_ONLY = "kept only"
    NOT_USED = "not used"
    NOT_YET = "not yet"
    REFUSED = "refused"


class Note(NamedTuple):
    """What a member does, and why it is not more."""

    less: Less
    why: str


TESTS = {
    "cognito-idp": {
        "AddCustomAttributes": "cognito/test_custom_attributes.py",
        "AddUserPoolClientSecret": "cognito/test_app_clients.py",
        "AdminAddUserToGroup": "cognito/test_groups.py",
        "AdminConfirmSignUp": "cognito/test_sign_up.py",
        "AdminCreateUser": "cognito/test_users.py",
        "AdminDeleteSoftwareToken": "cognito/test_administered_factors.py",
        "AdminDeleteUser": "cognito/test_administrators.py",
        "AdminDeleteUserAttributes": "cognito/test_administered_attributes.py",
        "AdminDisableProviderForUser": "cognito/test_provider_links.py",
        "AdminDisableUser": "cognito/test_administrators.py",
        "AdminEnableUser": "cognito/test_administrators.py",
        "AdminGetUser": "cognito/test_users.py",
        "AdminGetUserAuthFactors": "cognito/test_administered_factors.py",
        "AdminInitiateAuth": "cognito/test_sign_in.py",
        "AdminLinkProviderForUser": "cognito/test_provider_links.py",
        "AdminListGroupsForUser": "cognito/test_administrators.py",
        "AdminRemoveUserFromGroup": "cognito/test_groups.py",
        "AdminResetUserPassword": "cognito/test_resets.py",
        "AdminRespondToAuthChallenge": "cognito/test_srp.py",
        "AdminSetUserMFAPreference": "cognito/test_administered_factors.py",
        "AdminSetUserPassword": "cognito/test_passwords.py",
        "AdminSetUserSettings": "cognito/test_sms_factor.py",
        "AdminUpdateUserAttributes": "cognito/test_administered_attributes.py",
        "AdminUserGlobalSignOut": "cognito/test_administrators.py",
        "AssociateSoftwareToken": "cognito/test_factors.py",
        "ChangePassword": "cognito/test_passwords.py",
        "ConfirmForgotPassword": "cognito/test_passwords.py",
        "ConfirmSignUp": "cognito/test_sign_up.py",
        "CreateGroup": "cognito/test_groups.py",
        "CreateIdentityProvider": "cognito/test_identity_providers.py",
        "CreateResourceServer": "cognito/test_resource_servers.py",
        "CreateUserImportJob": "cognito/test_user_imports.py",
        "CreateUserPool": "cognito/test_user_pools.py",
        "CreateUserPoolClient": "cognito/test_app_clients.py",
        "CreateUserPoolDomain": "cognito/test_pool_domains.py",
        "DeleteGroup": "cognito/test_groups.py",
        "DeleteIdentityProvider": "cognito/test_identity_providers.py",
        "DeleteResourceServer": "cognito/test_resource_servers.py",
        "DeleteUser": "cognito/test_account.py",
        "DeleteUserAttributes": "cognito/test_account.py",
        "DeleteUserPool": "cognito/test_user_pools.py",
        "DeleteUserPoolClient": "cognito/test_app_clients.py",
        "DeleteUserPoolClientSecret": "cognito/test_app_clients.py",
        "DeleteUserPoolDomain": "cognito/test_pool_domains.py",
        "DescribeIdentityProvider": "cognito/test_identity_providers.py",
        "DescribeResourceServer": "cognito/test_resource_servers.py",
        "DescribeUserImportJob": "cognito/test_user_imports.py",
        "DescribeUserPool": "cognito/test_user_pools.py",
        "DescribeUserPoolClient": "cognito/test_app_clients.py",
        "DescribeUserPoolDomain": "cognito/test_pool_domains.py",
        "ForgotPassword": "cognito/test_passwords.py",
        "GetCSVHeader": "cognito/test_user_imports.py",
        "GetGroup": "cognito/test_groups.py",
        "GetIdentityProviderByIdentifier": "cognito/test_identity_providers.py",
        "GetSigningCertificate": "cognito/test_certificates.py",
        "GetTokensFromRefreshToken": "cognito/test_tokens.py",
        "GetUser": "cognito/test_account.py",
        "GetUserAttributeVerificationCode": "cognito/test_account.py",
        "GetUserAuthFactors": "cognito/test_account.py",
        "GetUserPoolMfaConfig": "cognito/test_user_pools.py",
        "GlobalSignOut": "cognito/test_account.py",
        "InitiateAuth": "cognito/test_sign_in.py",
        "ListGroups": "cognito/test_groups.py",
        "ListIdentityProviders": "cognito/test_identity_providers.py",
        "ListResourceServers": "cognito/test_resource_servers.py",
        "ListTagsForResource": "cognito/test_tags.py",
        "ListUserImportJobs": "cognito/test_user_imports.py",
        "ListUserPoolClientSecrets": "cognito/test_app_clients.py",
        "ListUserPoolClients": "cognito/test_app_clients.py",
        "ListUserPools": "cognito/test_user_pools.py",
        "ListUsers": "cognito/test_users.py",
        "ListUsersInGroup": "cognito/test_groups.py",
        "ResendConfirmationCode": "cognito/test_sign_up.py",
        "RespondToAuthChallenge": "cognito/test_sign_in.py",
        "RevokeToken": "cognito/test_tokens.py",
        "SetUserMFAPreference": "cognito/test_factors.py",
        "SetUserPoolMfaConfig": "cognito/test_user_pools.py",
        "SetUserSettings": "cognito/test_sms_factor.py",
        "SignUp": "cognito/test_sign_up.py",
        "StartUserImportJob": "cognito/test_user_imports.py",
        "StopUserImportJob": "cognito/test_user_imports.py",
        "TagResource": "cognito/test_tags.py",
        "UntagResource": "cognito/test_tags.py",
        "UpdateGroup": "cognito/test_groups.py",
        "UpdateIdentityProvider": "cognito/test_identity_providers.py",
        "UpdateResourceServer": "cognito/test_resource_servers.py",
        "UpdateUserAttributes": "cognito/test_account.py",
        "UpdateUserPool": "cognito/test_pool_updates.py",
        "UpdateUserPoolClient": "cognito/test_app_clients.py",
        "UpdateUserPoolDomain": "cognito/test_pool_domains.py",
        "VerifySoftwareToken": "cognito/test_factors.py",
        "VerifyUserAttribute": "cognito/test_account.py",
    },
    "cognito-identity": {
        "CreateIdentityPool": "cognito/test_identity_pools.py",
        "DeleteIdentities": "cognito/test_identity_pools.py",
        "DeleteIdentityPool": "cognito/test_identity_pools.py",
        "DescribeIdentity": "cognito/test_identity_pools.py",
        "DescribeIdentityPool": "cognito/test_identity_pools.py",
        "GetCredentialsForIdentity": "cognito/test_identity_pools.py",
        "GetId": "cognito/test_identity_pools.py",
        "GetIdentityPoolRoles": "federation/test_wire.py",
        "GetOpenIdToken": "federation/test_wire.py",
        "GetOpenIdTokenForDeveloperIdentity": "cognito/test_developer_identities.py",
        "GetPrincipalTagAttributeMap": "federation/test_wire.py",
        "ListIdentities": "cognito/test_identity_pools.py",
        "ListIdentityPools": "cognito/test_identity_pools.py",
        "ListTagsForResource": "cognito/test_identity_pools.py",
        "LookupDeveloperIdentity": "cognito/test_developer_identities.py",
        "MergeDeveloperIdentities": "cognito/test_developer_identities.py",
        "SetIdentityPoolRoles": "federation/test_wire.py",
        "SetPrincipalTagAttributeMap": "federation/test_wire.py",
        "TagResource": "cognito/test_identity_pools.py",
        "UnlinkDeveloperIdentity": "cognito/test_developer_identities.py",
        "UnlinkIdentity": "cognito/test_identity_pools.py",
        "UntagResource": "cognito/test_identity_pools.py",
        "UpdateIdentityPool": "cognito/test_identity_pools.py",
    },
}
"""By service and operation, the file below ``tests/`` that calls it as a client does."""

RISK = Note(Less.NOT_USED, "There is no threat protection yet.")
DEVICES = Note(Less.NOT_USED, "No device is remembered.")
SECOND_FACTOR = "is no second factor yet. Taken where it asks for none."
CERTIFICATE = Note(Less.KEPT_ONLY, "TLS ends at the proxy in front, which has a certificate of its own.")
IN_ALL = {
    "AccountId": Note(Less.NOT_USED, "An installation is one account, and the identity pool's id says which pool."),
    "AnalyticsMetadata": Note(Less.NOT_USED, "Nothing is sent to Amazon Pinpoint."),
    "AuthParameters.DEVICE_KEY": DEVICES,
    "ChallengeResponses.DEVICE_KEY": DEVICES,
    "ClientMetadata": Note(Less.NOT_USED, "It is for triggers, and none is called."),
    "CloudWatchLogsRoleArn": Note(Less.KEPT_ONLY, "Nothing is written to CloudWatch: the job keeps what failed."),
    "CognitoIdentityProviders.ServerSideTokenCheck": Note(
        Less.KEPT_ONLY, "Whether person and session still live is asked each time, whatever it says."
    ),
    **dict.fromkeys(
        ("ContextData.EncodedData", "ContextData.HttpHeaders", "ContextData.ServerName", "ContextData.ServerPath"), RISK
    ),
    "CustomDomainConfig.CertificateArn": CERTIFICATE,
    "CustomDomainConfig.SecurityPolicy": CERTIFICATE,
    "DeviceKey": DEVICES,
    "EmailMfaSettings": Note(Less.NOT_YET, f"A code by mail {SECOND_FACTOR}"),
    "ManagedLoginVersion": Note(Less.KEPT_ONLY, "There is one kind of pages."),
    "RevokeAssociatedSessions": Note(Less.NOT_YET, "Browser sessions outlive it. `NONE` is taken."),
    "Routing": Note(Less.REFUSED, "An installation has one address, and no replicas in other regions."),
    "SupportedLoginProviders": Note(
        Less.NOT_YET, "`api.twitter.com`, whose logins are OAuth 1.0a; and `www.digits.com`, which is no more."
    ),
    "UserContextData.EncodedData": RISK,
    "ValidationData": Note(Less.NOT_USED, "It is for the trigger PreSignUp, with which the flow is refused."),
    "WebAuthnMfaSettings": Note(Less.NOT_YET, f"A passkey {SECOND_FACTOR}"),
}
"""By name, in every operation that takes it. Names with dots lead into structures, the last also to a key of a map."""

FLOWS = Note(Less.NOT_YET, "`USER_AUTH`; and `CUSTOM_AUTH`, whose challenges are a trigger's.")
CHALLENGES = Note(
    Less.NOT_YET,
    "All but `PASSWORD_VERIFIER`, `NEW_PASSWORD_REQUIRED`, `MFA_SETUP`, `SELECT_MFA_TYPE`, `SOFTWARE_TOKEN_MFA` and "
    "`SMS_MFA`.",
)
CHOICE = Note(Less.NOT_USED, "It carries a sign-up on to `USER_AUTH`, which is not there yet: SignUp gives none.")
GRANTS = Note(Less.NOT_YET, "`implicit`.")
IN_ONE = {
    "AdminInitiateAuth.AuthFlow": FLOWS,
    "AdminInitiateAuth.Session": CHOICE,
    "AdminRespondToAuthChallenge.ChallengeName": CHALLENGES,
    "ConfirmSignUp.Session": CHOICE,
    "CreateUserPoolClient.AllowedOAuthFlows": GRANTS,
    "InitiateAuth.AuthFlow": FLOWS,
    "InitiateAuth.Session": CHOICE,
    "RespondToAuthChallenge.ChallengeName": CHALLENGES,
    "UpdateUserPoolClient.AllowedOAuthFlows": GRANTS,
}
"""By operation and member. Where values are named, only those."""
