"""The settings by which mail and SMS leave. What follows from others of them, ``identity.environment`` fills in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from identity.foundation.setting_types import Endpoint, Host, Port, Region


class MessageSettings(BaseSettings):
    """The part of the environment that says how messages go."""

    messages: Literal["captured", "smtp"] = Field(
        "smtp",
        description="Mail by SMTP and no SMS, or both kept for the mailbox page, unless the next two say otherwise; "
        "default in development: `captured`.",
    )
    mail_channel: Literal["", "smtp", "ses", "captured"] = Field(
        "", description="How mail leaves, of pools without an SES sender of their own. Default: by `MESSAGES`."
    )
    sms_channel: Literal["", "none", "sns", "eums", "captured"] = Field(
        "", description="How SMS leaves, of pools without a role of their own for it. Default: by `MESSAGES`."
    )
    messages_access_key_id: str = Field(
        "", description="AWS access key for SES, SMS and the roles of pools. Unset: the machine's own role."
    )
    messages_secret_access_key: str = Field("", repr=False, description="Its secret.")
    ses_region: Region | Literal[""] = Field("", description="AWS region of `MAIL_CHANNEL=ses`. Default: `REGION`.")
    sns_region: Region | Literal[""] = Field("", description="AWS region of SNS. Default: the pool's, else `REGION`.")
    eums_region: Region | Literal[""] = Field(
        "", description="AWS region of End User Messaging SMS. Default: the pool's, else `REGION`."
    )
    eums_origination_identity: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_:/+-]{0,256}$",
        description="Whom text messages of `SMS_CHANNEL=eums` are from: a number, sender ID or phone pool, or its ARN. "
        "Unset: the account's own choice by country.",
    )
    eums_configuration_set: str = Field(
        "", pattern=r"^[A-Za-z0-9_:/-]{0,256}$", description="Configuration set of `SMS_CHANNEL=eums`, or its ARN."
    )
    ses_endpoint_url: Endpoint = Field("", description="Where SES is. Unset: AWS.")
    sns_endpoint_url: Endpoint = Field("", description="Where SNS is. Unset: AWS.")
    eums_endpoint_url: Endpoint = Field("", description="Where End User Messaging SMS is. Unset: AWS.")
    sns_sts_endpoint_url: Endpoint = Field("", description="Where pools' roles for SMS are assumed. Unset: AWS.")
    smtp_host: Host = Field("localhost", description="SMTP server.")
    smtp_port: Port = Field(587, description="SMTP port.")
    smtp_user: str = Field("", description="SMTP user.")
    smtp_password: str = Field("", repr=False, description="SMTP password.")
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="How SMTP is protected.")
    smtp_ehlo_name: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.:\[\]-]*$",
        description="Name by which mail servers are greeted. Default: the host of `BASE_URL`.",
    )
    mail_from: str = Field("no-reply@localhost", description="Sender of mail.")
