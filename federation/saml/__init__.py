"""SAML 2.0: what an identity provider sends is taken apart, verified, decrypted and judged; owns no tables.

Whoever needs it imports it where it is used: lxml and signxml take memory that no process has to spend before somebody
comes back from a SAML provider. Nothing of an answer is read but what :mod:`federation.saml.signatures` returns.
"""
