"""Session policies: what confines a caller within a role, on every STS. Ours, beyond Cognito.

A template is a policy with ``{identity_id}`` and ``{tag.NAME}`` in its texts. They are put into parsed JSON, so that
no value can change the policy's form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from identity.foundation.errors import Invalid, RoleRefused

LENGTH = 2048
VERSION = "2012-10-17"
PLACEHOLDER = re.compile(r"\{(identity_id|tag\.[^{}]+)\}")
SAMPLE = "us-east-1:00000000-0000-4000-8000-000000000000"
RESOURCES = frozenset({"Resource", "NotResource"})
AWS_SERVICES = (
    *("appsync", "cloudwatch", "codewhisperer", "cognito-identity", "cognito-idp", "cognito-sync", "comprehend"),
    *("dynamodb", "execute-api", "firehose", "gamelift", "geo", "iot", "kinesis", "lambda", "lex", "logs"),
    *("machinelearning", "mobileanalytics", "mobiletargeting", "personalize", "polly", "rekognition", "s3", "sdb"),
    *("ses", "sns", "sqs", "transcribe", "translate"),
)
AWS_ACTIONS = (
    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "rum:PutRumEvents"),
    *("sagemaker:InvokeEndpoint", "sumerian:View*", "textract:AnalyzeDocument", "textract:DetectDocumentText"),
)
"""What guests may reach at most at Amazon's: a role made too wide by mistake stays in these services, and in these
actions of others.

AWS: Amazon Cognito Developer Guide, "IAM roles", sections "Services that unauthenticated enhanced flow users can
access" (of Kinesis and Pinpoint as its earlier form named them) and "The AWS managed session policy".
"""


def compact(policy: object) -> str:
    """Return JSON without spaces: some servers read a form's ``+`` as it stands."""
    return json.dumps(policy, separators=(",", ":"))


def allowing(services: tuple[str, ...], actions: tuple[str, ...] = ()) -> str:
    """Return the policy that allows all of these services, and these actions of others."""
    allowed = [*(f"{service}:*" for service in services), *actions]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    return compact({"Version": VERSION, "Statement": [statement]})


SCOPE_DOWN = {"aws": allowing(AWS_SERVICES, AWS_ACTIONS), "s3": allowing(("s3",)), "off": None}


def check(template: str) -> None:
    """Refuse a template that cannot become a policy.

    Raises:
        Invalid: not JSON, no policy, too long, or unknown placeholders.

    """
    try:
        policy = json.loads(template)
    except (ValueError, RecursionError):
        raise Invalid("The session policy is not JSON.", field="policy") from None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise Invalid("The session policy has no statement.", field="policy")
    sample = dict.fromkeys((name.removeprefix("tag.") for name in PLACEHOLDER.findall(template)), "x")
    if len(compact(_filled(policy, SAMPLE, sample))) > LENGTH:
        raise Invalid(f"The session policy is longer than {LENGTH} characters.", field="policy")


def render(template: str, *, identity_id: str, tags: Mapping[str, str]) -> str:
    """Return the policy for one caller.

    Raises:
        RoleRefused: the caller lacks a tag that the template names, or the policy grew too long.

    """
    policy = compact(_filled(json.loads(template), identity_id, tags))
    if len(policy) > LENGTH:
        raise RoleRefused(detail=f"session policy: {len(policy)} characters")
    return policy


def for_guest(template: str, *, identity_id: str) -> str | None:
    """Return what confines a guest: the pool's own policy, else the installation's."""
    return render(template, identity_id=identity_id, tags={}) if template else SCOPE_DOWN[settings.GUEST_SESSION_POLICY]


def _filled(part: Any, identity_id: str, tags: Mapping[str, str], key: str = "") -> Any:  # noqa: ANN401 - any JSON
    match part:
        case dict():
            return {
                name: _filled(value, identity_id, tags, name if name in RESOURCES else key)
                for name, value in part.items()
            }
        case list():
            return [_filled(value, identity_id, tags, key) for value in part]
        case str():
            return PLACEHOLDER.sub(lambda found: _value(found[1], identity_id, tags, key), part)
    return part


def _value(name: str, identity_id: str, tags: Mapping[str, str], key: str) -> str:
    if name == "identity_id":
        # Some servers take no colon within a resource; `?` stands for any one character, and the rest is a UUID.
        return identity_id.replace(":", "?") if key in RESOURCES else identity_id
    value = tags.get(name.removeprefix("tag."))
    if value is None:
        # Never left empty: that would open a prefix to everyone.
        raise RoleRefused(detail=f"session policy: the caller has no tag {name.removeprefix('tag.')}")
    return value
