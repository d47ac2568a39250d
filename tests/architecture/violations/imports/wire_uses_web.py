# pretend: pools/cognito/planted_browser.py
# breaks: What browsers need is for browser-facing adapters and federation
"""A wire operation that looks for a cookie."""

from pools.web import browser as browser
