"""The one way out: the only HTTP clients and the only boto3 clients.

Private addresses are refused unless configuration allows them, redirects are never followed, bodies are capped,
one clock runs over a whole call, and only so many threads may wait (``destinations``). Nothing goes out while a
transaction is open.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import botocore.loaders
import botocore.session
import requests
import structlog
from botocore import exceptions as aws
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError, NewConnectionError

from identity.foundation import guarded
from identity.foundation.destinations import TOTAL, OutboundCall, call, remaining, within
from identity.foundation.errors import DomainError, OutsideUnavailable

__all__ = [
    "MACHINE",
    "AnswerTooLarge",
    "Answered",
    "GuardedSession",
    "OutboundCall",
    "adapter",
    "aws_client",
    "call",
    "http",
    "origin",
    "session",
    "within",
]

CAP = 1 << 20
"""Bytes of an answer's body, unpacked."""
AWS_CAP = 16 << 20
BLOCK = 1 << 16
OUT_OF_ORDER = frozenset({502, 503, 504})
"""Answers that say the place itself is down. A plain 500 may be the doing of whoever asks, and stops nobody else."""
UNSIGNED = ("unsigned", "unsigned")
"""Keys for operations that are never signed: with them boto3 looks for no others, in no file and at no address."""
MACHINE = None
"""In place of keys: those that the machine has, as boto3 finds them, though in no file of somebody's."""
LEAN = frozenset({"sts", "sns", "sesv2", "pinpoint-sms-voice-v2"})
"""Services whose clients are made without the list of every endpoint; what only the demo's seed asks needs it."""


class AnswerTooLarge(OutsideUnavailable):
    """The body is larger than anyone needs."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def origin(url: str) -> str:
    """Return scheme, host and port of a URL: the name of a destination."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


class GuardedAdapter(HTTPAdapter):
    """Sends requests through checked connections and reads whole answers, up to a cap. Authlib's sessions take it."""

    def __init__(self, *, private: bool = False, cap: int = CAP, total: float = TOTAL) -> None:
        """Set its limits. ``private``: the place was configured by an operator and may be anywhere."""
        self.private = private
        self.cap = cap
        self.total = total
        super().__init__(pool_connections=64, pool_maxsize=8)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:  # noqa: FBT001, FBT002 - requests' signature
        """Make pools of guarded connections."""
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=guarded.tls(), **pool
        )
        self.poolmanager.pool_classes_by_scheme = guarded.POOLS[self.private]

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: Any = None,  # noqa: ANN401
        verify: Any = True,  # noqa: ANN401, FBT002
        cert: Any = None,  # noqa: ANN401
        proxies: Any = None,  # noqa: ANN401
    ) -> requests.Response:
        """Send and read it all, within the clock of the call under way or of its own.

        Raises:
            OutsideUnavailable: no answer in time, a private address, or too large an answer.

        """
        del stream, timeout, verify, cert, proxies
        with call(origin(request.url or ""), total=self.total) as outbound_call:
            try:
                left = remaining()
                response = super().send(request, stream=True, timeout=(min(left, guarded.CONNECT), left))
                self.read(response)
            except (requests.RequestException, HTTPError, OSError) as problem:
                outbound_call.failed = True
                raise OutsideUnavailable(detail=f"{outbound_call.destination}: {type(problem).__name__}") from problem
            outbound_call.failed = response.status_code in OUT_OF_ORDER
            return response

    def read(self, response: requests.Response) -> None:
        """Read the body, so that nobody reads it later without a clock.

        Raises:
            AnswerTooLarge: it is larger than the cap.

        """
        try:
            body = self.capped(response)
        except BaseException:
            response.close()
            raise
        response._content = body  # noqa: SLF001 - what `content` answers
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        response.raw.release_conn()

    def capped(self, response: requests.Response) -> bytes:
        """Return the body, unpacked.

        Raises:
            AnswerTooLarge: it is larger than the cap.

        """
        body = bytearray()
        for block in response.raw.stream(BLOCK, decode_content=True):
            body += block
            if len(body) > self.cap:
                raise AnswerTooLarge(detail=f"more than {self.cap} bytes from {origin(response.url)}")
        return bytes(body)


