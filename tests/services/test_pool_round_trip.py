"""Write, describe, update with what was described, describe: the same, whatever a pool is set to.

Spoken in the wire API's structures, below its transport.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from identity.foundation import errors
from pools.cognito import contract, shapes
from pools.models import UserPool
from pools.services.pools import pool_settings, user_pools
from tests import factories
from tests.factories import BY
from tests.walks import walk

OPERATION = "UpdateUserPool"
ROLE = "arn:aws:iam::000000000000:role/sms"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
REFUSED_BACK = "UnusedAccountValidityDays"
"""Amazon describes it beside TemporaryPasswordValidityDays, and refuses both together."""


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a structure with any of these members, or none."""
    return st.fixed_dictionaries({}, optional=members)


def texts(least: int, most: int, *, after: str = "") -> st.SearchStrategy[str]:
    """Return texts of so many characters that can be kept, with a placeholder."""
    plain = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=least, max_size=most)
    return plain.map(lambda text: text + after)


def subset(*names: str, least: int = 0) -> st.SearchStrategy[list[str]]:
    """Return lists of some of these, each once."""
    return st.lists(st.sampled_from(names), unique=True, min_size=least)


CODE = texts(6, 40, after="{####}")
SUBJECTS = texts(1, 40)
VERSIONED = st.fixed_dictionaries({"LambdaArn": st.just(FUNCTION), "LambdaVersion": st.just("V1_0")})
SETTINGS = some(
    PoolName=st.text("abc 019+=,.@-", min_size=1, max_size=20).filter(str.strip),
    Policies=some(
        PasswordPolicy=some(
            MinimumLength=st.integers(6, 99),
            RequireUppercase=st.booleans(),
            RequireLowercase=st.booleans(),
            RequireNumbers=st.booleans(),
            RequireSymbols=st.booleans(),
            PasswordHistorySize=st.integers(0, 24),
            TemporaryPasswordValidityDays=st.integers(0, 365),
        ),
        SignInPolicy=some(
            AllowedFirstAuthFactors=subset("EMAIL_OTP", "SMS_OTP", "WEB_AUTHN").map(lambda names: ["PASSWORD", *names])
        ),
    ),
    DeletionProtection=st.sampled_from(["ACTIVE", "INACTIVE"]),
    LambdaConfig=some(
        PreSignUp=st.just(FUNCTION), PostConfirmation=st.just(FUNCTION), PreTokenGenerationConfig=VERSIONED
    ),
    AutoVerifiedAttributes=subset("email", "phone_number"),
    SmsVerificationMessage=CODE,
    EmailVerificationMessage=CODE,
    EmailVerificationSubject=SUBJECTS,
    VerificationMessageTemplate=some(
        SmsMessage=CODE,
        EmailMessage=CODE,
        EmailSubject=SUBJECTS,
        EmailMessageByLink=texts(6, 40, after="{##Here##}"),
        EmailSubjectByLink=SUBJECTS,
        DefaultEmailOption=st.sampled_from(["CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"]),
    ),
    SmsAuthenticationMessage=CODE,
    UserAttributeUpdateSettings=some(AttributesRequireVerificationBeforeUpdate=subset("email", "phone_number")),
    DeviceConfiguration=some(
        ChallengeRequiredOnNewDevice=st.booleans(), DeviceOnlyRememberedOnUserPrompt=st.booleans()
    ),
    EmailConfiguration=some(
        SourceArn=st.just("arn:aws:ses:us-east-1:000000000000:identity/example.com"),
        ReplyToEmailAddress=st.sampled_from(["", "help@example.com"]),
        From=st.sampled_from(["team@example.com", "The team <team@example.com>"]),
        ConfigurationSet=st.just("ours"),
        EmailSendingAccount=st.sampled_from(["COGNITO_DEFAULT", "DEVELOPER"]),
    ),
    SmsConfiguration=st.one_of(
        st.fixed_dictionaries(
            {"SnsCallerArn": st.just(ROLE)}, optional={"ExternalId": st.just("x"), "SnsRegion": st.just("us-east-1")}
        ),
        st.fixed_dictionaries(
            {
                "EumsSms": st.fixed_dictionaries(
                    {"CallerArn": st.just(ROLE)},
                    optional={
                        "ExternalId": st.just("x"),
                        "OriginationIdentity": st.sampled_from(["", "+43720000000"]),
                        "ConfigurationSetName": st.just("ours"),
                        "InEntityId": st.just("1101"),
                        "InTemplateId": st.just("1107"),
                        "Region": st.just("us-east-1"),
                    },
                )
            }
        ),
    ),
    UserPoolTags=st.dictionaries(st.text("abc .:/", min_size=1, max_size=5), st.text("xyz", max_size=3), max_size=3),
    AdminCreateUserConfig=some(
        AllowAdminCreateUserOnly=st.booleans(),
        UnusedAccountValidityDays=st.integers(0, 365),
        InviteMessageTemplate=some(
            SMSMessage=texts(6, 40, after="{username}{####}"),
            EmailMessage=texts(6, 40, after="{username}{####}"),
            EmailSubject=SUBJECTS,
        ),
    ),
    UserPoolAddOns=st.fixed_dictionaries(
        {"AdvancedSecurityMode": st.sampled_from(["OFF", "AUDIT", "ENFORCED"])},
        optional={"AdvancedSecurityAdditionalFlows": some(CustomAuthMode=st.sampled_from(["AUDIT", "ENFORCED"]))},
    ),
    AccountRecoverySetting=some(
        RecoveryMechanisms=st.sampled_from(
            [
                [{"Priority": 1, "Name": "admin_only"}],
                [{"Priority": 2, "Name": "verified_email"}, {"Priority": 1, "Name": "verified_phone_number"}],
                [{"Priority": 1, "Name": "verified_email"}],
            ]
        )
    ),
    UserPoolTier=st.sampled_from(["LITE", "ESSENTIALS", "PLUS"]),
    DcrConfiguration=some(
        EnableStatus=st.sampled_from(["Enabled", "Disabled"]),
        OpenDcrEnabled=st.booleans(),
        AuthenticatedGrantTypes=subset("code", "implicit", "client_credentials"),
        OpenDcrGrantTypes=subset("code", "implicit", "client_credentials"),
        AllowedScopes=subset("openid", "aws.cognito.signin.user.admin", "aws.cognito/dcr/register"),
    ),
    KeyConfiguration=some(KeyType=st.just("AWS_OWNED_KEY")),
    IssuerConfiguration=some(Type=st.sampled_from(["ORIGINAL", "UPDATED"])),
    AcrConfiguration=some(
        Level1=st.fixed_dictionaries({"AcrValue": st.sampled_from(["urn:cognito:loa:1", "urn:own:1"])}),
        Level4=st.fixed_dictionaries({"AcrValue": st.sampled_from(["urn:own:1", "urn:own:4"])}),
    ),
)
LEFT_ALONE = {"UserPoolId", "MfaConfiguration"}
"""Whose pool it is; what SetUserPoolMfaConfig owns."""


