# pretend: pools/services/planted_jose.py
# breaks: JOSE is the signing keys' and federation's
"""Signs on its own."""

from joserfc import jwt as jwt
