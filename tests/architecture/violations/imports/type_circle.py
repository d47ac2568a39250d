# pretend: pools/web/planted_annotating.py
# breaks: No circles
"""Half of a circle that annotations close; planted_annotated is the other."""

from pools.web import planted_annotated as planted_annotated
