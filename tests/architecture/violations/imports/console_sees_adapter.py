# pretend: identity/console/planted_adapter.py
# breaks: Federation and console know no adapter
"""A console that borrows from the login pages."""

from pools.oidc import errors as errors
