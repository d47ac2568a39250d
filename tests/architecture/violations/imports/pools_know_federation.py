# pretend: pools/planted_federation.py
# breaks: Pools know nothing of federation
"""A pool that asks another identity system itself."""

from federation import sts as sts
