# pretend: pools/services/fetch.py
# breaks: TID251
"""Asks the outside by a way of its own."""

import requests

requests.get("https://example.com", timeout=1)
