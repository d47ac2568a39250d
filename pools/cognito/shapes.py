"""Rows and results as Amazon's structures, one function each, and the mechanical turn of names between the two worlds.

Amazon's ``PolicyName`` is our ``policy_name``. Map keys are data and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from django.conf import settings as installation

from identity.foundation import names
from identity.foundation.errors import Invalid, Misuse
from pools.cognito import contract
from pools.services.people import users
from pools.services.pools import (
    client_secrets,
    client_settings,
    pool_domains,
    pool_settings,
    resource_servers,
    signing_keys,
    user_pools,
)
from pools.services.providers import identity_providers

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef

    from pools.models import (
        AppClient,
        ClientSecret,
        Group,
        IdentityProvider,
        PoolDomain,
        ResourceServer,
        User,
        UserPool,
    )
    from pools.models.user_listing import Listed
    from pools.services.messages.destinations import Delivery
    from pools.services.tokens.issue import TokenSet

ONE_WORD = re.compile(r"OAuth|URLs|URIs|ARNs")
BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=2048)
def snake(name: str) -> str:
    """Return our name of a member: ``AllowedOAuthFlows`` is ``allowed_oauth_flows``."""
    return BORDER.sub("_", ONE_WORD.sub(lambda found: found[0].capitalize(), name)).lower()


def shape(name: str) -> Shape:
    """Return a shape of the user pools' model by its name."""
    return contract.user_pools.model.shape_for(name)


@lru_cache(maxsize=512)
def members(shape: StructureShape) -> dict[str, tuple[str, Shape]]:
    """Return a structure's members by our names."""
    return {snake(name): (name, member) for name, member in shape.members.items()}


def member_name(operation: str, name: str) -> str:
    """Return Amazon's name of a setting of ours that an operation takes: dots lead into structures in both."""
    found, inside = [], contract.model(operation).input_shape
    for part in name.split("."):
        if not isinstance(inside, StructureShape) or part not in members(inside):
            raise Misuse(f"{operation} takes no {name}")
        theirs, inside = members(inside)[part]
        found.append(theirs)
    return ".".join(found)


