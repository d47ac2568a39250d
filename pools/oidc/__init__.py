"""The OAuth 2 and OpenID Connect adapter of a user pool: authorize, token, userInfo, revoke, logout, discovery.

Reads and writes the protocol; decides nothing that a service decides. Authlib's server classes stay in here.
"""
