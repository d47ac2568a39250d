# pretend: pools/services/planted_circle.py
# breaks: No circles
"""Half of a circle; planted_rounds is the other."""

from pools.services import planted_rounds as planted_rounds
