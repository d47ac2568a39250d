# pretend: pools/planted_federation.py
# breaks: Pools know nothing of federation
"""A room that looks out."""

from federation import sts as sts
