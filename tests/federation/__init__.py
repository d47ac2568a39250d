"""The federation and what asks through it: outbound calls, logins, identities, roles, credentials."""
