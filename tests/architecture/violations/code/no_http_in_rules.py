# pretend: pools/services/webby.py
"""A rule that answers requests."""

from django.http import HttpResponse


def refuse() -> HttpResponse:
    """Refuse."""
    return HttpResponse(status=403)
