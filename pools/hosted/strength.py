"""What a password that is being chosen is worth, said while it is typed. The page's script asks; pages do without.

The password is scored and forgotten: no row, no log line. Whether it is taken is the policy's to say, not the meter's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.utils.translation import gettext, gettext_lazy

from identity.foundation import limits
from pools.hosted.address_failures import source
from pools.hosted.forms import NAME_LENGTH, PASSWORD_LENGTH
from pools.services.people import password_strength
from pools.services.people.password_strength import Advice
from pools.web.page_request import PageRequest
from pools.web.page_view import page

if TYPE_CHECKING:
    from django.http import HttpResponse

PER_ADDRESS = 60
WINDOW = 60

SCORES = (
    gettext_lazy("Very weak"),
    gettext_lazy("Weak"),
    gettext_lazy("Could be stronger"),
    gettext_lazy("Good"),
    gettext_lazy("Strong"),
)
ADVICE = {
    Advice.WORD: gettext_lazy("add another word"),
    Advice.COMMON: gettext_lazy("many people use this one, choose another"),
    Advice.KEYS: gettext_lazy("avoid keys that lie side by side"),
    Advice.REPEATS: gettext_lazy("avoid repeats"),
    Advice.SEQUENCE: gettext_lazy("avoid sequences such as abc or 123"),
    Advice.DATE: gettext_lazy("avoid dates and years"),
    Advice.NAME: gettext_lazy("names are easy to guess, add other words"),
    Advice.LEAKED: gettext_lazy("this one is in a known leak, choose another"),
}


@page(app=False, methods=("POST",), one_time=False)
def strength(page_request: PageRequest) -> HttpResponse:
    """Answer with a score from 0 to 4, and what to say of it."""
    if not limits.take("password-strength", source(page_request.by.address), limit=PER_ADDRESS, window=WINDOW):
        return JsonResponse({}, status=429, headers={"Cache-Control": "no-store", "Retry-After": str(WINDOW)})
    password = page_request.request.POST.get("password", "")[:PASSWORD_LENGTH]
    name = page_request.request.POST.get("username", "")[:NAME_LENGTH]
    is_chosen = page_request.request.POST.get("chosen") == "1"
    rate = password_strength.strength_of_chosen if is_chosen else password_strength.strength
    found = rate(password, [name, name.partition("@")[0], page_request.app_name])
    text = str(SCORES[found.score])
    if found.advice is not Advice.NONE:
        text = gettext("%(score)s – %(advice)s") % {"score": text, "advice": ADVICE[found.advice]}
    return JsonResponse({"score": found.score, "said": text}, headers={"Cache-Control": "no-store"})
