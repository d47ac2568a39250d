"""Asks an STS for a role's credentials. The call appears once, here.

Speaks to Amazon's STS and to those that others wrote: what they say when they refuse differs, what it means does not.
"""

from __future__ import annotations

from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from django.conf import settings

from identity.foundation import outbound
from identity.foundation.errors import DomainError, OutsideUnavailable, Overloaded, RoleRefused
from pools.ports import Credentials, TokenTooOld

log = structlog.get_logger(__name__)
THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown", "RequestLimitExceeded"}
)
UNREACHABLE = frozenset({"ServiceUnavailable", "InternalFailure", "InternalError", "ServiceFailure"})
EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken"})
KEYS_NOT_FETCHED = "verification key"
"""What Amazon says when it could not fetch our keys; once more often helps."""
SERVER_FAULT = 500


class SecurityTokenService:
    """The STS that configuration names; Amazon's where it names none."""

    def issue(self, *, role_arn: str, token: str, session_name: str, duration: int, policy: str | None) -> Credentials:
        """Return a role's credentials for a token of the identity pools' issuer. One clock over both tries.

        Raises:
            TokenTooOld: the token expired on its way; only whoever made it can make another.
            RoleRefused: the STS refuses token, role, tags or policy; why is the detail.
            OutsideUnavailable: no answer in time.
            Overloaded: the STS or this process has too much to do.

        """
        client = outbound.aws_client("sts", endpoint_url=settings.STS_ENDPOINT_URL)
        asked = {
            "RoleArn": role_arn,
            "RoleSessionName": session_name,
            "WebIdentityToken": token,
            "DurationSeconds": duration,
            **({"Policy": policy} if policy else {}),
        }
        with outbound.call(outbound.origin(client.meta.endpoint_url)):
            try:
                return self._ask(client, asked)
            except RoleRefused as refusal:
                if KEYS_NOT_FETCHED not in refusal.detail:
                    raise
                return self._ask(client, asked)

    def _ask(self, client: Any, asked: dict[str, Any]) -> Credentials:  # noqa: ANN401 - boto3's own
        try:
            found = client.assume_role_with_web_identity(**asked)["Credentials"]
            return Credentials(
                found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], found["Expiration"]
            )
        except ClientError as answer:
            raise refusal_for(answer.response) from answer
        except (BotoCoreError, ResponseParserError) as problem:
            raise OutsideUnavailable(detail=f"STS: {type(problem).__name__}: {problem}") from problem
        except KeyError as problem:
            raise OutsideUnavailable(detail=f"STS: an answer without {problem}") from problem


def refusal_for(response: dict[str, Any]) -> DomainError:
    """Return what an STS's error means to whoever asked us."""
    # Ceph leaves out the envelope that Amazon puts round its error, so botocore finds the code one level up.
    error = response.get("Error") or response
    code, words = str(error.get("Code", "")), str(error.get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    detail = f"STS: {code or status} {words}".strip()
    if code in THROTTLED:
        return Overloaded(detail=detail)
    if code in UNREACHABLE or status >= SERVER_FAULT:
        return OutsideUnavailable(detail=detail)
    if code in EXPIRED:
        return TokenTooOld(detail=detail)
    return RoleRefused(detail=detail)
