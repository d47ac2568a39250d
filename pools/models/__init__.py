"""Storage: fields, constraints, indexes. No decisions; only ``pools.services`` may import it.

Every table but the installation's own starts each index and unique constraint with the pool, so that the
largest can be partitioned or distributed by it later. Nothing is deleted by Django's collector: foreign keys are
``DO_NOTHING`` with a constraint in the database, users and pools die by tombstone and are purged in chunks.
"""

from pools.models.app_client import AppClient, ClientSecret
from pools.models.event import AuditEvent, AuditPersonal, AuthEvent
from pools.models.factor import TotpFactor
from pools.models.identity_pool import DEVELOPERS, Identity, IdentityLogin, IdentityPool, PrincipalTagMap
from pools.models.identity_provider import (
    COGNITO_SUBJECT,
    ENDS,
    ISSUER,
    ExternalLogin,
    IdentityProvider,
    ProviderIdentifier,
)
from pools.models.interaction import FormReceipt, Interaction
from pools.models.message import CapturedMessage, OutboxMessage, PeriodicTask
from pools.models.saml_application import SamlApplication, SamlParticipant
from pools.models.session import Attempt, BrowserSession, Guess, Spent
from pools.models.token import AuthorizationCode, OneTimeCode, RefreshFamily, SigningCertificate, SigningKey
from pools.models.upstream import EncryptionKey, UpstreamSession, UsedProof
from pools.models.user import Group, Membership, Password, PasswordHistory, SignInName, User
from pools.models.user_import import UserImportChunk, UserImportJob, UserImportLine
from pools.models.user_pool import PoolDomain, ResourceServer, UserPool

__all__ = [
    "COGNITO_SUBJECT",
    "DEVELOPERS",
    "ENDS",
    "ISSUER",
    "AppClient",
    "Attempt",
    "AuditEvent",
    "AuditPersonal",
    "AuthEvent",
    "AuthorizationCode",
    "BrowserSession",
    "CapturedMessage",
    "ClientSecret",
    "EncryptionKey",
    "ExternalLogin",
    "FormReceipt",
    "Group",
    "Guess",
    "Identity",
    "IdentityLogin",
    "IdentityPool",
    "IdentityProvider",
    "Interaction",
    "Membership",
    "OneTimeCode",
    "OutboxMessage",
    "Password",
    "PasswordHistory",
    "PeriodicTask",
    "PoolDomain",
    "PrincipalTagMap",
    "ProviderIdentifier",
    "RefreshFamily",
    "ResourceServer",
    "SamlApplication",
    "SamlParticipant",
    "SignInName",
    "SigningCertificate",
    "SigningKey",
    "Spent",
    "TotpFactor",
    "UpstreamSession",
    "UsedProof",
    "User",
    "UserImportChunk",
    "UserImportJob",
    "UserImportLine",
    "UserPool",
]
