# pretend: pools/services/planted_rounds.py
# breaks: No circles
"""The other half."""

from pools.services import planted_circle as planted_circle
