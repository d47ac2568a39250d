# pretend: pools/oidc/planted_rest.py
# breaks: The REST framework is the console's
"""REST in a machine endpoint."""

from rest_framework import views as views
