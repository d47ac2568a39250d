"""Where the wire API answers: the bare address; and where files of import jobs are sent."""

from __future__ import annotations

from django.urls import path

from identity.foundation.call import as_view
from pools.cognito.gateway import gateway
from pools.cognito.uploads import upload

app_name = "cognito"
urlpatterns = [
    path("", as_view(gateway), name="gateway"),
    path("user-imports/<str:pool>/<str:job>", upload, name="user_import"),
]
