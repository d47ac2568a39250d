"""Make an access key of an operator and print it, once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity.console import wording
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.services.operators import operators


class Command(BaseCommand):
    """``manage.py create_access_key NAME``."""

    help = "Make an access key for the wire API and the management API. The secret is printed once and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read whose key it is."""
        parser.add_argument("username")
        parser.add_argument("--description", default="")

    def handle(self, *_: object, **options: Any) -> None:
        """Make the key; print both halves as AWS clients read them."""
        try:
            who = operators.operator(options["username"])
            key_id, secret = operators.create_key(who, description=options["description"], by=Actor.system())
        except DomainError as problem:
            raise CommandError(wording.of(problem)) from None
        self.stdout.write(f"AWS_ACCESS_KEY_ID={key_id}\nAWS_SECRET_ACCESS_KEY={secret}")
