"""Writes pools/web/country_names.json from the metadata of ``phonenumbers``, whose names weigh 100 MiB once loaded.

A web process that asks for a phone number reads the file instead. Run it when the library has new regions.
"""

from __future__ import annotations

import json
from typing import Any

import phonenumbers
from django.core.management.base import BaseCommand
from phonenumbers.geodata.locale import LOCALE_DATA

from pools.web import phone_fields

LANGUAGE = "en"
UNNAMED = {"AC": "Ascension Island", "TA": "Tristan da Cunha", "XK": "Kosovo"}
"""Regions with a calling code that the library has no name for."""


def name(region: str) -> str:
    """Return what a region is called; ``*xx`` means as in another language."""
    if region in UNNAMED:
        return UNNAMED[region]
    names = LOCALE_DATA[region]
    found = names[LANGUAGE] if LANGUAGE in names else names["aa"]
    return names[found[1:]] if found.startswith("*") else found


class Command(BaseCommand):
    """Write the file."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []  # written wherever the code is, configured or not

    def handle(self, *args: Any, **options: Any) -> None:
        """Write."""
        del args, options
        found = {
            each: [name(each), phonenumbers.country_code_for_region(each)] for each in phonenumbers.SUPPORTED_REGIONS
        }
        lines = [f" {json.dumps(each)}: {json.dumps(found[each], ensure_ascii=False)}" for each in sorted(found)]
        phone_fields.NAMES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
