"""What an identity pool may be set to: the table of its settings, and what their values may be. Writes no row.

Roles, tags and session policies have verbs of their own in ``identity_pools``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from identity.foundation.errors import DomainError, Invalid, NotAvailable
from pools import ports
from pools.models import DEVELOPERS
from pools.services.identity_pools import logins, openid_providers, saml_providers
from pools.services.pools.pool_rules import tag_problems
from pools.services.pools.settings_table import Described, Given, Setting, Table, rule

MOST_PROVIDERS = 50


def social_problems(value: Mapping[str, str], field: str) -> Iterator[DomainError]:
    """Yield the providers whose logins this release cannot verify, and those without an application."""
    for provider, applications in value.items():
        if provider not in ports.login_verifiers.names():
            yield NotAvailable(f"Logins of {provider} are not available in this release.", field=field)
        elif not logins.divided(applications):
            yield Invalid(f"{provider} needs the id of an application.", field=field)


def provider_problems(value: Sequence[Mapping[str, Any]], field: str) -> Iterator[DomainError]:
    """Yield what is wrong with the user pools whose people get identities."""
    if len(value) > MOST_PROVIDERS:
        yield Invalid(f"At most {MOST_PROVIDERS} providers are allowed.", field=field)
        return
    found = set()
    for line in value:
        provider, client = line.get("provider_name") or "", line.get("client_id") or ""
        if provider and not logins.own_pool_id(provider):
            yield NotAvailable(logins.NO_PROVIDER, field=field)
            continue
        try:
            logins.check_named(provider, client)
        except Invalid as problem:
            yield problem
        key = logins.canonical(provider), client
        if key in found:
            yield Invalid(f"{provider} is named twice for {client}.", field=field)
        found.add(key)


def without_nothing(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep what each line says."""
    return [{name: value for name, value in line.items() if value is not None} for line in lines]


def developer_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a name from being the developers': logins of another provider go by it."""
    if value == DEVELOPERS or logins.is_known(value):
        yield Invalid(f"{value} is the name of another provider.", field=field)


def developer_name_stays(given: Given, row: Any) -> Iterator[Invalid]:  # noqa: ANN401 - as the table's rules are
    """Yield a refusal of another name than the pool has."""
    kept = row.configuration.get("developer_provider_name")
    if kept and given["developer_provider_name"] != kept:
        text = "DeveloperProviderName cannot be changed once it is set."
        yield Invalid(text, field="developer_provider_name", code="fixed")


TABLE = Table(
    settings=(
        Setting(name="identity_pool_name", place="name", described=Described.ALWAYS, stays=True),
        Setting(name="developer_provider_name", check=developer_problems, stays=True),
        Setting(name="saml_provider_arns", check=saml_providers.problems),
        Setting(name="open_id_connect_provider_arns", check=openid_providers.problems),
        Setting(
            name="allow_unauthenticated_identities",
            place="guests",
            default=False,
            keep=bool,
            described=Described.ALWAYS,
        ),
        # Amazon tells a flow that is off only where that was given.
        Setting(name="allow_classic_flow", place="classic_flow", default=False, keep=bool),
        Setting(name="supported_login_providers", check=social_problems),
        Setting(
            name="cognito_identity_providers",
            place="providers",
            default=[],
            check=provider_problems,
            keep=without_nothing,
            described=Described.FILLED,
            describe=logins.shown_providers,
        ),
        Setting(name="identity_pool_tags", default={}, check=tag_problems, described=Described.ALWAYS, stays=True),
    ),
    rules=(rule(developer_name_stays, "developer_provider_name"),),
)
