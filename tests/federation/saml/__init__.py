"""SAML: an identity provider that issues, and whoever attacks what it issued."""
