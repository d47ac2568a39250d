# pretend: pools/services/remember.py
# breaks: TID251
"""Keeps something in Redis alone."""

from django.core.cache import cache

cache.set("a", 1)
