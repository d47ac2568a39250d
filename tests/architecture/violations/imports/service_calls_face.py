# pretend: pools/services/planted_face.py
# breaks: The house: imports point down
"""A rule that calls a face."""

from pools.oidc import discovery as discovery