class GuardedSession(requests.Session):
    """A session that follows nothing and believes no environment."""

    def __init__(self, adapter: GuardedAdapter) -> None:
        """Send everything through the adapter."""
        super().__init__()
        self.guard(adapter)

    def guard(self, adapter: GuardedAdapter) -> None:
        """Send everything through the adapter: for classes of libraries, which make their sessions themselves."""
        self.trust_env = False
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is nowhere to be sent on to."""
        del resp


def session(*, cap: int = CAP, total: float = TOTAL) -> GuardedSession:
    """Return an HTTP session, for Authlib's clients too."""
    return GuardedSession(GuardedAdapter(cap=cap, total=total))


@lru_cache(maxsize=1)
def adapter() -> GuardedAdapter:
    """Return this process's adapter, with its connections."""
    return GuardedAdapter()


@lru_cache(maxsize=1)
def shared() -> GuardedSession:
    """Return this process's session for single requests. It keeps no cookies."""
    plain = GuardedSession(adapter())
    plain.cookies.set_policy(NoCookies())
    return plain


class NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    """Takes no cookie and sends none."""

    def set_ok(self, cookie: object, request: object) -> bool:
        """Refuse."""
        del cookie, request
        return False


def http(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: bytes | Mapping[str, str] | None = None,
    by: GuardedSession | None = None,
) -> Answered:
    """Ask once, without redirects. ``by`` is a session with other limits than the process's own.

    Raises:
        OutsideUnavailable: no answer in time, a private address, or too large an answer.
        Overloaded: too many calls are under way.

    """
    try:
        response = (by or shared()).request(method, url, headers={**(headers or {}), **asked_by()}, data=data)
    except requests.RequestException as problem:  # the URL itself is wrong: nothing was asked
        raise OutsideUnavailable(detail=f"{type(problem).__name__}") from problem
    return Answered(response.status_code, CaseInsensitiveDict(response.headers), response.content)


class Body(io.BytesIO):
    """A body that was read, as botocore wants to read it."""

    def stream(self, amount: int = BLOCK) -> Iterator[bytes]:
        """Yield it in blocks."""
        while block := self.read(amount):
            yield block


def asked_by() -> dict[str, str]:
    """Return the header that names the request for whose sake something is asked, so that both logs can be joined."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    return {"X-Request-Id": str(request_id)} if request_id else {}


class Carrier:
    """Carries boto3's requests through a guarded session, in place of botocore's own transport."""

    def __init__(self, *, private: bool) -> None:
        """Make the session."""
        self.session = GuardedSession(GuardedAdapter(private=private, cap=AWS_CAP))

    def send(self, request: AWSPreparedRequest, **_event: Any) -> AWSResponse:
        """Send one attempt.

        Raises:
            EndpointConnectionError: there was no connection, so that nothing was shown. botocore may try once more.
            HTTPClientError: it failed otherwise. So it may then.
            DomainError: it was refused here, or time is up: no use in trying again.

        """
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = request.method, request.url, request.body
        prepared.headers = CaseInsensitiveDict([*request.headers.items(), *asked_by().items()])
        try:
            remaining()
            response = self.session.send(prepared)
        except OutsideUnavailable as problem:
            if problem.__cause__ is None:
                raise
            if not was_connected(problem.__cause__):
                raise aws.EndpointConnectionError(endpoint_url=request.url, error=problem.__cause__) from problem
            raise aws.HTTPClientError(error=problem.__cause__) from problem
        return AWSResponse(request.url, response.status_code, response.headers, Body(response.content))


def was_connected(problem: BaseException) -> bool:
    """Say whether a request that failed had a connection, and may have been read."""
    if isinstance(problem, requests.ConnectTimeout | requests.exceptions.SSLError):
        return False
    return not isinstance(getattr(problem.args[0] if problem.args else None, "reason", None), NewConnectionError)


class Loader(botocore.loaders.Loader):  # type: ignore[misc]  # botocore has no types
    """Reads botocore's own data, but for its list of every endpoint there is: each service's rules know better.

    That list would take 7 MiB for as long as a client lives, and a tenth of a second of whoever waits for the first.
    """

    def __init__(self) -> None:
        """Read no folder but botocore's own."""
        super().__init__(include_default_search_paths=False, extra_search_paths=[self.BUILTIN_DATA_PATH])

    def load_data_with_path(self, name: str) -> Any:  # noqa: ANN401 - JSON, and the path of its file
        """Read a file; of the endpoints only how the partitions of AWS name theirs."""
        if name != "endpoints":
            return super().load_data_with_path(name)
        partitions = [
            {
                "partition": partition["id"],
                "dnsSuffix": partition["outputs"]["dnsSuffix"],
                "regionRegex": partition["regionRegex"],
                "regions": partition["regions"],
                "defaults": {
                    "hostname": "{service}.{region}.{dnsSuffix}",
                    "protocols": ["https"],
                    "signatureVersions": ["v4"],
                },
                "services": {},
            }
            for partition in self.load_data("partitions")["partitions"]
        ]
        return {"partitions": partitions}, self.BUILTIN_DATA_PATH


