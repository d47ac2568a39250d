"""Clients of AWS by boto3, for ``outbound``, which imports this when a process first wants one: it weighs 8 MiB.

Their requests go out as all others do (``http_sessions``); their keys are those that they are made with.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import boto3.session
import botocore.config
import botocore.loaders
import botocore.session
import requests
from botocore import exceptions as aws
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from django.conf import settings
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import NewConnectionError

from identity.foundation import guarded
from identity.foundation.destinations import TOTAL, remaining
from identity.foundation.errors import OutsideUnavailable
from identity.foundation.http_sessions import BLOCK, GuardedAdapter, GuardedSession, asked_by

CAP = 16 << 20
"""Bytes of an answer's body, unpacked."""
LEAN = frozenset({"sts", "sns", "sesv2", "pinpoint-sms-voice-v2"})
"""Services whose clients are made without the list of every endpoint; what only the demo's seed asks needs it."""


class Body(io.BytesIO):
    """A body that was read, as botocore wants to read it."""

    def stream(self, amount: int = BLOCK) -> Iterator[bytes]:
        """Yield it in blocks."""
        while block := self.read(amount):
            yield block


class Carrier:
    """Carries botocore's requests through a guarded session, in place of botocore's own transport."""

    def __init__(self, *, private: bool) -> None:
        """Make the session."""
        self.session = GuardedSession(GuardedAdapter(private=private, cap=CAP))

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
def _client(service: str, endpoint_url: str, keys: tuple[str, ...] | None, region: str) -> Any:  # noqa: ANN401 - botocore's own
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
    session = boto3.session.Session(botocore_session=bare)
    if keys is None and session.get_credentials() is None:
        raise aws.NoCredentialsError  # not kept, as a client without any would be: the machine may have some soon
    key_id, secret, token = (*(keys or (None, None)), None)[:3]
    return session.client(
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


def client(service: str, endpoint_url: str, keys: tuple[str, ...] | None, region: str) -> Any:  # noqa: ANN401 - botocore's own
    """Return this process's client; for ``keys`` None, one with the keys that the machine has."""
    with _making:  # botocore's sessions are not safe between threads; its clients are
        return _client(service, endpoint_url, keys, region or settings.REGION)
