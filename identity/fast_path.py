"""The fast path of machine endpoints: the same functions ``Call → Answer``, without Django's request in between.

Six exact paths at the installation's own host, and those of a pool at the pool's own hosts; everything else, and
whatever is unusual, takes Django's way.
Both give the same bytes (a test compares them). Django's connection clean-up is kept.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings

from identity import middleware, telemetry
from identity.foundation import clock, connections
from identity.foundation.call import MEASURED, Answer, Call, Endpoint
from pools.cognito.gateway import gateway
from pools.oidc import discovery, resources, token
from pools.services import configuration

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

INSTALLATION_ENDPOINTS: dict[str, tuple[str, Endpoint]] = {
    "/": ("cognito", gateway),
    "/identity-pools/jwks.json": ("identity_oidc", discovery.identity_jwks),
}
OF_A_POOL: dict[str, tuple[str, Endpoint]] = {
    "/oauth2/token": ("oidc", token.token),
    "/oauth2/userInfo": ("oidc", resources.user_info),
    "/.well-known/openid-configuration": ("oidc", discovery.discovery),
    "/.well-known/jwks.json": ("oidc", discovery.jwks),
}
UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
"""Headers whose names in WSGI have no ``HTTP_`` before them, and which are empty there when they were not sent."""
DRAINED = 8 << 20
log = structlog.get_logger("request")


class Headers(Mapping[str, str]):
    """A request's headers by lower-case name, looked up when asked for: few are, among all that an environ holds."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Environ) -> None:
        """Read them from WSGI's environ."""
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        """Return a header."""
        value: str = self._environ[wsgi_name(name)]
        if not value and name in UNPREFIXED:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        """Go through their names."""
        for name, value in self._environ.items():
            if name.startswith("HTTP_"):
                yield name.removeprefix("HTTP_").lower().replace("_", "-")
            elif value and name in UNPREFIXED.values():
                yield name.lower().replace("_", "-")

    def __len__(self) -> int:
        """Count them."""
        return sum(1 for _ in self)


def add_fast_path(django: Application) -> Application:
    """Return an application that answers the six paths itself and hands the rest to Django."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ:
            measure(environ)
        found = find(environ)
        if found is not None:
            return walk(environ, start_response, *found)
        answer = django(environ, start_response)
        read_rest(environ)
        return answer

    return application


def find(environ: Environ) -> tuple[str, Endpoint, str | None, str] | None:
    """Return adapter, endpoint, pool and path inside the pool, where a request is for one of the six."""
    host, path = middleware.asked_host(environ), environ.get("PATH_INFO", "")
    if host == middleware.console_host() or environ.get("SCRIPT_NAME"):
        return None
    if host not in middleware.own_hosts():
        pool = pool_of(host, environ) if path in OF_A_POOL else None
        return None if pool is None else (*OF_A_POOL[path], pool, path)
    if path in INSTALLATION_ENDPOINTS:
        return (*INSTALLATION_ENDPOINTS[path], None, path)
    named = middleware.POOL_PREFIX.match(path)
    if named is None or named[2] not in OF_A_POOL or not named[1].isascii():
        return None
    return (*OF_A_POOL[named[2]], named[1], named[2])


def pool_of(host: str, environ: Environ) -> str | None:
    """Return the pool that a host belongs to. Where it is nobody's, or nobody can tell, Django's way says so."""
    try:
        pool = configuration.pool_by_host(host)
    except connections.UNAVAILABLE:
        return None
    if pool is None:
        environ[middleware.HOST_WITHOUT_POOL] = True
        return None
    return pool.public_id


def walk(
    environ: Environ, start_response: StartResponse, adapter: str, endpoint: Endpoint, pool: str | None, path: str
) -> list[bytes]:
    """Answer by an endpoint, as Django's handler, the middleware and the adapter together would."""
    began = clock.monotonic()
    request_id = middleware.new_request_id()
    connections.begin()
    try:
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            answer = answered(environ, endpoint, request_id, pool, path)
        finally:
            structlog.contextvars.reset_contextvars(**bound)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        headers.setdefault("content-type", "text/html; charset=utf-8")  # Django's, of an answer that names none
        middleware.add_headers(headers, request_id, secure=middleware.came_by_https(environ))
        telemetry.count_answer(adapter, answer.status, clock.monotonic() - began)
    finally:
        connections.end()
    start_response(status_line(answer.status), list(headers.items()))
    return [answer.body]


def answered(environ: Environ, endpoint: Endpoint, request_id: str, pool: str | None, path: str) -> Answer:
    """Make the call."""
    return endpoint(
        Call(
            method=str(environ["REQUEST_METHOD"]).upper(),
            path=path,
            query=environ.get("QUERY_STRING", ""),
            headers=Headers(environ),
            body=body(environ),
            address=middleware.client_address(environ),
            request_id=request_id,
            pool=pool,
            raw_path=environ["PATH_INFO"],
        )
    )


@lru_cache(maxsize=256)
def wsgi_name(name: str) -> str:
    """Return WSGI's name of a header; empty, which no environ holds, where ``name`` is none in lower case."""
    if "_" in name or name != name.lower():
        return ""
    return UNPREFIXED.get(name) or "HTTP_" + name.upper().replace("-", "_")


@cache
def status_line(status: int) -> str:
    """Return what WSGI says of a status."""
    return f"{status} {HTTPStatus(status).phrase}"


def measure(environ: Environ) -> None:
    """Read a body that came in chunks, and tell its length: on both paths a body without one counts as empty.

    Of one that is too large, or cannot be read, a length alone is told by which it is refused like any that is.
    """
    most, chunks, length = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, list[bytes](), 0
    stream = environ["wsgi.input"]
    try:
        while length <= most and (chunk := stream.read(most + 1 - length)):
            chunks.append(chunk)
            length += len(chunk)
    except OSError:
        length = most + 1
    if length > most:
        drain(stream, DRAINED)
    environ["wsgi.input"] = io.BytesIO(b"" if length > most else b"".join(chunks))
    environ["CONTENT_LENGTH"] = str(length)
    environ[MEASURED] = True
    del environ["HTTP_TRANSFER_ENCODING"]


def body(environ: Environ) -> bytes | None:
    """Return the body, None where it is larger than what may be read or cannot be."""
    try:
        length = max(0, int(environ.get("CONTENT_LENGTH") or 0))
    except ValueError:
        length = 0
    if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        drain(environ["wsgi.input"], length)
        return None
    if not length:
        return b""
    try:
        read: bytes = environ["wsgi.input"].read(length)
    except OSError:
        return None
    return read


def read_rest(environ: Environ) -> None:
    """Read what an answer did not need of its request's body: the server closes a connection on which some is unread.

    Whoever asks again on it meanwhile, as a proxy does, would hear nothing. Who waits to be asked for a body keeps it.
    """
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length.isdecimal() and "HTTP_EXPECT" not in environ:
        drain(environ["wsgi.input"], int(length))


def drain(stream: Any, length: int) -> None:  # noqa: ANN401 - what the server gives
    """Read a body that is refused, as far as a proxy lets one through: who still sends would not hear the answer."""
    left = min(length, DRAINED)
    try:
        while left > 0 and (chunk := stream.read(min(left, 65536))):
            left -= len(chunk)
    except OSError:
        return
