"""Rotate signing keys: ``manage.py rotate_keys POOL_ID…``, ``--identity-pools``, ``--all``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity.console import wording
from identity.foundation.actor import Actor
from identity.foundation.errors import PoolNotFound
from pools.services import access
from pools.services.pools import signing_keys, user_pools


class Command(BaseCommand):
    """Publish new signing keys and switch to them; the old ones stay published until what they signed is dead."""

    help = "Rotate the signing keys of user pools, and of the identity pools' issuer."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say which keys, and when."""
        parser.add_argument("pool", nargs="*", help="ids of user pools")
        parser.add_argument("--identity-pools", action="store_true", help="the issuer of the identity pools")
        parser.add_argument("--all", action="store_true", help="every pool, and the issuer of the identity pools")
        parser.add_argument("--planned", action="store_true", help="publish for an hour before switching")

    def handle(self, **options: Any) -> None:
        """Rotate."""
        by, at_once = Actor.system(), not options["planned"]
        try:
            chosen = [access.pool(public_id) for public_id in options["pool"]]
        except PoolNotFound as problem:
            raise CommandError(wording.of(problem)) from None
        if options["all"]:
            chosen, token = [], None
            while True:
                page = user_pools.page(60, token)
                chosen += page.rows
                token = page.token
                if token is None:
                    break
        for pool in chosen:
            self.report(pool.public_id, signing_keys.rotate(pool, by=by, at_once=at_once))
        if options["identity_pools"] or options["all"]:
            self.report("identity pools", signing_keys.rotate(None, by=by, at_once=at_once))
        elif not chosen:
            raise CommandError("Name a pool, --identity-pools or --all.")

    def report(self, whose: str, kids: list[str]) -> None:
        """Print the new keys' ids."""
        self.stdout.write(f"{whose}: {', '.join(kids)}")
