"""Triggers of a user pool: what happens where one is due, since this release calls none.

Where one may refuse somebody, change what a token says, or carries the messages, the flow ends with the refusal that
Amazon has for a function that cannot be called: nobody gets in, and no code goes out, past a check that somebody relies
on. Where it only hears of something, the flow goes on and the log says so.
"""

from __future__ import annotations

from enum import StrEnum

import structlog

from identity.foundation.errors import DomainError
from pools.models import UserPool

log = structlog.get_logger(__name__)


class TriggerUnavailable(DomainError):
    """A function that may refuse or change what is done cannot be called, so that nothing is done."""

    public = "{} invocation failed due to configuration."

    def __init__(self, trigger: str = "", *, detail: str = "") -> None:
        """Name it as Cognito does."""
        name = "".join(part.capitalize() for part in trigger.split("_")).replace("Sms", "SMS")
        super().__init__(self.public.format(name), parameters={"trigger": trigger}, detail=detail)


class Trigger(StrEnum):
    """A member of ``lambda_config``."""

    PRE_SIGN_UP = "pre_sign_up"
    POST_CONFIRMATION = "post_confirmation"
    PRE_AUTHENTICATION = "pre_authentication"
    POST_AUTHENTICATION = "post_authentication"
    DEFINE_AUTH_CHALLENGE = "define_auth_challenge"
    CREATE_AUTH_CHALLENGE = "create_auth_challenge"
    VERIFY_AUTH_CHALLENGE_RESPONSE = "verify_auth_challenge_response"
    PRE_TOKEN_GENERATION = "pre_token_generation"  # noqa: S105 - a trigger
    PRE_TOKEN_GENERATION_CONFIG = "pre_token_generation_config"  # noqa: S105
    USER_MIGRATION = "user_migration"
    CUSTOM_MESSAGE = "custom_message"
    CUSTOM_EMAIL_SENDER = "custom_email_sender"
    CUSTOM_SMS_SENDER = "custom_sms_sender"
    INBOUND_FEDERATION = "inbound_federation"

    @property
    def is_only_told(self) -> bool:
        """Say whether a flow means the same without it."""
        return self in ONLY_TOLD


ONLY_TOLD = frozenset(
    {Trigger.POST_CONFIRMATION, Trigger.POST_AUTHENTICATION, Trigger.USER_MIGRATION, Trigger.CUSTOM_MESSAGE}
)
"""Hear of something, write other words, or know people who are unknown here, who then stay unknown."""
OF_TOKENS = (Trigger.PRE_TOKEN_GENERATION, Trigger.PRE_TOKEN_GENERATION_CONFIG)
OF_SIGN_IN = (Trigger.PRE_AUTHENTICATION, *OF_TOKENS)
OF_CUSTOM_CHALLENGES = (
    Trigger.DEFINE_AUTH_CHALLENGE,
    Trigger.CREATE_AUTH_CHALLENGE,
    Trigger.VERIFY_AUTH_CHALLENGE_RESPONSE,
)
OF_MESSAGES = (Trigger.CUSTOM_EMAIL_SENDER, Trigger.CUSTOM_SMS_SENDER, Trigger.CUSTOM_MESSAGE)
"""Either sender stops both media: which of them reaches somebody must not tell whether they have an account."""
FOR_CLIENTS = "V3_0"
"""The version of a token's trigger that client credentials call too. AWS: user-pool-lambda-pre-token-generation."""


def check(pool: UserPool, *triggers: Trigger) -> None:
    """Check that triggers may be left out, in the order in which they would be called.

    Raises:
        TriggerUnavailable: the pool has one of them, and it may refuse or change something.

    """
    for trigger in triggers:
        if not (pool.configuration.get("lambda_config") or {}).get(trigger):
            continue
        if not trigger.is_only_told:
            raise TriggerUnavailable(trigger)
        log.warning("trigger_not_called", pool=pool.public_id, trigger=str(trigger))


def check_for_client(pool: UserPool) -> None:
    """Check that the trigger of a client's own token may be left out.

    Raises:
        TriggerUnavailable: the pool has a trigger that may change it.

    """
    given = (pool.configuration.get("lambda_config") or {}).get(Trigger.PRE_TOKEN_GENERATION_CONFIG) or {}
    if given.get("lambda_version") == FOR_CLIENTS:
        raise TriggerUnavailable(Trigger.PRE_TOKEN_GENERATION)
