"""What every request gets: its id, the client's true address, which pool it is for, security headers, a language.

Decides nothing else. Pages of operators have more (``identity.console.middleware``); machine endpoints have no more.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotFound
from django.urls import get_resolver, set_script_prefix
from django.utils import translation
from django.utils.cache import patch_vary_headers

from identity import telemetry
from identity.foundation import addresses, clock, connections
from pools.services import configuration

POOL_PREFIX = re.compile(r"^/([\w-]{1,45}_[0-9a-zA-Z]{1,40})(/.*)?$")
UNICODE = frozenset({"utf-8", "ascii"})
PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})
CONSOLE_PATHS = ("/console", "/api/", "/static/", "/health/", "/metrics")
UNKNOWN_ADDRESS = addresses.parsed("0.0.0.0")  # noqa: S104 - nothing is bound to it
"""Stands for a peer without an address, as a Unix socket has none: all of them count as one."""
HOST_WITHOUT_POOL = "cognate.host_without_pool"
"""Stands in the environ of a request whose host was looked up and is no pool's: it is not looked up again."""
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# No form-action: a form's chain of redirects ends at the client, and browsers check each hop.
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# What an account's own forms send stays here: none of them ends at a client.
ACCOUNT_CSP = f"{PAGE_CSP}; form-action 'self'"
log = structlog.get_logger("request")


@lru_cache(maxsize=1)
def own_hosts() -> frozenset[str]:
    """Return the host names (with port where it is not the scheme's own) at which the installation itself answers."""
    hosts: set[str] = set()
    parts = urlsplit(settings.BASE_URL)
    hosts.add(parts.netloc.lower())
    if settings.MODE == "development":
        # The loopback names are one machine; the embedded TLS port serves the same pages.
        for port in (parts.port, settings.TLS_PORT):
            suffix = "" if port in {None, 80, 443} else f":{port}"
            hosts |= {f"{name}{suffix}" for name in ("localhost", "127.0.0.1", "[::1]")}
    return frozenset(hosts)


@lru_cache(maxsize=1)
def console_host() -> str:
    """Return the console's host name where it has an origin of its own, as in production; else empty."""
    base, console = (urlsplit(url).netloc.lower() for url in (settings.BASE_URL, settings.CONSOLE_URL))
    return "" if base == console else console


def new_request_id() -> str:
    """Return a random UUID (RFC 9562 section 5.4) as text: ``uuid`` takes twice as long to write one."""
    number = int.from_bytes(os.urandom(16)) & ~(0xF << 76 | 0b11 << 62) | 0x4 << 76 | 0b10 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def client_address(meta: Mapping[str, Any]) -> str:
    """Return the client's address: the last one in X-Forwarded-For that no trusted proxy added.

    Never empty, or limits would count nobody: what cannot be read is not believed, and whoever handed it on stands for
    the client.
    """
    peer = meta.get("REMOTE_ADDR", "")
    if "HTTP_X_FORWARDED_FOR" not in meta:
        return written(peer)
    address = addresses.parsed(peer)
    hops = [hop for hop in meta["HTTP_X_FORWARDED_FOR"].split(",") if hop.strip()]
    while address and hops and is_trusted(address):
        named = addresses.forwarded(hops.pop())
        if named is None:
            break
        address = named
    return str(address or UNKNOWN_ADDRESS)


@lru_cache(maxsize=4096)
def written(peer: str) -> str:
    """Return a peer's address in its one form."""
    return str(addresses.parsed(peer) or UNKNOWN_ADDRESS)


def is_trusted(address: addresses.Address) -> bool:
    """Say whether a peer is one of our proxies."""
    return any(address in addresses.network(network) for network in settings.TRUSTED_PROXIES)


def is_https_by_configuration(host: str) -> bool:
    """Say whether there is only https at a configured host, whatever a proxy forgot to say of the scheme."""
    scheme, _, base = settings.BASE_URL.partition("://")
    return bool(scheme == "https" and (settings.MODE == "production" or host == base))


def asked_host(meta: Mapping[str, Any]) -> str:
    """Return the host that a request names, as configured ones are written: without a scheme's own port."""
    return str(meta.get("HTTP_HOST", "")).lower().removesuffix(":443").removesuffix(":80")


def came_by_https(meta: Mapping[str, Any]) -> bool:
    """Say whether the client came by https, to us or to a proxy that is believed. Of several words the last is its."""
    if meta.get("wsgi.url_scheme") == "https":
        return True
    scheme = str(meta.get("HTTP_X_FORWARDED_PROTO", "")).rpartition(",")[2].strip().lower()
    peer = addresses.parsed(meta.get("REMOTE_ADDR", "")) if scheme == "https" else None
    return peer is not None and is_trusted(peer)


def content_policy(request: HttpRequest) -> str:
    """Return the content security policy of a page at that address."""
    is_account = request.pool is not None and f"{request.path_info}/".startswith("/account/")  # type: ignore[attr-defined]
    return ACCOUNT_CSP if is_account else PAGE_CSP


def add_headers(headers: MutableMapping[str, str], request_id: str, *, secure: bool, csp: str = PAGE_CSP) -> None:
    """Add the request id and the security headers: to Django's own, or to a dictionary by lower-case names."""
    headers.setdefault("x-amzn-requestid", request_id)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("content-security-policy", csp)
        headers.setdefault("cache-control", "no-store")
    # Browsers keep it for the name, whatever the port: beside an address on http, as `make run` has it, they would
    # never reach that again, nor anything else on localhost.
    if secure and settings.BASE_URL.startswith("https://"):
        headers.setdefault("strict-transport-security", "max-age=31536000")


