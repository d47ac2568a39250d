"""Django's sessions, CSRF, sign-in and messages for operators' paths; on any other path each is one comparison.

Pool pages and machine endpoints carry none of Django's cookies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django_htmx.middleware import HtmxMiddleware
from django_otp.middleware import OTPMiddleware

from identity.console import receipts
from identity.console.guard import charset_refused
from identity.foundation import origins
from pools.services.receipts import AlreadyAccepted

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
PATHS = ("/console", "/api/", "/dev/", "/metrics")
CONSOLE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def for_operators(request: HttpRequest) -> bool:
    """Say whether a request is for the installation's own pages, not for a pool and not for a machine."""
    return getattr(request, "pool", None) is None and request.path_info.startswith(PATHS)


def at_the_consoles_own_host(request: HttpRequest) -> bool:
    """Say whether the request came to the console's origin. In development every name of the machine is that."""
    if settings.MODE == "development":
        return True
    own = origins.of(settings.CONSOLE_URL)
    return origins.of(f"{own.partition(':')[0]}://{request.META.get('HTTP_HOST', '')}") == own


class OperatorSession(SessionMiddleware):
    """Sessions in PostgreSQL; outermost, so it also dresses the answer and turns other hosts away."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Open the session where the request is for operators."""
        if not for_operators(request):
            return cast("HttpResponseBase", self.get_response(request))
        if not request.path_info.startswith("/metrics") and not at_the_consoles_own_host(request):
            return HttpResponseNotFound()
        respond = cast("Callable[[HttpRequest], HttpResponse]", super().__call__)
        response = receipts.answer_once(request, respond)
        response.headers.setdefault("Content-Security-Policy", CONSOLE_CSP)
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Lead on from a form that its duplicate has had accepted, where its answer is not known."""
        is_twin = isinstance(exception, AlreadyAccepted)
        return HttpResponseRedirect(receipts.own_page(request), status=303) if is_twin else None


class OperatorCsrf(CsrfViewMiddleware):
    """CSRF tokens for the console's forms. The management API enforces the same check for operators' sessions."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Check where the request is for operators."""
        call = super().__call__ if for_operators(request) else self.get_response
        return cast("HttpResponseBase", call(request))

    def process_view(  # type: ignore[override]  # its stubs know refusals of its own alone
        self,
        request: HttpRequest,
        callback: Callable[..., Any],
        callback_args: tuple[Any, ...],
        callback_kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Refuse a forged form, and one in another charset than ours; leave everything else alone."""
        if not for_operators(request):
            return None
        if getattr(request, "is_in_another_charset", False) and request.method not in SAFE:
            return charset_refused(request)
        return super().process_view(request, callback, callback_args, callback_kwargs)


class OperatorSignIn(AuthenticationMiddleware):
    """``request.user`` is the operator whose session this is."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Name the operator where the request is for operators."""
        call = super().__call__ if for_operators(request) else self.get_response
        return cast("HttpResponseBase", call(request))


class OperatorSecondFactor(OTPMiddleware):  # type: ignore[misc]  # django-otp is untyped
    """``request.user.is_verified()`` says whether a second factor was shown in this session."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Look for the second factor where the request is for operators."""
        call = super().__call__ if for_operators(request) else self.get_response
        return cast("HttpResponseBase", call(request))


class OperatorMessages(MessageMiddleware):
    """What a page tells after a redirect."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Carry messages where the request is for operators."""
        call = super().__call__ if for_operators(request) else self.get_response
        return cast("HttpResponseBase", call(request))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Count messages as read, but by HEAD, whose page nobody sees."""
        return response if request.method == "HEAD" else super().process_response(request, response)


class OperatorHtmx(HtmxMiddleware):
    """``request.htmx`` says whether a page or only its table is wanted."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Read htmx's headers where the request is for operators."""
        call = super().__call__ if for_operators(request) else self.get_response
        return cast("HttpResponseBase", call(request))
