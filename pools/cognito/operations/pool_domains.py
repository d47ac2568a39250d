"""Domains of pools: prefixes, and host names of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.pools import pool_domains

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        CreateUserPoolDomainRequestTypeDef,
        DeleteUserPoolDomainRequestTypeDef,
        DescribeUserPoolDomainRequestTypeDef,
        UpdateUserPoolDomainRequestTypeDef,
    )

    from identity.foundation.actor import Actor
    from pools.models import PoolDomain


@user_pools.operation
def create_user_pool_domain(call: CreateUserPoolDomainRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateUserPoolDomain."""
    pool = access.pool(call["UserPoolId"])
    settings = shapes.settings("CreateUserPoolDomain", call, without=("UserPoolId", "Domain"))
    return told(pool_domains.create(pool, call["Domain"], settings=settings, by=by))


@user_pools.operation
def describe_user_pool_domain(call: DescribeUserPoolDomainRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeUserPoolDomain. Of a name that nobody has, an empty description is told."""
    domain = pool_domains.named(call["Domain"])
    return {"DomainDescription": {} if domain is None else shapes.pool_domain(domain)}


@user_pools.operation
def update_user_pool_domain(call: UpdateUserPoolDomainRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateUserPoolDomain."""
    pool = access.pool(call["UserPoolId"])
    settings = shapes.settings("UpdateUserPoolDomain", call, without=("UserPoolId", "Domain"))
    return told(pool_domains.update(pool, call["Domain"], settings=settings, by=by))


@user_pools.operation
def delete_user_pool_domain(call: DeleteUserPoolDomainRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteUserPoolDomain."""
    pool_domains.delete(access.pool(call["UserPoolId"]), call["Domain"], by=by)
    return {}


def told(domain: PoolDomain) -> dict[str, object]:
    """Return what is told of a domain that was made or changed: of a custom one, where its DNS has to lead."""
    version = {"ManagedLoginVersion": domain.configuration["managed_login_version"]}
    return {**version, "CloudFrontDomain": pool_domains.alias_target()} if domain.custom else version