_making = threading.Lock()


@lru_cache(maxsize=64)
def _client(service: str, endpoint_url: str, keys: tuple[str, ...] | None, region: str) -> Any:  # noqa: ANN401 - boto3's own
    nothing = (None, None, None, None)
    nowhere = (None, None, os.devnull, None)
    bare = botocore.session.Session(
        session_vars={"profile": nothing, "config_file": nowhere, "credentials_file": nowhere}
    )
    if service in LEAN:
        bare.register_component("data_loader", Loader())
    private = bool(endpoint_url) and endpoint_url in own_endpoints()
    # To the session: what boto3 asks to have a role of the machine's goes the same way, to the same region.
    bare.set_config_variable("region", region)
    bare.register("before-send", Carrier(private=private).send)
    made = boto3.session.Session(botocore_session=bare)
    if keys is MACHINE and made.get_credentials() is None:
        raise aws.NoCredentialsError  # not kept, as a client without any would be: the machine may have some soon
    key_id, secret, token = (*(keys or (None, None)), None)[:3]
    return made.client(
        service,
        endpoint_url=endpoint_url or None,
        region_name=region,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=botocore.config.Config(
            connect_timeout=guarded.CONNECT,
            read_timeout=TOTAL,
            retries={"total_max_attempts": 2, "mode": "standard"},
            parameter_validation=False,
            ignore_configured_endpoint_urls=True,
            s3={"addressing_style": "path"},
        ),
    )


def own_endpoints() -> set[str]:
    """Return where AWS is by configuration: places that an operator chose, wherever they are."""
    return {
        settings.STS_ENDPOINT_URL,
        settings.SES_ENDPOINT_URL,
        settings.SNS_ENDPOINT_URL,
        settings.EUMS_ENDPOINT_URL,
        settings.SNS_STS_ENDPOINT_URL,
    }


def aws_client(
    service: str, *, endpoint_url: str = "", keys: tuple[str, ...] | None = UNSIGNED, region: str = ""
) -> Any:  # noqa: ANN401 - boto3's own
    """Return this process's boto3 client of a service at an endpoint; without one, Amazon's own.

    ``keys``: id, secret and, of temporary ones, their token; or ``MACHINE``.

    Its methods raise what boto3's do, and our refusals. Wrap several calls, or one with its retry, in :func:`call`
    to run one clock over them.
    """
    with _making:  # boto3's sessions are not safe between threads; its clients are
        return _client(service, endpoint_url, keys, region or settings.REGION)


def why(problem: Exception) -> DomainError:
    """Return our refusal for what boto3 raised when nobody answered."""
    if isinstance(problem, DomainError):
        return problem
    return OutsideUnavailable(detail=f"{type(problem).__name__}: {problem}")
