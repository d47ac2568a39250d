"""Makers of pools, clients and people for tests, through the services, so that what they make is what people get."""

from __future__ import annotations

import base64
import itertools
import os
import re
import secrets
from copy import copy
from typing import Any

import pyotp

from identity.foundation.actor import Actor
from pools.models import AppClient, IdentityProvider, Password, PasswordHistory, SamlApplication, User, UserPool, hot
from pools.models.hot import Person
from pools.models.user import Status
from pools.services import access
from pools.services.messages import deliveries, mailbox
from pools.services.people import users
from pools.services.pools import app_clients, user_pools
from pools.services.providers import identity_providers, saml_applications
from pools.services.sign_in import flows, machine, own_factors
from pools.services.sign_in.machine import Challenged, EndsIn, SignedIn
from tests import providers

BY = Actor.system()
PASSWORD = "Correct-horse-1"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
PAGES = {
    "allowed_oauth_flows_user_pool_client": True,
    "allowed_oauth_flows": ["code"],
    "allowed_oauth_scopes": ["openid"],
    "callback_urls": ["https://app.example/callback"],
}
"""What a client is set to whose people sign in on the hosted pages."""
_numbers = itertools.count(1)


def number() -> str:
    """Return text that no other call returns, in this process or another."""
    return f"{next(_numbers)}{secrets.token_hex(4)}"


def make_pool(*, mfa: str = "OFF", by_sms: bool = False, **settings: Any) -> UserPool:
    """Make a pool; ``mfa`` other than OFF has TOTP on, and codes by text message where that is asked for."""
    pool = user_pools.create(f"pool {number()}", settings=settings, by=BY)
    if mfa != "OFF":
        wanted: dict[str, Any] = {"mfa_configuration": mfa, "software_token_mfa_configuration": {"enabled": True}}
        wanted |= {"sms_mfa_configuration": {"enabled": True}} if by_sms else {}
        pool = user_pools.set_mfa(pool, settings=wanted, by=BY)
    return access.pool(pool.public_id)


def make_client(pool: UserPool, **settings: Any) -> AppClient:
    """Make a client with password and refresh flows, existence hidden."""
    wanted = {"explicit_auth_flows": FLOWS, "prevent_user_existence_errors": "ENABLED", **settings}
    return access.client(app_clients.create(pool, f"client {number()}", settings=wanted, by=BY).client_id)


def make_provider(pool: UserPool, kind: str = "OIDC", **more: Any) -> IdentityProvider:
    """Make an identity provider that nobody has to be asked about."""
    given = {"kind": kind, "details": providers.DETAILS[kind], **more}
    return identity_providers.create(pool, given.pop("name", providers.named(kind)), **given, by=BY)


def make_saml_application(client: AppClient, **settings: Any) -> SamlApplication:
    """Make a SAML application of an app client that has pages."""
    given = {"entity_id": f"urn:application:{number()}", "acs_urls": ["https://sp.example/acs"], **settings}
    return saml_applications.create(client.pool, client, given, by=BY)


def person_of(pool: UserPool, name: str) -> Person:
    """Return somebody by a name, as the hot paths read people."""
    found = hot.proven(pool.pk, access.user(pool, name).id)
    assert found is not None
    return found.person


def make_user(pool: UserPool, username: str = "", *, password: str = PASSWORD, **attributes: str) -> User:
    """Make a confirmed person with a password."""
    from pools.services.people import passwords

    name = username or (f"person{number()}@example.com" if pool.username_attributes else f"person{number()}")
    user = users.create(pool, name, attributes=attributes, temporary_password=password, message="suppress", by=BY)
    passwords.admin_set(pool, user, password, permanent=True, by=BY)
    return access.user_by_sub(pool, user.sub)


def make_imported(pool: UserPool, username: str, kept: str, **attributes: str) -> User:
    """Make a confirmed person with another system's hash of a password, as an import leaves them."""
    user = make_invited(pool, username, **attributes)
    unbound = {"sealed_verifier": None, "verifier_pool": "", "verifier_name": ""}
    Password.objects.filter(pool_id=pool.pk, user_id=user.id).update(argon2=kept, expires_at=None, **unbound)
    PasswordHistory.objects.filter(pool_id=pool.pk, user_id=user.id).delete()
    User.objects.filter(pool_id=pool.pk, id=user.id).update(status=Status.CONFIRMED)
    return access.user_by_sub(pool, user.sub)


def make_invited(pool: UserPool, username: str = "", *, password: str = PASSWORD, **attributes: str) -> User:
    """Make a person who still has an operator's temporary password."""
    name = username or f"person{number()}"
    return users.create(pool, name, attributes=attributes, temporary_password=password, message="suppress", by=BY)


def begin(
    client: AppClient, username: str, password: str = PASSWORD, *, ends_in: EndsIn = EndsIn.TOKENS, by: Actor = BY
) -> Challenged | SignedIn:
    """Begin to sign in by password, for tokens as the API does or for a browser's session as the pages do."""
    open_flow = flows.by_pages(client) if ends_in is EndsIn.BROWSER else flows.by_api(client, "USER_PASSWORD_AUTH")
    return machine.begin(open_flow, username=username, answers={"password": password}, by=by)


def give_totp(pool: UserPool, user: User, *, enable: bool = True) -> pyotp.TOTP:
    """Enrol an authenticator; its first code is spent by that. Where the pool asks for none, it once did."""
    if pool.mfa == UserPool.Mfa.OFF:
        pool = copy(pool)
        pool.mfa, pool.totp_enabled = UserPool.Mfa.OPTIONAL, True
    totp = pyotp.TOTP(own_factors.enrol(pool, user, "totp", by=BY))
    own_factors.prove(pool, user, "totp", totp.now(), enable=enable, by=BY)
    return totp


def newest_code(to: str) -> str:
    """Return the code of the newest message to a number or a mail address, delivered now."""
    deliveries.sweep()
    found = re.search(r"\b\d{6}\b", next(iter(mailbox.captured(to=to))).body)
    assert found
    return found.group()


def key_line(name: str) -> str:
    """Return a line for ``SECRET_KEYS_FILE`` with a new random key, as `make secrets` writes it."""
    return f"{name} {base64.b64encode(os.urandom(32)).decode()}"
