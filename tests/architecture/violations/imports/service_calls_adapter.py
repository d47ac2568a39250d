# pretend: pools/services/planted_adapter.py
# breaks: Imports point down
"""A rule that calls an adapter."""

from pools.oidc import discovery as discovery
