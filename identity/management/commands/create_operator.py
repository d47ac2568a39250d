"""Make an operator, or let one in again, and print a one-time link for the first visit."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from identity.console import wording
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.services.operators import operator_sign_in, operators


class Command(BaseCommand):
    """``manage.py create_operator NAME``."""

    help = "Make an operator and print a one-time link (30 minutes) at which password and authenticator are set."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the name and what is wanted."""
        parser.add_argument("username")
        parser.add_argument("--email", default="")
        parser.add_argument("--link", action="store_true", help="only print a new link for an existing operator")
        parser.add_argument("--reset", action="store_true", help="take password and authenticator away first")

    def handle(self, *_: object, **options: Any) -> None:
        """Make or find the operator; print the link."""
        by = Actor.system()
        try:
            if options["link"] or options["reset"]:
                who = operators.operator(options["username"])
            else:
                who = operators.create(options["username"], email=options["email"], by=by)
            if options["reset"]:
                operators.reset(who, by=by)
            token = operator_sign_in.sign_in_link(who, by=by)
        except DomainError as problem:
            raise CommandError(wording.of(problem)) from None
        query = urlencode({"token": token})
        self.stdout.write(f"{settings.CONSOLE_URL}{reverse('console:link')}?{query}")
