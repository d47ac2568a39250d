# pretend: pools/services/near.py
# breaks: TID252
"""Imports from beside itself."""

from . import access

ACCESS = access
