"""A request that says it is in another charset than UTF-8 is refused by pages, and fails nowhere."""

from __future__ import annotations

import pytest

from identity import wsgi
from tests import factories
from tests.frame.test_fast_path import Asked, by

PAGES = ("login", "signup", "forgotPassword", "account", "logout", "oauth2/authorize")
MACHINES = ("oauth2/token", "oauth2/userInfo", "oauth2/revoke", ".well-known/jwks.json")
OPERATORS = (
    "/console/",
    "/console/sign-in",
    "/console/pools",
    "/api/v1/pools",
    "/api/docs/",
    "/metrics",
    "/dev/mailbox",
)
ODD = ("utf-16", "utf-7", "iso-8859-1", "base64", "idna", "unicode_escape", "rot13", "nonsense", "\u00e9", '"')
KINDS = {
    "application/x-www-form-urlencoded": b"username=a&password=b",
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\na\r\n--x--\r\n',
    "application/json": b'{"name": "x"}',
}


@pytest.mark.django_db(transaction=True)
def test_another_charset_is_refused_by_pages_and_fails_nowhere() -> None:
    pool = factories.make_pool()
    asked = f"client_id={factories.make_client(pool, **factories.PAGES).client_id}&response_type=code"
    pages = [f"/{pool.public_id}/{page}?{asked}&redirect_uri=https://app.example/callback" for page in PAGES]
    others = [*(f"/{pool.public_id}/{path}" for path in (*MACHINES, "nothing")), "/", "/demo/", "/nothing"]
    told: dict[tuple[str, str, str], set[int]] = {}

    for kind, body in KINDS.items():
        for charset in ODD:
            for path in (*pages, *OPERATORS, *others):
                for method in ("POST", "GET"):
                    where, _, query = path.partition("?")
                    called = (("CONTENT_TYPE", f"{kind}; charset={charset}"),)
                    status, _, _ = by(wsgi.django, Asked(where, method, body, query, called))
                    told.setdefault((method, path, kind), set()).add(int(status.split()[0]))

    assert {asked: codes for asked, codes in told.items() if max(codes) >= 500} == {}
    for (method, path, _), codes in told.items():
        if method == "POST" and path in (*pages, *OPERATORS):
            assert codes == {400}, path


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"', "us-ascii"])
def test_utf_8_by_any_of_its_names_is_read(charset: str) -> None:
    kind = (("CONTENT_TYPE", f"application/x-www-form-urlencoded; charset={charset}"),)

    status, _, _ = by(wsgi.django, Asked("/console/sign-in", "POST", b"username=nobody", headers=kind))

    assert status.startswith("422")  # read, and shown again: it lacks its token
