# pretend: pools/cognito/planted_authlib.py
# breaks: Authlib is the OIDC provider's and federation's
"""Speaks OAuth in the wrong room."""

import authlib as authlib
