"""Identity pools: identities, their logins and roles, and the credentials that follow. STS itself is behind a port."""
