# pretend: pools/cognito/planted_authlib.py
# breaks: Authlib is the OIDC provider's and federation's
"""Speaks OAuth where only AWS JSON is spoken."""

import authlib as authlib
