# pretend: pools/web/planted_circle.py
# breaks: No circles
"""Half of a circle that annotations close; planted_circle_back is the other."""

from pools.web import planted_circle_back as planted_circle_back
