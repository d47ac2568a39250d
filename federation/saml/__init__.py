"""SAML 2.0: what others send is taken apart, verified, decrypted and judged, and messages to them are written.

Owns no tables, and knows neither pools nor people.

Whoever needs it imports it where it is used: lxml and signxml take memory that no process has to spend before somebody
comes back from a SAML provider. Nothing of an answer is read but what :mod:`federation.saml.signatures` returns.
"""
