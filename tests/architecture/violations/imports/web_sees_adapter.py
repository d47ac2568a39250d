# pretend: pools/web/planted_adapter.py
# breaks: Imports point down
"""What adapters share, made of one of them."""

from pools.hosted import forms as forms
