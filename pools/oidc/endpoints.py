"""What every machine endpoint of the pool shares, as a list of stages: CORS, method, pool, errors, never a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from authlib.oauth2.base import OAuth2Error

from identity.foundation import connections
from identity.foundation.call import Answer, Call, Endpoint
from identity.foundation.errors import DomainError
from pools.oidc import errors, parameters
from pools.services import access

if TYPE_CHECKING:
    from pools.models import UserPool

log = structlog.get_logger(__name__)
# Any origin, without credentials: nothing here is decided by a cookie, and secrets travel in the request itself.
CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "www-authenticate, retry-after, x-amzn-requestid",
}
PREFLIGHT = {
    "access-control-allow-headers": "authorization, content-type, x-amz-user-agent, *",
    "access-control-max-age": "86400",
}
# Authlib merges both: secrets and codes in a query string end in logs.
IN_BODY = "Parameters belong in the body, not in the query string."

PoolEndpoint = Callable[[Call, "UserPool"], Answer]


def endpoint(*methods: str) -> Callable[[PoolEndpoint], Endpoint]:
    """Make a function of call and pool an endpoint that answers these methods, and whose refusals are OAuth's.

    HEAD is answered like GET (RFC 9110 section 9.3.2): the server leaves the body out.
    """
    if "GET" in methods:
        methods = (*methods, "HEAD")
    allowed = ", ".join((*methods, "OPTIONS"))

    def decorate(inner: PoolEndpoint) -> Endpoint:
        def outer(call: Call) -> Answer:
            if call.method == "OPTIONS":
                return Answer(204, headers={**CORS, **PREFLIGHT, "access-control-allow-methods": allowed})
            if call.method not in methods:
                refused = errors.answer("invalid_request", "The method is not allowed.", 405, {"allow": allowed})
                return crossing(refused)
            return crossing(guarded(inner, call))

        outer.__name__, outer.__doc__ = inner.__name__, inner.__doc__
        return outer

    return decorate


def guarded(inner: PoolEndpoint, call: Call) -> Answer:
    """Answer about the call's pool, with every failure in OAuth's form."""
    return answered(lambda: inner(call, access.pool(call.pool or "")), call)


def answered(inner: Callable[[], Answer], call: Call) -> Answer:
    """Answer, with every failure in OAuth's form."""
    try:
        return inner()
    except OAuth2Error as problem:
        return errors.answer_to_refusal(problem)
    except DomainError as problem:
        if problem.detail:
            log.info("oauth_refused", path=call.path, problem=type(problem).__name__, detail=problem.detail)
        return errors.answer_to_domain_error(problem)
    except connections.UNAVAILABLE as problem:
        log.warning("oauth_unavailable", path=call.path, **connections.described(problem))
        retry_after = str(connections.RETRY_SECONDS)
        return errors.answer(errors.UNAVAILABLE, errors.TRY_LATER, 503, {"retry-after": retry_after})
    except Exception:  # a machine is told in JSON, whatever it was; the log holds the rest
        log.exception("oauth_failed", path=call.path)
        return errors.answer("server_error", "The server failed.", 500)


def crossing(answer: Answer) -> Answer:
    """Return the answer readable by pages of any origin."""
    return Answer(answer.status, answer.body, {**CORS, **answer.headers})


def form(call: Call, *, query: bool = False) -> dict[str, str]:
    """Return the form that was posted; with ``query`` what the query string says counts as part of it.

    Raises:
        OAuth2Error: it is none, is too large, repeats a parameter, or is in a query string that may not carry it.

    """
    if call.query and not query:
        raise errors.refusal("invalid_request", IN_BODY)
    if call.body is None or len(call.body) > parameters.LONGEST:
        raise errors.refusal("invalid_request", "The body is too large.", 413)
    if not parameters.is_form(call.headers.get("content-type", "")) and (call.body or not call.query):
        raise errors.refusal("invalid_request", f"The body must be {parameters.FORM}.")
    try:
        posted, asked = parameters.read(call.body), parameters.read(call.query)
    except parameters.Malformed:
        raise errors.refusal("invalid_request", "The body is not a form.") from None
    if posted.repeated or asked.repeated or posted.values.keys() & asked.values.keys():
        raise errors.refusal("invalid_request", "A parameter is repeated.")
    return {**posted.values, **asked.values}
