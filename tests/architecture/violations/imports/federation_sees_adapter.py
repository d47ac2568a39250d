# pretend: federation/planted_adapter.py
# breaks: Federation and console know no adapter
"""A provider that opens a login page itself."""

from pools.hosted import forms as forms
