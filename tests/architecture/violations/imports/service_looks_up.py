# pretend: pools/services/pools/planted_above.py
# breaks: Services: packages by subject, each above what it builds on
"""A setting of a pool that asks for its people."""

from pools.services.people import users as users
