"""Who has to sign in before an account's page shows or changes anything, and comes back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pools.services.pools import app_clients
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind
from pools.web import resume
from pools.web.page_request import SeeOther

if TYPE_CHECKING:
    from django.http import HttpResponse

    from pools.web.browser import PageState
    from pools.web.page_request import PageRequest


def sign_in_first(page_request: PageRequest, page_state: PageState, kind: Kind = Kind.ACCOUNT) -> HttpResponse:
    """Have the person sign in, and come back, to the account page unless to another: a new session takes the old one's.

    Whoever came from no app signs in by the pool's oldest.
    """
    client = page_request.client or app_clients.oldest_with_pages(page_request.pool)
    if client is None:
        return page_request.problem("no_client")
    parameters = {"client_id": client.client_id, **interactions.parameters_of(kind)}
    page_request.browser.keep_for(urlencode(parameters), page_state)
    return SeeOther(resume.sign_in_url(parameters))
