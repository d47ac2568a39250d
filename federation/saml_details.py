"""Details of a SAML provider by Amazon's names (API_CreateIdentityProvider), and one of our own."""

from __future__ import annotations

URL, FILE = "MetadataURL", "MetadataFile"
ENTITY_ID = "EntityId"
"""Ours: which provider is meant, where metadata are those of many."""
UNASKED, SIGNS_OUT, ENCRYPTED, SIGNED = "IDPInit", "IDPSignout", "EncryptedResponses", "RequestSigningAlgorithm"
CERTIFICATE, SSO, SLO = "ActiveEncryptionCertificate", "SSORedirectBindingURI", "SLORedirectBindingURI"
FOLLOWS = (CERTIFICATE, SSO, SLO)
"""Those that are told and not kept: who writes back what was described brings them."""
TRUE = "true"
