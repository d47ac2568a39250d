# pretend: pools/hosted/planted_storage.py
# breaks: Only services touch storage
"""A page that reads tables."""

from pools.models import User as User
