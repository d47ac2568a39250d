"""The OAuth and OpenID Connect adapter, asked over HTTP as applications and browsers ask it."""
