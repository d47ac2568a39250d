# pretend: pools/services/sign_in/factors/planted_factor.py
# breaks: Factors never call one another
"""A factor that leaves a part of its work to another."""

from pools.services.sign_in.factors import totp as totp
