"""A person's own account, by an access token with the scope that Cognito's API asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from identity.foundation.actor import Actor
from pools.cognito import challenges, shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.people import address_proofs, attributes, passwords, users
from pools.services.tokens import verify

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        DeleteUserAttributesRequestTypeDef,
        DeleteUserRequestTypeDef,
        GetUserAttributeVerificationCodeRequestTypeDef,
        GetUserAuthFactorsRequestTypeDef,
        GetUserRequestTypeDef,
        GlobalSignOutRequestTypeDef,
        UpdateUserAttributesRequestTypeDef,
        VerifyUserAttributeRequestTypeDef,
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
    return replace(by, kind="user", id=str(bearer.sub))


@user_pools.operation
def get_user(call: GetUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetUser."""
    bearer = bearer_of(call["AccessToken"])
    person = bearer.person
    return {
        "Username": bearer.username,
        "UserAttributes": shapes.attribute_list(verify.attributes_of(person, bearer.client)),
        **challenges.mfa_of_user(person, person.factors),
    }


@user_pools.operation
def update_user_attributes(call: UpdateUserAttributesRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateUserAttributes."""
    bearer, user = behind(call["AccessToken"])
    changes = shapes.attributes(call["UserAttributes"])
    if attributes.changes_proof(bearer.client.pool, user, changes):
        verify.check_proof(bearer)
    sent = attributes.update(bearer.client, user, changes, by=acting(by, bearer))
    return {"CodeDeliveryDetailsList": [shapes.delivery(delivery) for delivery in sent]}


@user_pools.operation
def delete_user_attributes(call: DeleteUserAttributesRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteUserAttributes."""
    bearer, user = behind(call["AccessToken"])
    changes = dict.fromkeys(call["UserAttributeNames"], "")
    if attributes.changes_proof(bearer.client.pool, user, changes):
        verify.check_proof(bearer)
    attributes.update(bearer.client, user, changes, by=acting(by, bearer))
    return {}


@user_pools.operation
def get_user_attribute_verification_code(call: GetUserAttributeVerificationCodeRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetUserAttributeVerificationCode."""
    bearer, user = behind(call["AccessToken"])
    sent = address_proofs.send_code(bearer.client, user, call["AttributeName"], by=acting(by, bearer))
    return {"CodeDeliveryDetails": shapes.delivery(sent)}


@user_pools.operation
def verify_user_attribute(call: VerifyUserAttributeRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_VerifyUserAttribute."""
    bearer, user = behind(call["AccessToken"], changing_proof=True)
    by = acting(by, bearer)
    address_proofs.verify(bearer.pool, user, call["AttributeName"], call["Code"], client=bearer.client, by=by)
    return {}


@user_pools.operation
def get_user_auth_factors(call: GetUserAuthFactorsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetUserAuthFactors."""
    bearer = bearer_of(call["AccessToken"])
    has_password = passwords.has_one(bearer.pool, bearer.person.id)
    return challenges.auth_factors(bearer.person, bearer.person.factors, has_password=has_password)


@user_pools.operation
def delete_user(call: DeleteUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteUser."""
    bearer, user = behind(call["AccessToken"], changing_proof=True)
    users.delete(bearer.pool, user, by=acting(by, bearer))
    return {}


@user_pools.operation
def global_sign_out(call: GlobalSignOutRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GlobalSignOut."""
    bearer, user = behind(call["AccessToken"])
    users.global_sign_out(bearer.pool, user, by=acting(by, bearer))
    return {}
