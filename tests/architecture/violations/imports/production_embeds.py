# pretend: identity/console/planted_embedded.py
# breaks: Production never imports what make run starts beside it
"""Leans on what development starts."""

from identity.embedded import keys as keys
