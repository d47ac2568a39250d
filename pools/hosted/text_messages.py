"""What the pages say and show of codes by text message: where they go, and when another may be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pools.hosted import wording
from pools.services.messages import destinations
from pools.services.sign_in.factors import sms

if TYPE_CHECKING:
    from pools.models.hot import Person
    from pools.web.browser import PageState
    from pools.web.page_request import PageRequest

kind = sms.kind
words = wording.TEXT_MESSAGES
set_up_notice = "texts_on"
removed_notice = "texts_off"


def lacks(person: Person) -> list[str]:
    """Return the number, where somebody has none."""
    return [] if sms.is_given(person) else [sms.NUMBER]


def sent_to(person: Person) -> str:
    """Return the number, masked."""
    number = person.phone_number
    return destinations.delivery(destinations.SMS, number).destination if number else ""


def context(page_request: PageRequest, page_state: PageState) -> dict[str, Any]:
    """Return whether another number can be given: in place of one that was typed here."""
    del page_request
    return {"can_change": bool(page_state.typed)}


def moves_focus(page_request: PageRequest) -> bool:
    """Have the field take the focus: nothing before it is needed again."""
    del page_request
    return True
