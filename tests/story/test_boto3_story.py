"""The same by boto3 alone, over what ``make run`` starts, restarted on the way, with both kinds of keys rotated."""

from __future__ import annotations

from time import sleep
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.browser.test_addresses import InstalledWorld
from tests.story.installation import MAIL, PASSWORD, Authenticator, WithAws, lasting, mailed_code, restart, wait_for_aws

pytestmark = [pytest.mark.interop, pytest.mark.run, pytest.mark.timeout(420)]
NOTICED = 4
"""Seconds after which every process knows of a new key."""


class Ada:
    """Somebody who has boto3, and no keys to sign with."""

    def __init__(self, installation: WithAws, kept: dict[str, Any]) -> None:
        """Know where everything is."""
        self.kept = kept
        self.idp = InstalledWorld(installation).boto(signed=False)
        self.identity = InstalledWorld(installation).boto("cognito-identity", signed=False)
        self.provider = kept["issuer"].partition("://")[2]

    def sign_up(self) -> None:
        """Ask for an account."""
        email = {"Name": "email", "Value": MAIL}
        self.idp.sign_up(ClientId=self.kept["client_id"], Username=MAIL, Password=PASSWORD, UserAttributes=[email])

    def begin(self, flow: str = "USER_PASSWORD_AUTH", **answers: str) -> dict[str, Any]:
        """Begin to sign in, by password unless told otherwise."""
        answers = answers or {"USERNAME": MAIL, "PASSWORD": PASSWORD}
        found: dict[str, Any] = self.idp.initiate_auth(
            ClientId=self.kept["client_id"], AuthFlow=flow, AuthParameters=answers
        )
        return found

    def take_up_totp(self) -> Authenticator:
        """Enrol an authenticator."""
        access_token = self.begin()["AuthenticationResult"]["AccessToken"]
        totp = Authenticator(self.idp.associate_software_token(AccessToken=access_token)["SecretCode"])
        self.idp.verify_software_token(AccessToken=access_token, UserCode=totp.code())
        preference = {"Enabled": True, "PreferredMfa": True}
        self.idp.set_user_mfa_preference(AccessToken=access_token, SoftwareTokenMfaSettings=preference)
        return totp

    def sign_in(self, totp: Authenticator) -> dict[str, str]:
        """Sign in by password and authenticator; return tokens."""
        challenge = self.begin()
        assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        found: dict[str, str] = self.idp.respond_to_auth_challenge(
            ClientId=self.kept["client_id"],
            ChallengeName="SOFTWARE_TOKEN_MFA",
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": MAIL, "SOFTWARE_TOKEN_MFA_CODE": totp.code()},
        )["AuthenticationResult"]
        return found

    def identity_id(self, id_token: str = "") -> str:
        """Return the identity of an ID token; a new guest's without one."""
        logins = {self.provider: id_token} if id_token else {}
        found = self.identity.get_id(IdentityPoolId=self.kept["identity_pool_id"], Logins=logins)
        return str(found["IdentityId"])

    def storage(self, identity_id: str, id_token: str) -> Any:  # noqa: ANN401 - boto3's own
        """Return a client of S3 with credentials that were vended to an identity."""
        logins = {self.provider: id_token}
        given = self.identity.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]
        return boto3.client(
            "s3",
            endpoint_url=self.kept["aws_endpoint_url"],
            region_name=self.kept["region"],
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretKey"],
            aws_session_token=given["SessionToken"],
            config=Config(s3={"addressing_style": "path"}),
        )


def test_a_stranger_signs_up_and_keeps_a_photo_in_s3_by_boto3_alone(installation: WithAws) -> None:
    first = wait_for_aws(installation)
    Ada(installation, first).sign_up()

    kept = restart(installation)
    assert lasting(kept) == lasting(first)
    ada, bucket = Ada(installation, kept), kept["bucket"]
    ada.idp.confirm_sign_up(ClientId=kept["client_id"], Username=MAIL, ConfirmationCode=mailed_code(installation))
    tokens = ada.sign_in(ada.take_up_totp())
    own, stranger = ada.identity_id(tokens["IdToken"]), ada.identity_id()

    # What was signed before a rotation still counts after it, and Ceph takes the new key at once.
    installation.manage("rotate_keys", kept["user_pool_id"], "--identity-pools")
    sleep(NOTICED)
    photos = ada.storage(own, tokens["IdToken"])
    photos.put_object(Bucket=bucket, Key=f"{own}/ada.png", Body=b"a photo")
    with pytest.raises(ClientError, match="AccessDenied"):
        photos.put_object(Bucket=bucket, Key=f"{stranger}/ada.png", Body=b"a photo")
    for prefix in (f"{stranger}/", ""):
        with pytest.raises(ClientError, match="AccessDenied"):
            photos.list_objects_v2(Bucket=bucket, Prefix=prefix)

    ada = Ada(installation, restart(installation))
    renewed = ada.begin("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])["AuthenticationResult"]
    assert ada.identity_id(renewed["IdToken"]) == own
    listed = ada.storage(own, renewed["IdToken"]).list_objects_v2(Bucket=bucket, Prefix=f"{own}/")
    assert [line["Key"] for line in listed["Contents"]] == [f"{own}/ada.png"]
