"""Secrets that are shown once: they wait, sealed, in the session of the operator who made them."""

from __future__ import annotations

from django.http import HttpRequest

from identity.foundation import sealing

KEPT = "shown-once"


def keep_once(request: HttpRequest, name: str, secret: str) -> None:
    """Keep a new secret until its page is opened."""
    request.session[KEPT] = [name, sealing.seal_text(secret.encode(), purpose=f"once:{name}")]


def take_once(request: HttpRequest, name: str) -> str:
    """Return the secret that waits under this name and forget it; nothing at the second visit."""
    kept = request.session.get(KEPT)
    if not kept or kept[0] != name or request.method != "GET":
        return ""
    del request.session[KEPT]
    try:
        return sealing.unseal_text(kept[1], purpose=f"once:{name}").decode()
    except sealing.Unsealable:
        return ""