def inward(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - any structure
    """Return a structure of Amazon's with our names."""
    match shape:
        case StructureShape() if not shape.is_document_type:
            return {snake(name): inward(shape.members[name], item) for name, item in value.items()}
        case ListShape():
            return [inward(shape.member, item) for item in value]
        case MapShape():
            return {name: inward(shape.value, item) for name, item in value.items()}
    return value


def outward(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - any structure
    """Return a structure of ours with Amazon's names; what the shape does not have, and None, is left out."""
    match shape:
        case StructureShape() if not shape.is_document_type:
            known = members(shape)
            return {
                known[name][0]: outward(known[name][1], item)
                for name, item in value.items()
                if name in known and item is not None
            }
        case ListShape():
            return [outward(shape.member, item) for item in value]
        case MapShape():
            return {name: outward(shape.value, item) for name, item in value.items()}
    return value


def settings(operation: str, call: Mapping[str, Any], *, without: tuple[str, ...]) -> dict[str, Any]:
    """Return a request's members with our names, without those that the handler reads itself."""
    shape = contract.model(operation).input_shape
    given: Mapping[str, Any] = {name: value for name, value in call.items() if name not in without}
    found: dict[str, Any] = inward(shape, given) if shape else {}
    return found


def output(operation: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation's whole output from a structure with our names."""
    shape = contract.model(operation).output_shape
    found: dict[str, Any] = outward(shape, value) if shape else {}
    return found


def page(name: str, lines: Iterable[dict[str, Any]], token_name: str, token: str | None) -> dict[str, Any]:
    """Return a page of a list; no token at the end."""
    return {name: list(lines), **({token_name: token} if token else {})}


# -- pools -----------------------------------------------------------------------------------------------------------


def user_pool(pool: UserPool) -> dict[str, Any]:
    """Return UserPoolType: what was set, and the defaults that Cognito tells too."""
    description = {
        **pool_settings.TABLE.describe(pool),
        "id": pool.public_id,
        "arn": names.pool_arn(pool.public_id),
        "name": pool.name,
        "creation_date": pool.created_at,
        "last_modified_date": pool.modified_at,
        "schema_attributes": user_pools.schema_attributes(pool),
        "estimated_number_of_users": user_pools.estimated_users(pool),
        **{"custom_domain" if each.custom else "domain": each.name for each in pool_domains.of(pool)},
    }
    found: dict[str, Any] = outward(shape("UserPoolType"), description)
    return found


def user_pool_line(pool: UserPool) -> dict[str, Any]:
    """Return UserPoolDescriptionType."""
    return {
        "Id": pool.public_id,
        "Name": pool.name,
        "LambdaConfig": outward(shape("LambdaConfigType"), pool.configuration.get("lambda_config") or {}),
        "LastModifiedDate": pool.modified_at,
        "CreationDate": pool.created_at,
    }


def pool_domain(domain: PoolDomain) -> dict[str, Any]:
    """Return DomainDescriptionType. There is no bucket, and what CloudFront is at Amazon is the installation's host."""
    description = {
        "user_pool_id": domain.pool.public_id,
        "aws_account_id": installation.ACCOUNT_ID,
        "domain": domain.name,
        "cloud_front_distribution": pool_domains.alias_target(),
        "version": domain.created_at.strftime("%Y%m%d%H%M%S"),
        "status": "ACTIVE",
        **domain.configuration,
    }
    found: dict[str, Any] = outward(shape("DomainDescriptionType"), description)
    return found


def resource_server(pool: UserPool, server: ResourceServer) -> dict[str, Any]:
    """Return ResourceServerType."""
    return {
        "UserPoolId": pool.public_id,
        "Identifier": server.identifier,
        "Name": server.name,
        "Scopes": [{"ScopeName": scope["name"], "ScopeDescription": scope["description"]} for scope in server.scopes],
        **({"ManagedBy": "COGNITO"} if resource_servers.is_own(server) else {}),
    }


def identity_provider_line(provider: IdentityProvider) -> dict[str, Any]:
    """Return ProviderDescription."""
    return {
        "ProviderName": provider.name,
        "ProviderType": provider.type,
        "LastModifiedDate": provider.modified_at,
        "CreationDate": provider.created_at,
    }


def identity_provider(pool: UserPool, provider: IdentityProvider) -> dict[str, Any]:
    """Return IdentityProviderType."""
    return {
        **identity_provider_line(provider),
        "UserPoolId": pool.public_id,
        "ProviderDetails": identity_providers.described_details(pool, provider),
        "AttributeMapping": provider.attribute_mapping,
        **({"AcrMapping": provider.acr_mapping} if provider.acr_mapping else {}),
        "IdpIdentifiers": identity_providers.identifiers(provider),
    }


def app_client(pool: UserPool, client: AppClient) -> dict[str, Any]:
    """Return UserPoolClientType. What was never set is left out, but for what Cognito always tells."""
    description = {
        **client_settings.TABLE.describe(client),
        "user_pool_id": pool.public_id,
        "client_id": client.client_id,
        "client_secret": next(iter(client_secrets.values(client)), None) if client.confidential else None,
        "last_modified_date": client.modified_at,
        "creation_date": client.created_at,
        "client_type": "DCR" if client.registered else "REGULAR",
    }
    found: dict[str, Any] = outward(shape("UserPoolClientType"), description)
    return found


def client_secret(client: AppClient, row: ClientSecret) -> dict[str, Any]:
    """Return ClientSecretDescriptorType, without the secret."""
    return {"ClientSecretId": client_secrets.public_id(client, row), "ClientSecretCreateDate": row.created_at}


# -- users -----------------------------------------------------------------------------------------------------------


def attributes(given: Iterable[AttributeTypeTypeDef]) -> dict[str, str]:
    """Return AttributeListType as a map.

    Raises:
        Invalid: a name occurs twice.

    """
    found: dict[str, str] = {}
    for item in given:
        if item["Name"] in found:
            raise Invalid(f"Attribute {item['Name']} is given twice.", field=item["Name"])
        found[item["Name"]] = item.get("Value", "")
    return found


def attribute_list(given: Mapping[str, str], *, only: AbstractSet[str] | None = None) -> list[dict[str, str]]:
    """Return AttributeListType."""
    return [{"Name": name, "Value": value} for name, value in given.items() if only is None or name in only]


def user(row: User | Listed, *, only: AbstractSet[str] | None = None) -> dict[str, Any]:
    """Return UserType."""
    return {
        "Username": row.username,
        "Attributes": attribute_list(users.attributes_of(row), only=only),
        "UserCreateDate": row.created_at,
        "UserLastModifiedDate": row.modified_at,
        "Enabled": row.enabled,
        "UserStatus": row.status,
    }


def group(pool: UserPool, row: Group) -> dict[str, Any]:
    """Return GroupType; what was never said is left out."""
    return {
        "GroupName": row.name,
        "UserPoolId": pool.public_id,
        **({"Description": row.description} if row.description else {}),
        **({"RoleArn": row.role_arn} if row.role_arn else {}),
        **({} if row.precedence is None else {"Precedence": row.precedence}),
        "LastModifiedDate": row.modified_at,
        "CreationDate": row.created_at,
    }


def delivery(sent: Delivery) -> dict[str, str]:
    """Return CodeDeliveryDetailsType."""
    return {"Destination": sent.destination, "DeliveryMedium": sent.medium, "AttributeName": sent.attribute}


# -- signing in ------------------------------------------------------------------------------------------------------


def authentication_result(tokens: TokenSet) -> dict[str, Any]:
    """Return AuthenticationResultType; a refresh token only where there is a new one."""
    return {
        "AccessToken": tokens.access,
        "ExpiresIn": tokens.expires_in,
        "TokenType": "Bearer",
        **({"RefreshToken": tokens.refresh} if tokens.refresh else {}),
        **({"IdToken": tokens.id} if tokens.id else {}),
    }


def names_in(tokens: TokenSet) -> list[str]:
    """Return the names of whom fresh tokens of ours are about: those that a SECRET_HASH may cover."""
    claims = signing_keys.unverified_claims(tokens.id or tokens.access)
    known = ("cognito:username", "username", "sub", "email", "phone_number", "preferred_username")
    return [str(claims[name]) for name in known if name in claims]
