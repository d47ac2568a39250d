"""The mail server as Django's mail speaks to it: greeted by a configured name, signed in to in UTF-8."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.utils import DNS_NAME


class Utf8(str):
    """Text that is UTF-8 where ``smtplib`` asks for ASCII: user and password of SMTP AUTH are that (RFC 4616, 2)."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return UTF-8, whatever is asked for."""
        del encoding
        return super().encode("utf-8", errors)


class SignsIn(smtplib.SMTP):
    """A client whose user and password may have any character."""

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> Any:  # noqa: ANN401 - smtplib's
        """Sign in. CRAM-MD5 hashes by the password's own bytes."""
        return super().login(user, Utf8(password), initial_response_ok=initial_response_ok)

    def auth(
        self, mechanism: str, authobject: Callable[..., str | None], *, initial_response_ok: bool = True
    ) -> tuple[int, bytes]:
        """Send what a mechanism answers as UTF-8."""

        def answer(*challenge: bytes) -> str | None:
            text = authobject(*challenge)
            return None if text is None else Utf8(text)

        return super().auth(mechanism, answer, initial_response_ok=initial_response_ok)  # type: ignore[arg-type]  # the stubs know no None


class SignsInByTls(SignsIn, smtplib.SMTP_SSL):
    """The same where TLS comes first."""


class MailServer(EmailBackend):
    """Django's own, but for those two."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Return the client that speaks to the server."""
        return SignsInByTls if self.use_ssl else SignsIn

    def open(self) -> bool | None:
        """Connect, greet, sign in. Without a name of its own a machine would be asked for one by the resolver."""
        if settings.SMTP_EHLO_NAME:
            DNS_NAME._fqdn = settings.SMTP_EHLO_NAME  # noqa: SLF001 - there is no setting
        return super().open()
