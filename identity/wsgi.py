"""The WSGI application that granian serves: Django, and a fast path for machine endpoints."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from identity.foundation.loading import undisturbed

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")

with undisturbed():
    django = get_wsgi_application()

    # Checks and endpoints can be imported only once Django is set up.
    from identity.checks import require_safe_settings
    from identity.fast_path import add_fast_path
    from identity.middleware import Utf8Request

    require_safe_settings()
django.request_class = Utf8Request

application = add_fast_path(django)  # type: ignore[arg-type]  # WSGI's own types say less than Django's
