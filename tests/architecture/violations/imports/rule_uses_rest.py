# pretend: pools/services/planted_rest.py
# breaks: Rules know no adapter, no protocol and no framework of one
"""A rule that speaks REST."""

from rest_framework import serializers as serializers
