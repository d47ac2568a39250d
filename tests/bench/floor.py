"""The floor: a Django that does one job by hand and nothing else. Keys and client are held in the process.

Served by the same granian, with the same threads and the same PostgreSQL, in the same run.
"""

from __future__ import annotations

import base64
import json
import os
from time import time

import django
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings

from identity.foundation.server_urls import database

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": database(os.environ["DATABASE_URL"], 30)},
    INSTALLED_APPS=[],
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY="floor",
    USE_TZ=True,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - after setup
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

KEY = rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key()
HEAD = base64.urlsafe_b64encode(b'{"kid":"floor","alg":"RS256"}').rstrip(b"=")
ONE = "SELECT id, sub, username, email, enabled, epoch, status FROM pool_user WHERE id = %s"
SUBJECT = os.environ.get("FLOOR_SUBJECT", "00000000-0000-0000-0000-000000000000")


def signed(use: str) -> str:
    """Return a signed token of the usual size."""
    now = int(time())
    claims = {"sub": SUBJECT, "iss": "floor", "token_use": use, "scope": "a b c", "iat": now, "exp": now + 3600}
    covered = HEAD + b"." + base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    signature = KEY.sign(covered, padding.PKCS1v15(), SHA256())
    return (covered + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


BEARER = signed("access")


def select() -> object:
    """Read one row."""
    with connection.cursor() as cursor:
        cursor.execute(ONE, [SUBJECT])
        return cursor.fetchone()


def answer(value: object) -> HttpResponse:
    """Answer with JSON."""
    return HttpResponse(json.dumps(value, default=str), content_type="application/json")


def empty(_request: HttpRequest) -> HttpResponse:
    """Answer nothing."""
    return HttpResponse(b"{}", content_type="application/json")


def one_select(_request: HttpRequest) -> HttpResponse:
    """Answer with one row."""
    return answer(select())


@csrf_exempt
def one_signature(_request: HttpRequest) -> HttpResponse:
    """Do what a client-credentials grant must: one SELECT, one signature."""
    select()
    return answer({"access_token": signed("access"), "token_type": "Bearer", "expires_in": 3600})


@csrf_exempt
def two_signatures(_request: HttpRequest) -> HttpResponse:
    """Do what a refresh must: one SELECT, two signatures."""
    select()
    return answer({"access_token": signed("access"), "id_token": signed("id"), "token_type": "Bearer"})


def verify(_request: HttpRequest) -> HttpResponse:
    """Do what GetUser must: check a signature, one SELECT."""
    covered, _, signature = BEARER.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    try:
        PUBLIC.verify(raw, covered.encode(), padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return HttpResponse(status=401)
    return answer(select())


urlpatterns = [
    path("empty", empty),
    path("select", one_select),
    path("one-signature", one_signature),
    path("two-signatures", two_signatures),
    path("verify", csrf_exempt(verify)),
]
application = get_wsgi_application()
