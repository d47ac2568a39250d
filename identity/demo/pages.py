"""The sample app's page and what it must be told: addresses and ids, from the bootstrap file. No secrets."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from identity.foundation import names

PAGE = Path(__file__).with_name("page.html")
TOLD = (
    *("base_url", "region", "issuer", "client_id", "identity_pool_id", "bucket"),
    *("aws_endpoint_url", "aws_enforces", "aws_is_demo"),
)


def bootstrap() -> dict[str, Any]:
    """Return the bootstrap file's content, empty before the demo was seeded."""
    try:
        found = json.loads((settings.DATA_DIR / "bootstrap.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=1)
def source() -> bytes:
    """Return the page."""
    return PAGE.read_bytes()


def origin(url: str) -> str:
    """Return a URL's origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Serve the page; its scripts may reach ourselves and the bucket, nothing else."""
    del request
    storage = origin(bootstrap().get("aws_endpoint_url", ""))
    ours = origin(settings.BASE_URL)
    response = HttpResponse(source(), content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        f"connect-src 'self' {ours} {storage}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def config(request: HttpRequest) -> HttpResponse:
    """Tell the page what it needs to know."""
    del request
    kept = bootstrap()
    shown: dict[str, Any] = {name: kept.get(name, "") for name in TOLD}
    shown["provider"] = names.without_scheme(str(kept.get("issuer", "")))
    shown["identity_issuer"] = names.identity_issuer()
    shown["redirect_uri"] = f"{settings.BASE_URL}/demo/callback"
    shown["logout_uri"] = f"{settings.BASE_URL}/demo/"
    shown["mailbox_url"] = kept.get("mailbox_url", "")
    return JsonResponse(shown, headers={"Cache-Control": "no-store"})
