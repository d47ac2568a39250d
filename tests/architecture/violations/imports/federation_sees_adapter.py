# pretend: federation/planted_adapter.py
# breaks: Federation knows no adapter
"""A provider that opens a login page itself."""

from pools.hosted import forms as forms
