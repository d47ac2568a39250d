"""Where providers of the public are asked: at their own addresses, or where tests have copies of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings


def at(url: str) -> str:
    """Return where a URL is asked for: with ``SOCIAL_PROVIDERS_URL``, beneath it, under the name of its own host.

    Details and tokens name the real addresses all the while, so that nothing of a copy is ever kept or compared.
    """
    base: str = settings.SOCIAL_PROVIDERS_URL
    if not base:
        return url
    parts = urlsplit(url)
    return f"{base}/{parts.netloc}{parts.path}{f'?{parts.query}' if parts.query else ''}"
