# pretend: pools/planted_gatehouse.py
# breaks: Pools know nothing of the gatehouse
"""A room that looks out."""

from federation import sts as sts
