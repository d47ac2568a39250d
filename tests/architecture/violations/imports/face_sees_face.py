# pretend: pools/oidc/planted_neighbour.py
# breaks: Faces never see one another
"""A face that looks into another."""

from pools.hosted import forms as forms
