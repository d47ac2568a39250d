"""What the pages of a second factor say and show, by its kind: a module each, which ``OWN`` lists.

What is the same for all is elsewhere: ``second_factors`` asks at sign-in, ``factor_setup`` sets one up,
``account_factors`` changes those that somebody has. Beside its module a kind has two templates,
``hosted/<kind>.html``, which asks for its code, and ``hosted/parts/<kind>_enrol.html``, which sets it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pools.hosted import authenticator, text_messages

if TYPE_CHECKING:
    from pools.hosted.wording import FactorWords
    from pools.models.hot import Person
    from pools.web.browser import PageState
    from pools.web.page_request import PageRequest


class FactorPages(Protocol):
    """The pages of one kind: a module of this package."""

    kind: str
    words: FactorWords
    set_up_notice: str
    removed_notice: str
    """What the account page says once it is there, and once it is gone (``notices.NOTICES``)."""

    def lacks(self, person: Person) -> list[str]:
        """Return the attributes that somebody gives before it can be set up."""

    def sent_to(self, person: Person) -> str:
        """Return where its codes go, as it may be told; empty where none are sent, or to nowhere yet."""

    def context(self, page_request: PageRequest, page_state: PageState) -> dict[str, Any]:
        """Return what its part of a page shows while it is set up, once that has begun."""

    def moves_focus(self, page_request: PageRequest) -> bool:
        """Say whether the field of its first code takes the focus."""


OWN: tuple[FactorPages, ...] = (authenticator, text_messages)


def of(kind: str) -> FactorPages:
    """Return the pages of a kind."""
    return next(pages for pages in OWN if pages.kind == kind)
