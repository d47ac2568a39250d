"""Requests are checked by Amazon's own models, in Amazon's own words."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from identity.foundation.actor import Actor
from pools.cognito import operations, patterns
from pools.cognito.contract import OTHERWISE, SERVICES, Service, identity_pools, user_pools
from pools.cognito.faults import Fault

assert operations


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(text.split())


# Kept by hand. An operation that Amazon adds turns this red: answer it, or list it as one that this release has not.
OF_THIS_RELEASE = {
    "cognito-idp": words("""
        AddCustomAttributes AddUserPoolClientSecret AdminAddUserToGroup AdminConfirmSignUp AdminCreateUser
        AdminDeleteSoftwareToken AdminDeleteUser AdminDeleteUserAttributes AdminDisableProviderForUser
        AdminDisableUser AdminEnableUser AdminGetUser AdminGetUserAuthFactors AdminInitiateAuth
        AdminLinkProviderForUser AdminListGroupsForUser AdminRemoveUserFromGroup AdminResetUserPassword
        AdminRespondToAuthChallenge AdminSetUserMFAPreference AdminSetUserPassword AdminSetUserSettings
        AdminUpdateUserAttributes AdminUserGlobalSignOut AssociateSoftwareToken ChangePassword
        ConfirmForgotPassword ConfirmSignUp CreateGroup CreateIdentityProvider CreateResourceServer
        CreateUserImportJob CreateUserPool CreateUserPoolClient CreateUserPoolDomain DeleteGroup
        DeleteIdentityProvider DeleteResourceServer DeleteUser DeleteUserAttributes DeleteUserPool
        DeleteUserPoolClient DeleteUserPoolClientSecret DeleteUserPoolDomain DescribeIdentityProvider
        DescribeResourceServer DescribeUserImportJob DescribeUserPool DescribeUserPoolClient
        DescribeUserPoolDomain ForgotPassword GetCSVHeader GetGroup GetIdentityProviderByIdentifier
        GetSigningCertificate GetTokensFromRefreshToken GetUser GetUserAttributeVerificationCode
        GetUserAuthFactors GetUserPoolMfaConfig GlobalSignOut InitiateAuth ListGroups ListIdentityProviders
        ListResourceServers ListTagsForResource ListUserImportJobs ListUserPoolClientSecrets
        ListUserPoolClients ListUserPools ListUsers ListUsersInGroup ResendConfirmationCode
        RespondToAuthChallenge RevokeToken SetUserMFAPreference SetUserPoolMfaConfig SetUserSettings SignUp
        StartUserImportJob StopUserImportJob TagResource UntagResource UpdateGroup UpdateIdentityProvider
        UpdateResourceServer UpdateUserAttributes UpdateUserPool UpdateUserPoolClient UpdateUserPoolDomain
        VerifySoftwareToken VerifyUserAttribute
    """),
    "cognito-identity": words("""
        CreateIdentityPool DeleteIdentities DeleteIdentityPool DescribeIdentity DescribeIdentityPool
        GetCredentialsForIdentity GetId GetIdentityPoolRoles GetOpenIdToken GetOpenIdTokenForDeveloperIdentity
        GetPrincipalTagAttributeMap ListIdentities ListIdentityPools ListTagsForResource LookupDeveloperIdentity
        MergeDeveloperIdentities SetIdentityPoolRoles SetPrincipalTagAttributeMap TagResource
        UnlinkDeveloperIdentity UnlinkIdentity UntagResource UpdateIdentityPool
    """),
}
OF_LATER = {
    "cognito-idp": words("""
        AdminForgetDevice AdminGetDevice AdminListDevices AdminListUserAuthEvents AdminListUserSessions
        AdminRevokeUserSession AdminUpdateAuthEventFeedback AdminUpdateDeviceStatus CancelPointInTimeRecovery
        CompleteWebAuthnRegistration ConfirmDevice CreateCIMDPolicy CreateManagedLoginBranding CreateTerms
        CreateUserPoolReplica DeleteCIMDPolicy DeleteManagedLoginBranding DeleteTerms DeleteUserPoolReplica
        DeleteWebAuthnCredential DescribeCIMDPolicy DescribeManagedLoginBranding
        DescribeManagedLoginBrandingByClient DescribePointInTimeRecovery DescribeRiskConfiguration
        DescribeTerms DescribeTermsByClient ForgetDevice GetClientToken GetDerivedToken GetDevice
        GetLogDeliveryConfiguration GetProvisionedLimit GetUICustomization
        GetUserPoolClientSessionConfiguration GetUserPoolSessionConfiguration InitiatePointInTimeRecovery
        ListCIMDPolicies ListClientMetadataURLs ListDevices ListPointInTimeRecoveries ListTerms
        ListUserPoolReplicas ListUserSessions ListWebAuthnCredentials RevokeUserSession
        SetLogDeliveryConfiguration SetRiskConfiguration SetUICustomization
        SetUserPoolClientSessionConfiguration SetUserPoolSessionConfiguration StartPointInTimeRecovery
        StartWebAuthnRegistration UpdateAuthEventFeedback UpdateCIMDPolicy UpdateClientMetadataURLState
        UpdateDeviceStatus UpdateManagedLoginBranding UpdateProvisionedLimit UpdateTerms UpdateUserPoolReplica
    """),
    "cognito-identity": set(),
}
POOL = "us-east-1_Abc123xyz"
NOT_NULL = "failed to satisfy constraint: Member must not be null"


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_every_operation_is_answered_or_listed_as_one_of_a_later_release(service: Service) -> None:
    answered = {name for name, operation in service.operations.items() if operation.handler}

    assert answered == OF_THIS_RELEASE[service.name]
    assert set(service.operations) - answered == OF_LATER[service.name]


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_every_operation_compiles_and_declares_what_a_refusal_falls_back_to(service: Service) -> None:
    for operation in service.operations.values():
        assert "InvalidParameterException" in operation.errors, operation.name
        operation._input, operation._output  # noqa: B018 - compiled on being asked


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_the_model_is_held_whole_but_for_its_prose(service: Service) -> None:
    amazons = ServiceModel(create_loader().load_service_model(service.name, "service-2"), service.name)

    for name in amazons.shape_names:
        ours, theirs = service.model.shape_for(name), amazons.shape_for(name)
        assert ours.documentation == "", name
        expected = {**theirs.metadata, **OTHERWISE.get(name, {})}
        assert (ours.type_name, ours.metadata) == (theirs.type_name, expected), name
        assert list(getattr(ours, "members", ())) == list(getattr(theirs, "members", ())), name


def refused(operation: str, given: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(Fault) as caught:
        user_pools.operations[operation].read(given)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("operation", "given", "text"),
    [
        ("DescribeUserPool", {}, f"1 validation error detected: Value null at 'userPoolId' {NOT_NULL}"),
        (
            "DescribeUserPool",
            {"UserPoolId": None},
            f"1 validation error detected: Value null at 'userPoolId' {NOT_NULL}",
        ),
        (
            "SignUp",
            {"Password": "x"},
            f"2 validation errors detected: Value null at 'clientId' {NOT_NULL}; Value null at 'username' {NOT_NULL}",
        ),
        (
            "SignUp",
            {"ClientId": "c", "Username": "u", "UserAttributes": [{"Name": "a"}, {"Value": "v"}]},
            f"1 validation error detected: Value null at 'userAttributes.2.member.name' {NOT_NULL}",
        ),
        (
            "DescribeUserPool",
            {"UserPoolId": "no pool"},
            (
                "1 validation error detected: Value 'no pool' at 'userPoolId' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\w-]+_[0-9a-zA-Z]+"
            ),
        ),
        (
            "ListUserPools",
            {"MaxResults": 61},
            (
                "1 validation error detected: Value '61' at 'maxResults' failed to satisfy constraint: "
                "Member must have value less than or equal to 60"
            ),
        ),
        (
            "CreateUserPool",
            {"PoolName": "p", "MfaConfiguration": "MAYBE"},
            (
                "1 validation error detected: Value 'MAYBE' at 'mfaConfiguration' failed to satisfy constraint: "
                "Member must satisfy enum value set: [OFF, ON, OPTIONAL]"
            ),
        ),
        (
            "CreateUserPool",
            {"PoolName": ""},
            (
                "1 validation error detected: Value '' at 'poolName' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            "CreateUserPool",
            {"PoolName": "p", "AliasAttributes": ["nickname"]},
            (
                "1 validation error detected: Value '[nickname]' at 'aliasAttributes' failed to satisfy constraint: "
                "Member must satisfy constraint: "
                "[Member must satisfy enum value set: [phone_number, email, preferred_username]]"
            ),
        ),
    ],
)
def test_a_broken_constraint_is_told_in_amazons_words(operation: str, given: dict[str, Any], text: str) -> None:
    assert refused(operation, given) == ("InvalidParameterException", text)


def test_a_broken_constraint_of_an_identity_pool_is_a_validation_exception() -> None:
    with pytest.raises(Fault) as caught:
        identity_pools.operations["GetId"].read({})

    assert caught.value.code == "ValidationException"


def test_sensitive_values_are_not_told_back() -> None:
    secret = "hunter2 with spaces"

    code, text = refused("SignUp", {"ClientId": "c", "Username": "u", "Password": secret})

    assert code == "InvalidParameterException"
    assert "Value at 'password' failed" in text
    assert secret not in text


def test_a_huge_refused_value_is_cut() -> None:
    _, text = refused("CreateUserPool", {"PoolName": "x" * 100_000})

    assert len(text) < 600


@pytest.mark.parametrize(
    "given",
    [
        {"ClientId": 3},
        {"ClientId": True},
        {"ClientId": ["c"]},
        {"ClientId": {"a": "b"}},
        {"ClientId": "c", "AuthParameters": "USERNAME"},
        {"ClientId": "c", "AuthParameters": {"USERNAME": 3}},
        {"ClientId": "c\x00"},
        {"ClientId": "c", "AuthParameters": {"USERNAME": "\ud800"}},
        {"ClientId": "c", "AuthParameters": {"USER\x00NAME": "u"}},
    ],
)
def test_what_cannot_be_read_as_its_type_is_a_serialization_exception(given: dict[str, Any]) -> None:
    assert refused("InitiateAuth", {"AuthFlow": "USER_PASSWORD_AUTH", **given})[0] == "SerializationException"


def test_numbers_that_no_integer_holds_are_refused() -> None:
    for number in (2**31, -(2**31) - 1, 10**400, 1.5, float("inf"), "5", True):
        assert refused("ListUserPools", {"MaxResults": number})[0] == "SerializationException"


def test_unknown_members_and_nulls_are_as_if_absent() -> None:
    given: dict[str, Any] = {"UserPoolId": POOL, "Filter": None, "Shoe": {"size": [{}]}, "Limit": 3}

    assert user_pools.operations["ListUsers"].read(given) == {"UserPoolId": POOL, "Limit": 3}


def test_a_null_in_a_map_is_absent_and_in_a_list_is_refused() -> None:
    read = user_pools.operations["InitiateAuth"].read
    given = {"AuthFlow": "USER_SRP_AUTH", "ClientId": "c", "AuthParameters": {"USERNAME": None, "SRP_A": "a"}}

    assert read(given)["AuthParameters"] == {"SRP_A": "a"}
    assert refused("CreateUserPool", {"PoolName": "p", "AliasAttributes": [None]})[0] == "InvalidParameterException"


def test_documents_may_hold_anything_but_not_too_deep() -> None:
    given: dict[str, Any] = {"UserPoolId": POOL, "ClientId": "c"}
    operation = "CreateManagedLoginBranding"
    good = {"a": [1, None, {"b": 0.5}]}
    deep: dict[str, Any] = {"leaf": "x"}
    for _ in range(100):
        deep = {"a": [deep]}

    assert user_pools.operations[operation].read({**given, "Settings": good})["Settings"] == good
    for bad in (deep, {"a": "\x00"}, {"\ud800": 1}, [good], "text"):
        assert refused(operation, {**given, "Settings": bad})[0] == "SerializationException"


def test_blobs_are_base64_and_bounded() -> None:
    read = user_pools.operations["SetUICustomization"].read

    assert read({"UserPoolId": POOL, "ImageFile": "aGk="})["ImageFile"] == b"hi"
    assert refused("SetUICustomization", {"UserPoolId": POOL, "ImageFile": "a"})[0] == "SerializationException"
    assert (
        refused("SetUICustomization", {"UserPoolId": POOL, "ImageFile": "A" * 200_000})[0]
        == "InvalidParameterException"
    )


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (
            r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+",
            ["ana", "Ärger", "中文", "a+b@c_d", "👍", "e\u0301"],
            ["a b", "", "a\u00a0b", "\u200b"],
        ),
        (r"[\w\s+=,.@-]+", ["My pool", "a\tb"], ["pool!", "Ärger"]),
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}\p{Z}]+", ["a b", "a\u00a0b"], ["a\tb"]),
        (r"[^_\p{Z}][\p{L}\p{M}\p{S}\p{N}\p{P}][^_\p{Z}]+", ["abc", "äöü"], ["_bc", "a b", "\u00a0bc"]),
        (r"[\S]+", ["a", "é"], ["a b", "a\n"]),
        (r"[A-Za-z0-9-_=.]+", ["a-b_c=d.e"], ["a/b"]),
    ],
)
def test_javas_patterns_mean_the_same_here(pattern: str, good: list[str], bad: list[str]) -> None:
    compiled = patterns.compiled(pattern)

    assert [value for value in good if not patterns.matches(compiled, value)] == []
    assert [value for value in bad if patterns.matches(compiled, value)] == []


@pytest.mark.parametrize("shape", ["EmailVerificationMessageByLinkType", "EmailVerificationMessageType"])
@given(value=st.lists(st.sampled_from(["{", "}", "#", "{##", "##}", "{####}", "a", "ä", "\u200b"]), max_size=9))
def test_a_chain_of_runs_means_what_its_pattern_says(shape: str, value: list[str]) -> None:
    pattern = user_pools.model.shape_for(shape).metadata["pattern"]
    text = "".join(value)
    letters = patterns.CATEGORY.sub(lambda found: patterns.ASCII[found[1]] + patterns.STAND_IN[found[1]], pattern)

    assert isinstance(patterns.compiled(pattern), patterns.Chain)
    assert patterns.matches(patterns.compiled(pattern), text) == bool(
        re.fullmatch(letters, patterns.folded(text), re.ASCII)
    )


@pytest.mark.parametrize("service", [user_pools, identity_pools], ids=lambda service: service.name)
@pytest.mark.parametrize("seed", ["{####}", "{##", "##}", "{##a##}", "@", "a:", "_a", "a=", " "])
def test_no_pattern_takes_long_over_a_long_text(service: Service, seed: str) -> None:
    shapes = [service.model.shape_for(name) for name in service.model.shape_names]
    began = time.thread_time()

    for shape in shapes:
        if pattern := shape.metadata.get("pattern"):
            size = min(shape.metadata.get("max") or 20_000, 20_000) - 1
            patterns.matches(patterns.compiled(pattern), (seed * size)[:size] + "\x01")

    assert time.thread_time() - began < 1


def test_our_own_answers_are_checked_more_strictly() -> None:
    sign_up = user_pools.operations["SignUp"]

    assert sign_up.doubts(json.dumps({"UserConfirmed": False, "UserSub": "s"}).encode()) == []
    assert sign_up.doubts(json.dumps({"UserConfirmed": False, "UserSub": None}).encode())
    assert sign_up.doubts(json.dumps({"UserConfirmed": False, "UserSub": "s", "Shoe": 1}).encode())
    assert sign_up.doubts(json.dumps({"UserConfirmed": "no", "UserSub": "s"}).encode())
    assert user_pools.operations["DeleteUserPool"].doubts(b"{}")


def test_a_handler_named_for_no_operation_is_refused() -> None:
    def shoe_size(call: object, by: Actor) -> None:
        del call, by

    def sign_up(call: object, by: Actor) -> None:
        del call, by

    with pytest.raises(LookupError, match="no operation like shoe_size"):
        user_pools.operation(shoe_size)
    with pytest.raises(LookupError, match="registered twice"):
        user_pools.operation(sign_up)