def update(pool: UserPool, members: dict[str, Any]) -> bool:
    """Update a pool; say whether that was not refused."""
    given = shapes.settings(OPERATION, members, without=())
    try:
        user_pools.update(pool, given, whole=True, by=BY)
    except errors.Invalid:
        return False
    return True


def described(pool: UserPool) -> dict[str, Any]:
    """Return a pool as it is described, without what is no setting."""
    told = shapes.user_pool(UserPool.objects.get(pk=pool.pk))
    return {name: value for name, value in told.items() if name != "LastModifiedDate"}


def effective(pool: UserPool) -> dict[str, Any]:
    """Return what holds of a pool, told or not, said or by default; what is told otherwise than kept is asked above."""
    table = pool_settings.TABLE
    now = table.now(UserPool.objects.get(pk=pool.pk))
    rows = [row for row in table.settings if row.place is not None and row.describe is None and not row.is_fixed]
    return {row.name: now[row.name] for row in rows}


def as_update(told: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a description that an update takes, but for what Amazon refuses to take back."""
    shape = contract.model(OPERATION).input_shape
    assert shape is not None
    members = {name: value for name, value in told.items() if name in shape.members}
    config = {name: value for name, value in told["AdminCreateUserConfig"].items() if name != REFUSED_BACK}
    return {**members, "PoolName": told["Name"], "AdminCreateUserConfig": config}


def test_what_was_described_is_taken_back_and_changes_nothing(transactional_db: None) -> None:
    pool, taken = factories.make_pool(), []

    @walk(100)
    @given(SETTINGS)
    def go(members: dict[str, Any]) -> None:
        if not update(pool, members):
            return
        taken.append(members)
        before, holds = described(pool), effective(pool)

        assert update(pool, as_update(before))

        assert (described(pool), effective(pool)) == (before, holds)

    go()
    assert len(taken) > 15  # else the walk asks about next to nothing


def test_the_walk_sets_every_member_of_an_update() -> None:
    shape = contract.model(OPERATION).input_shape
    assert shape is not None
    seen = set[str]()

    @walk(100)
    @given(SETTINGS)
    def go(members: dict[str, Any]) -> None:
        seen.update(members)

    go()
    assert seen | LEFT_ALONE == set(shape.members)
