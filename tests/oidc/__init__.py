"""The OAuth and OpenID Connect face, asked over HTTP as applications and browsers ask it."""
