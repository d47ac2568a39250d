"""What the demo needs in its AWS: the identity pools' issuer, a role for members and one for guests, bucket and table.

Made anew where it is missing, so that an AWS which forgot everything is whole again at the next start. Policies are
JSON without spaces: Ceph reads a form's ``+`` as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from identity.foundation import outbound

VERSION = "2012-10-17"
MEMBER_ROLE = "CognateDemoMember"
GUEST_ROLE = "CognateDemoGuest"
PUBLIC = "public"
"""The prefix that guests may read."""
OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
THERE_ALREADY = frozenset(
    {"EntityAlreadyExists", "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "ResourceInUseException"}
)
MISSING = frozenset({"NoSuchEntity", "NoSuchEntityException", "404"})
PATIENCE = 60
Keys = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The ARNs of what was made."""

    member_role: str
    guest_role: str


def compact(value: object) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def code(problem: ClientError) -> str:
    """Return the code of an error; Ceph's leave out the envelope."""
    response: Mapping[str, Any] = problem.response
    return str((response.get("Error") or response).get("Code", ""))


def prepare(  # noqa: PLR0913 - what the demo needs
    endpoint_url: str,
    keys: Keys,
    *,
    issuer: str,
    identity_pools: Iterable[str],
    thumbprint: str,
    bucket: str,
    enforces: bool,
    dynamodb_endpoint_url: str = "",
    table: str = "",
) -> Prepared:
    """Make what is missing, and set what may be changed.

    ``identity_pools`` are the audiences that the roles trust; ``thumbprint`` is the issuer's certificate's SHA-1.
    """
    with outbound.call(outbound.origin(endpoint_url), total=PATIENCE):  # a new Ceph makes its storage at first use
        iam = outbound.aws_client("iam", endpoint_url=endpoint_url, keys=keys)
        audiences = sorted(identity_pools)
        if enforces:  # moto insists on https issuers, and checks none
            make_provider(iam, issuer, audiences, thumbprint)
        made = Prepared(
            make_role(iam, MEMBER_ROLE, trust(issuer, audiences, "authenticated"), member_policy(bucket)),
            make_role(iam, GUEST_ROLE, trust(issuer, audiences, "unauthenticated"), guest_policy(bucket)),
        )
        make_bucket(outbound.aws_client("s3", endpoint_url=endpoint_url, keys=keys), bucket)
    if table:
        tables = dynamodb_endpoint_url or endpoint_url
        with outbound.call(outbound.origin(tables), total=PATIENCE):
            make_table(outbound.aws_client("dynamodb", endpoint_url=tables, keys=keys), table)
    return made


def provider_arn(issuer: str) -> str:
    """Return the ARN of an issuer; Ceph's have no account."""
    return f"arn:aws:iam:::oidc-provider/{issuer.split('://', 1)[-1]}"


def make_provider(iam: Any, issuer: str, audiences: list[str], thumbprint: str) -> None:  # noqa: ANN401 - boto3's own
    """Make the STS know the issuer and these audiences, beside those that it knows already."""
    arn = provider_arn(issuer)
    try:
        known = set(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn).get("ClientIDList", []))
    except ClientError as problem:
        if code(problem) not in MISSING:
            raise
        known = set()
    else:
        if known >= set(audiences):
            return
        # Ceph cannot add an audience to one that is there.
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    iam.create_open_id_connect_provider(
        Url=issuer, ClientIDList=sorted(known | set(audiences)), ThumbprintList=[thumbprint]
    )


def trust(issuer: str, audiences: list[str], method: str, *, tags: bool = True) -> str:
    """Return the trust policy for tokens of the issuer, made for these audiences by this method."""
    place = issuer.split("://", 1)[-1]
    actions = ["sts:AssumeRoleWithWebIdentity", *(["sts:TagSession"] if tags else [])]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": [provider_arn(issuer)]},
        "Action": actions,
        "Condition": {
            "StringEquals": {f"{place}:aud": audiences},
            "ForAnyValue:StringLike": {f"{place}:amr": method},
        },
    }
    return compact({"Version": VERSION, "Statement": [statement]})


def make_role(iam: Any, name: str, trusted: str, policy: str) -> str:  # noqa: ANN401 - boto3's own
    """Make a role, or set what it trusts and allows; return its ARN."""
    try:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)
    except ClientError as problem:
        if code(problem) not in THERE_ALREADY:
            raise
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusted)
    iam.put_role_policy(RoleName=name, PolicyName="demo", PolicyDocument=policy)
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def member_policy(bucket: str) -> str:
    """Return what members may do at most; a session policy keeps each to the own prefix."""
    return compact(
        {
            "Version": VERSION,
            "Statement": [
                {"Effect": "Allow", "Action": list(OBJECTS), "Resource": f"arn:aws:s3:::{bucket}/*"},
                {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
            ],
        }
    )


def guest_policy(bucket: str) -> str:
    """Return what guests may do: read what is public."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/{PUBLIC}/*"}
    return compact({"Version": VERSION, "Statement": [statement]})


def session_policy(bucket: str) -> str:
    """Return the template that keeps a member to what lies under the own identity id."""
    return compact(
        {
            "Version": VERSION,
            "Statement": [
                {"Effect": "Allow", "Action": list(OBJECTS), "Resource": f"arn:aws:s3:::{bucket}/{{identity_id}}/*"},
                {
                    "Effect": "Allow",
                    "Action": "s3:ListBucket",
                    "Resource": f"arn:aws:s3:::{bucket}",
                    "Condition": {"StringLike": {"s3:prefix": "{identity_id}/*"}},
                },
            ],
        }
    )


def make_bucket(s3: Any, bucket: str) -> None:  # noqa: ANN401 - boto3's own
    """Make the bucket, and let browsers of any page ask for it: keys decide, not origins."""
    try:
        s3.create_bucket(Bucket=bucket)
    except ClientError as problem:
        if code(problem) not in THERE_ALREADY:
            raise
    rule = {
        "AllowedOrigins": ["*"],
        "AllowedMethods": ["GET", "HEAD", "PUT", "POST", "DELETE"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3000,
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def make_table(dynamodb: Any, table: str) -> None:  # noqa: ANN401 - boto3's own
    """Make the table: rows of an identity, by key."""
    try:
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "identity_id", "KeyType": "HASH"},
                {"AttributeName": "key", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "identity_id", "AttributeType": "S"},
                {"AttributeName": "key", "AttributeType": "S"},
            ],
        )
    except ClientError as problem:
        if code(problem) not in THERE_ALREADY:
            raise
