# pretend: pools/oidc/planted_adapter.py
# breaks: Adapters never see one another
"""An adapter that looks into another."""

from pools.hosted import forms as forms
