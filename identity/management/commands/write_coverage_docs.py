"""Writes docs/coverage.md from the tables of settings; ``--check`` says whether it is current."""

from __future__ import annotations

from collections.abc import Iterator

from identity.management.document_command import DocumentCommand
from pools.cognito import shapes
from pools.services.identity_pools import identity_pool_settings
from pools.services.pools import client_settings, pool_rules, pool_settings
from pools.services.pools.settings_table import Availability

HEAD = """# Coverage

Made from the tables of settings by `manage.py write_coverage_docs`; do not edit.

Settings of user pools, app clients and identity pools that are not on this page do what they do at Amazon.
"""
KEPT_ONLY = """
## Kept only

**Nothing is enforced, and nothing follows from these**: they are checked, kept, and told back as Amazon tells them, so
that tools which set them go on. The log and the console name those that a pool or an app was given.

No trigger of `LambdaConfig` is called. Where one may refuse or change something, the flow ends with Amazon's
`UnexpectedLambdaException`: PreSignUp at sign-up and AdminCreateUser; PreAuthentication and PreTokenGeneration at
sign-in and for each token; DefineAuthChallenge and its two others at CUSTOM_AUTH; either custom sender where any code
or invitation is due. PostConfirmation, PostAuthentication, CustomMessage and UserMigration are left out, and the log
says so.

| operation | member |
| --- | --- |
"""
NOT_YET = """
## Not yet

Refused by name: `… is not available in this release.` Only values that mean the same as leaving a member out are taken.

| operation | member |
| --- | --- |
"""
TABLES = {
    "CreateUserPool": pool_settings.TABLE,
    "CreateUserPoolClient": client_settings.TABLE,
    "CreateIdentityPool": identity_pool_settings.TABLE,
}


def rows(availability: Availability) -> Iterator[str]:
    """Yield a line for each setting that is no more available than that."""
    for operation, table in TABLES.items():
        for setting in table.settings:
            if setting.availability is availability and setting.is_on_wire:
                taken = "SetUserPoolMfaConfig" if setting.name in pool_rules.OF_SECOND_FACTORS else operation
                yield f"| {taken} | `{shapes.member_name(taken, setting.name)}` |\n"


class Command(DocumentCommand):
    """Write the page, or check it."""

    help = __doc__ or ""
    document = "coverage.md"

    def text(self) -> str:
        """Return the whole page."""
        return "".join([HEAD, KEPT_ONLY, *rows(Availability.KEPT_ONLY), NOT_YET, *rows(Availability.NOT_YET)])
