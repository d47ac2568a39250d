"""Asks SES, SNS, End User Messaging SMS (EUMS) and STS for the channels: by whose keys, how long, and what silence is.

boto3's clients are ``outbound``'s; they are made when a message is first sent, in the process that sends it. What
error codes mean is ``amazon_refusals``'.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError
from django.conf import settings

from federation.channels import amazon_refusals
from identity.foundation import outbound
from identity.foundation.errors import OutsideUnavailable, Overloaded
from pools.ports import InstallationAtFault, NotNow

SECONDS = 10.0
"""How long a gateway may take, boto3's second try included: as long as a mail server may."""
PATIENCE = 10.0
"""Seconds to wait for a permit: nobody waits for whoever sends. Twice both (STS, a gateway) is less than a lease."""
NEVER_SHOWN = (
    # Nothing left this machine: no keys, no such region, no connection.
    aws.EndpointConnectionError,
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.MetadataRetrievalError,
    aws.InvalidRegionError,
    aws.EndpointProviderError,
)
UNREADABLE = (ResponseParserError, AttributeError, LookupError, TypeError, ValueError)
"""What botocore's parsers raise at an answer that has another form than the service's."""
NAMES = {"pinpoint-sms-voice-v2": "EUMS", "sesv2": "SES", "sns": "SNS", "sts": "STS"}
Keys = tuple[str, ...] | None


class Stale(InstallationAtFault):
    """Temporary credentials are good no longer."""


def own_keys() -> Keys:
    """Return the installation's keys; without any, what the machine has."""
    return settings.MESSAGES_KEYS if any(settings.MESSAGES_KEYS) else outbound.MACHINE


def ask(
    service: str, operation: str, asked: Mapping[str, Any], *, endpoint_url: str, region: str, keys: Keys
) -> Mapping[str, Any]:
    """Return what a service answers.

    Raises:
        Undeliverable, NotNow, InstallationAtFault: it does not, by what the table says.
        Stale: because of these keys.

    """
    name = NAMES[service]
    try:
        client = outbound.aws_client(service, endpoint_url=endpoint_url, region=region, keys=keys)
        with ExitStack() as held:
            _enter(held, name, client)
            answer: Mapping[str, Any] = getattr(client, operation)(**asked)
    except aws.ClientError as problem:
        refusal = amazon_refusals.refusal_for(name, problem.response)
        if amazon_refusals.code_of(problem.response) in amazon_refusals.STALE:
            raise Stale(detail=refusal.detail) from None
        raise refusal from None
    except NEVER_SHOWN as problem:
        raise InstallationAtFault(detail=f"{name}: {type(problem).__name__}") from None
    except (aws.BotoCoreError, OutsideUnavailable, *UNREADABLE) as problem:
        # It may have been taken: whoever heard nothing cannot know.
        raise NotNow(detail=f"{name}: {type(problem).__name__}") from None
    return answer


def text_in(name: str, answer: Mapping[str, Any], *way: str) -> str:
    """Return a text inside an answer.

    Raises:
        NotNow: it has none there; whoever answered may have been somebody else.

    """
    found: Any = answer
    for part in way:
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found:
        raise NotNow(detail=f"{name}: an answer without {way[-1]}")
    return found


def _enter(held: ExitStack, name: str, client: Any) -> None:  # noqa: ANN401 - boto3's own
    try:
        place = outbound.origin(client.meta.endpoint_url)
        held.enter_context(outbound.call(place, total=SECONDS, patience=PATIENCE))
    except (OutsideUnavailable, Overloaded) as problem:
        raise InstallationAtFault(detail=f"{name}: {type(problem).__name__}") from None