class Utf8Request(WSGIRequest):
    """A request of Django's that is read as UTF-8, whatever it calls itself.

    Django would decode by any codec of Python's, those that are none of texts included, before a view or middleware
    is asked.
    """

    @property
    def encoding(self) -> str | None:
        """Return no name: Django's default, which is UTF-8."""
        return None

    @encoding.setter
    def encoding(self, name: str | None) -> None:
        """Leave it at that."""


def is_in_another_charset(request: HttpRequest) -> bool:
    """Say whether a request calls itself something else than UTF-8."""
    named = (request.content_params or {}).get("charset")
    if named is None:
        return False
    try:
        return codecs.lookup(named).name not in UNICODE
    except (LookupError, ValueError):
        return True


class RequestMiddleware:
    """Name the request, find its pool by host or path, answer, add headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what follows."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request in."""
        began = clock.monotonic()
        request.request_id = new_request_id()  # type: ignore[attr-defined]
        request.address = client_address(request.META)  # type: ignore[attr-defined]
        request.raw_path = request.path_info  # type: ignore[attr-defined]
        request.pool = None  # type: ignore[attr-defined]
        request.is_in_another_charset = is_in_another_charset(request)  # type: ignore[attr-defined]
        secure = came_by_https(request.META)
        if secure or is_https_by_configuration(asked_host(request.META)):
            request.META["wsgi.url_scheme"] = "https"  # of Django's forms and cookies, and of ours
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request) if self.route(request) else HttpResponseNotFound()
        except connections.UNAVAILABLE as problem:
            # Of the look for a host's pool: what follows answers for itself.
            log.warning("host_unavailable", **connections.described(problem))
            response = get_resolver(settings.POOL_URLCONF).resolve_error_handler(500)(request)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
            set_script_prefix("/")  # the thread goes on to other pools' requests, by the fast path too
        add_headers(response.headers, request.request_id, secure=secure, csp=content_policy(request))  # type: ignore[arg-type, attr-defined]
        self.count_and_log(request, response, clock.monotonic() - began)
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], *_: object) -> HttpResponse | None:
        """Refuse a form in another charset, where the view or operators' pages have no answer of their own."""
        is_asked = request.is_in_another_charset and request.method not in {"GET", "HEAD", "OPTIONS"}  # type: ignore[attr-defined]
        if not is_asked or getattr(view, "judges_charset", False):
            return None
        if request.pool is None and request.path_info.startswith(CONSOLE_PATHS):  # type: ignore[attr-defined]
            return None
        return HttpResponseBadRequest("Send this form in UTF-8.", content_type="text/plain; charset=utf-8")

    def route(self, request: HttpRequest) -> bool:
        """Find the pool; False for a host that nobody configured."""
        if request.path_info in PROBES:
            return True  # asked by address as well, and with the database away
        host = asked_host(request.META)
        if host == console_host():
            # What runs in a pool's page must not be the console's origin.
            return request.path_info.startswith(CONSOLE_PATHS)
        if host in own_hosts():
            found = POOL_PREFIX.match(request.path_info)
            if found is None:
                return True
            request.pool = found[1]  # type: ignore[attr-defined]
            prefix = "/" + found[1]
            request.path_info = found[2] or "/"
            request.META["SCRIPT_NAME"] = request.META.get("SCRIPT_NAME", "") + prefix
            set_script_prefix(prefix + "/")
        else:
            pool = None if HOST_WITHOUT_POOL in request.META else configuration.pool_by_host(host)
            if pool is None:
                return False
            if request.path_info.startswith("/static/"):
                return True
            request.pool = pool.public_id  # type: ignore[attr-defined]
        request.urlconf = settings.POOL_URLCONF
        return True

    def count_and_log(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """Count the answer, and leave a log line where those are wanted."""
        match = request.resolver_match
        telemetry.count_answer((match.app_name or "installation") if match else "none", response.status_code, seconds)
        log.debug(
            "answered",
            method=request.method,
            path=request.raw_path,  # type: ignore[attr-defined]
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            request_id=request.request_id,  # type: ignore[attr-defined]
        )


def language_of(request: HttpRequest) -> str:
    """Return the language of a page: the first that there is of those its address asks for, else its browser.

    ``lang`` is Cognito's; ``ui_locales`` are OpenID Connect's, in order of preference (Core 3.1.2.1). That none of them
    is there is no error.
    """
    asked: list[str] = []
    with suppress(SuspiciousOperation):  # the page says what is wrong with its address
        asked = [request.GET.get("lang", ""), *request.GET.get("ui_locales", "").split()]
    for tag in asked:
        with suppress(LookupError):
            return translation.get_supported_language_variant(tag)
    return translation.get_language_from_request(request)


class LanguageMiddleware:
    """Show pages in the language of :func:`language_of`, and say so; what machines read is in none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what follows."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Choose the language, for this request alone: the thread goes on to others."""
        with translation.override(language_of(request)):
            response = self.get_response(request)
            # Django calls an answer without a body HTML, too.
            if response.headers.get("Content-Type", "").startswith("text/html") and response.content:
                response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
                patch_vary_headers(response, ("Accept-Language",))
        return response
