"""The whole story by boto3 alone: from sign-up to a photo that strangers cannot touch."""

from __future__ import annotations

import re
import secrets
from time import time

import pyotp
import pytest

from tests.interop.conftest import PASSWORD, Cloud, World, refused

pytestmark = pytest.mark.interop
CODE = re.compile(r"\b\d{6}\b")


def test_sign_up_mail_totp_credentials_photo(world: World, cloud: Cloud) -> None:
    idp = world.anyone
    world.idp.set_user_pool_mfa_config(
        UserPoolId=world.user_pool, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    name = f"anna-{secrets.token_hex(4)}"
    email = f"{name}@example.com"
    idp.sign_up(
        ClientId=world.client_id,
        Username=name,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    mail = world.live.message(email)
    found = CODE.search(mail["body"])
    assert found
    idp.confirm_sign_up(ClientId=world.client_id, Username=name, ConfirmationCode=found[0])
    access_token = world.sign_in(name)["AccessToken"]
    totp = pyotp.TOTP(idp.associate_software_token(AccessToken=access_token)["SecretCode"])
    enrolled_at = int(time())
    assert idp.verify_software_token(AccessToken=access_token, UserCode=totp.at(enrolled_at))["Status"] == "SUCCESS"
    idp.set_user_mfa_preference(
        AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    challenge = idp.initiate_auth(
        ClientId=world.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    signed_in = idp.respond_to_auth_challenge(
        ClientId=world.client_id,
        ChallengeName="SOFTWARE_TOKEN_MFA",
        Session=challenge["Session"],
        # The step of the enrolment is spent; the next one is taken already.
        ChallengeResponses={"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": totp.at(enrolled_at + 30)},
    )["AuthenticationResult"]
    logins = world.logins(signed_in)
    identity_id = world.get_id(logins)
    s3 = cloud.s3(*world.credentials(identity_id, logins))
    s3.put_object(Bucket=world.bucket, Key=f"{identity_id}/photo.png", Body=b"photo")
    listed = s3.list_objects_v2(Bucket=world.bucket, Prefix=f"{identity_id}/")
    stranger = world.get_id(world.logins(world.person()))

    assert [line["Key"] for line in listed["Contents"]] == [f"{identity_id}/photo.png"]
    assert world.get_id(logins) == identity_id
    with refused("AccessDenied", "403"):
        s3.put_object(Bucket=world.bucket, Key=f"{stranger}/photo.png", Body=b"photo")
    with refused("AccessDenied", "403"):
        s3.list_objects_v2(Bucket=world.bucket, Prefix=f"{stranger}/")
