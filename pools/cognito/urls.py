"""Where the wire API answers: the bare address."""

from __future__ import annotations

from django.urls import path

from identity.foundation.call import as_view
from pools.cognito.gateway import gateway

app_name = "cognito"
urlpatterns = [path("", as_view(gateway), name="gateway")]
