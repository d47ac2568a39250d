# pretend: identity/foundation/planted_settings.py
# breaks: Settings are read by Django, never imported
"""Reads settings past Django."""

from identity.settings import BASE_URL as BASE_URL
