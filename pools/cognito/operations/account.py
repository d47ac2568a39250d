"""A person's own account, by an access token with the scope that Cognito's API asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation.actor import Actor
from pools.cognito import challenges, shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.people import attributes, users
from pools.services.tokens import verify

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        GetUserRequestTypeDef,
        GlobalSignOutRequestTypeDef,
        UpdateUserAttributesRequestTypeDef,
    )

    from pools.models import User
    from pools.services.tokens.verify import Bearer

SCOPE = "aws.cognito.signin.user.admin"


def bearer_of(access_token: str, *, changing_proof: bool = False) -> Bearer:
    """Return whose access token it is, verified; ``changing_proof`` where it changes how that person signs in."""
    return verify.verify_access(access_token, scope=SCOPE, changing_proof=changing_proof)


def behind(access_token: str, *, changing_proof: bool = False) -> tuple[Bearer, User]:
    """Return whose access token it is, with the row that a write needs."""
    bearer = bearer_of(access_token, changing_proof=changing_proof)
    return bearer, access.user_by_sub(bearer.pool, bearer.sub)


def acting(by: Actor, bearer: Bearer) -> Actor:
    """Return the person as the one who acts."""
    return Actor.user(bearer.sub, address=by.address, request_id=by.request_id)


@user_pools.operation
def get_user(call: GetUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetUser."""
    bearer = bearer_of(call["AccessToken"])
    person = bearer.person
    return {
        "Username": bearer.username,
        "UserAttributes": shapes.attribute_list(verify.attributes_of(person, bearer.client)),
        **challenges.mfa(person, person.factors),
    }


@user_pools.operation
def update_user_attributes(call: UpdateUserAttributesRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateUserAttributes."""
    bearer, user = behind(call["AccessToken"])
    changes = shapes.attributes(call["UserAttributes"])
    if attributes.changes_proof(user, changes):
        verify.check_proof(bearer)
    sent = attributes.update(bearer.client, user, changes, by=acting(by, bearer))
    return {"CodeDeliveryDetailsList": [shapes.delivery(delivery) for delivery in sent]}


@user_pools.operation
def global_sign_out(call: GlobalSignOutRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GlobalSignOut."""
    bearer, user = behind(call["AccessToken"])
    users.global_sign_out(bearer.pool, user, by=acting(by, bearer))
    return {}
