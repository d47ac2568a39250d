"""The demo's pool, apps, identity pool and operator, and the bootstrap file that tells of them.

Each stage is written down as soon as it is made, so that a seed that was interrupted goes on where it stopped. Ids
and secrets never change; addresses are refreshed at each start.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.urls import reverse

from identity.demo import partner
from identity.embedded import aws as embedded_aws
from identity.foundation import errors, names
from identity.foundation.actor import Actor
from pools.services import access
from pools.services.identity_pools import identity_pools
from pools.services.messages import mailbox
from pools.services.operators import operator_sign_in, operators
from pools.services.pools import app_clients, client_secrets, pool_domains, resource_servers, signing_keys, user_pools

log = structlog.get_logger(__name__)
BY = Actor.system()
CALLBACK = "http://localhost:3000/callback"
SCOPES = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"]
ATTRIBUTES = [
    *("email", "email_verified", "phone_number", "phone_number_verified", "name", "given_name", "family_name"),
    *("middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender", "birthdate"),
    *("zoneinfo", "locale", "address", "updated_at", "custom:role"),
]
FLOWS = [
    *("ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"),
    *("ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
]
BUCKET = TABLE = "photos"


def path() -> Path:
    """Return where the bootstrap file is."""
    return Path(settings.DATA_DIR) / "bootstrap.json"


def read() -> dict[str, Any]:
    """Return what was seeded so far."""
    try:
        found: dict[str, Any] = json.loads(path().read_text())
    except FileNotFoundError:
        return {}
    return found


def write(kept: dict[str, Any]) -> None:
    """Put the file in place at once, readable by its owner alone."""
    handle, name = tempfile.mkstemp(dir=path().parent, prefix="bootstrap-")
    with os.fdopen(handle, "w") as file:
        json.dump(kept, file, indent=1)
        file.write("\n")
    Path(name).chmod(0o600)
    Path(name).replace(path())


def seed(place: embedded_aws.Place | None) -> dict[str, Any]:
    """Make what is missing, refresh addresses, and return the bootstrap file's content.

    ``place`` is the AWS that was started for the demo; there is none where ``STS_ENDPOINT_URL`` names one's own.
    """
    kept = read()
    stages: tuple[tuple[str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
        ("operator", operator),
        ("access_key_id", access_key),
        ("user_pool_id", user_pool),
        ("client_id", public_client),
        ("confidential_client_id", confidential_client),
        ("machine_client_id", machine_client),
        ("identity_pool_id", identity_pool),
    )
    signing_keys.ensure_installation_keys()
    for key, stage in stages:
        if not kept.get(key):
            kept |= stage(kept)
            write(kept)
    move_along(kept)
    befriend_partner(kept)
    kept |= addresses(kept) | storage(place)
    write(kept)
    return kept


def operator(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the demo's operator, with a random password and an enrolled authenticator."""
    del kept
    password = names.text(names.ALNUM, 24)
    name = f"demo-{names.text(names.LOWER, 6)}" if operator_exists("demo") else "demo"
    who = operators.create(name, password=password, by=BY)
    secret = operator_sign_in.enrol(who, by=BY, confirmed=True)
    return {"operator": {"username": name, "password": password, "totp_secret": secret}}


def operator_exists(name: str) -> bool:
    """Say whether an operator has that name already, from a seed whose file was lost."""
    try:
        operators.operator(name)
    except operators.OperatorNotFound:
        return False
    return True


def write_console_link(kept: dict[str, Any], place: Path) -> None:
    """Write a link that signs the operator in by itself, once; nothing where this machine is not the only one asked."""
    try:
        token = operator_sign_in.one_step_link(operators.operator(kept["operator"]["username"]), by=BY)
    except operators.OperatorNotFound as gone:
        tell_what_is(gone)
        return
    except operator_sign_in.LinkRefused:
        return
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{settings.CONSOLE_URL}{reverse('console:link')}?{urlencode({'token': token})}\n")


def access_key(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the access key with which boto3 signs."""
    who = operators.operator(kept["operator"]["username"])
    key_id, secret = operators.create_key(who, description="bootstrap file", by=BY)
    return {"access_key_id": key_id, "secret_access_key": secret}


def user_pool(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the demo pool of the contract, with its prefix domain and resource server."""
    del kept
    pool = user_pools.create(
        "Demo",
        settings={
            "username_attributes": ["email"],
            "username_configuration": {"case_sensitive": False},
            "auto_verified_attributes": ["email"],
            "schema": [
                {"name": "email", "attribute_data_type": "String", "mutable": True, "required": True},
                {"name": "role", "attribute_data_type": "String", "mutable": True},
            ],
        },
        by=BY,
    )
    mfa = {"mfa_configuration": "OPTIONAL", "software_token_mfa_configuration": {"enabled": True}}
    pool = user_pools.set_mfa(pool, settings=mfa, by=BY)
    prefix = f"demo-{pool.public_id.rpartition('_')[2].lower()}"
    pool_domains.set_prefix(pool, prefix, by=BY)
    scopes = [{"name": "read", "description": "See photos"}, {"name": "write", "description": "Store photos"}]
    resource_servers.create(pool, identifier="photos", name="Photos", scopes=scopes, by=BY)
    return {"user_pool_id": pool.public_id, "prefix": prefix}


def oauth(callbacks: list[str], logouts: list[str]) -> dict[str, Any]:
    """Return the settings that the demo's apps of people share."""
    return {
        "explicit_auth_flows": FLOWS,
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_flows": ["code"],
        "allowed_oauth_scopes": SCOPES,
        "callback_urls": callbacks,
        "logout_urls": logouts,
        "supported_identity_providers": ["COGNITO"],
        "read_attributes": ATTRIBUTES,
        "write_attributes": [name for name in ATTRIBUTES if not name.endswith("_verified")],
        "prevent_user_existence_errors": "ENABLED",
    }


def public_client(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the sample app's client: public, code and PKCE."""
    pool = access.pool(kept["user_pool_id"])
    wanted = oauth([CALLBACK, f"{demo_url()}callback"], ["http://localhost:3000/", demo_url()])
    return {"client_id": app_clients.create(pool, "Darkroom", settings=wanted, by=BY).client_id}


def tell_what_is(gone: errors.NotFound) -> None:
    """Say in a line that somebody deleted a part of the demo: it stays so, and the rest goes on."""
    log.warning("the demo is not whole", problem=type(gone).__name__, remedy=f"remove {path()} for a new demo")


def move_along(kept: dict[str, Any]) -> None:
    """Let the sample app's client know where the app is, after a start at another address than those before."""
    try:
        client = access.client_in(access.pool(kept["user_pool_id"]), kept["client_id"])
    except errors.NotFound as gone:
        tell_what_is(gone)
        return
    callback = f"{demo_url()}callback"
    if callback not in client.callback_urls:
        others = [url for url in client.callback_urls if not url.endswith("/demo/callback")]
        logouts = [url for url in client.logout_urls if not url.endswith("/demo/")]
        urls = {"callback_urls": [*others, callback], "logout_urls": [*logouts, demo_url()]}
        app_clients.update(client, urls, by=BY)


def befriend_partner(kept: dict[str, Any]) -> None:
    """Make what is missing of the second pool, by which people may sign in to the first, and bring it along."""
    try:
        for key, stage in partner.STAGES:
            if not kept.get(key):
                kept |= stage(kept)
                write(kept)
        partner.move_along(kept)
    except errors.NotFound as gone:
        tell_what_is(gone)


def confidential_client(kept: dict[str, Any]) -> dict[str, Any]:
    """Make a client with a secret and the code grant."""
    pool = access.pool(kept["user_pool_id"])
    wanted = oauth([CALLBACK], ["http://localhost:3000/"]) | {"generate_secret": True, "openid_strict": True}
    client = app_clients.create(pool, "Server", settings=wanted, by=BY)
    return {
        "confidential_client_id": client.client_id,
        "confidential_client_secret": client_secrets.values(client)[0],
    }


def machine_client(kept: dict[str, Any]) -> dict[str, Any]:
    """Make a client that acts for itself."""
    pool = access.pool(kept["user_pool_id"])
    wanted = {
        "generate_secret": True,
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_flows": ["client_credentials"],
        "allowed_oauth_scopes": ["photos/read", "photos/write"],
        # It speaks for nobody; without lists people could write every custom attribute through it.
        "read_attributes": ["email"],
        "write_attributes": ["email"],
    }
    client = app_clients.create(pool, "Machine", settings=wanted, by=BY)
    return {"machine_client_id": client.client_id, "machine_client_secret": client_secrets.values(client)[0]}


def identity_pool(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the identity pool that trusts both clients; its roles come with the demo's AWS."""
    provider = names.without_scheme(names.issuer(kept["user_pool_id"]))
    clients = (kept["client_id"], kept["confidential_client_id"])
    wanted = {
        "allow_unauthenticated_identities": True,
        "allow_classic_flow": True,
        "cognito_identity_providers": [
            {"provider_name": provider, "client_id": client, "server_side_token_check": True} for client in clients
        ],
    }
    return {"identity_pool_id": identity_pools.create("Demo", settings=wanted, by=BY).public_id}


def aws(kept: dict[str, Any], place: embedded_aws.Place) -> None:
    """Make roles, bucket and table in the demo's AWS where they are missing, and set the identity pool to use them."""
    certificate = json.loads(signing_keys.identity_jwks())["keys"][0]["x5c"][0]
    made = embedded_aws.prepare(
        place.endpoint_url,
        place.keys,
        issuer=names.identity_issuer(),
        identity_pools=[kept["identity_pool_id"]],
        thumbprint=hashlib.sha1(base64.b64decode(certificate)).hexdigest(),  # noqa: S324 - what IAM asks for
        bucket=BUCKET,
        enforces=place.enforces,
        dynamodb_endpoint_url=place.dynamodb_endpoint_url,
        table=TABLE,
    )
    try:
        pool = access.identity_pool(kept["identity_pool_id"])
    except errors.IdentityPoolNotFound as gone:
        tell_what_is(gone)
        return
    wanted = {"authenticated": made.member_role, "unauthenticated": made.guest_role}
    if (pool.member_role, pool.guest_role) != (made.member_role, made.guest_role):
        identity_pools.set_roles(pool, roles=wanted, mappings=None, by=BY)
    policy = embedded_aws.session_policy(BUCKET)
    if pool.member_session_policy != policy:
        identity_pools.set_session_policies(pool, member=policy, by=BY)


def demo_url() -> str:
    """Return where the sample app is."""
    return f"{settings.BASE_URL}/demo/"


def addresses(kept: dict[str, Any]) -> dict[str, Any]:
    """Return what depends on how this installation was started."""
    own = urlsplit(settings.BASE_URL)
    host = own.hostname or "localhost"
    prefix = kept.get("prefix", "")
    issuer = names.issuer(kept["user_pool_id"])
    # The address of the app that runs here. What somebody develops at CALLBACK may not run yet.
    login = {
        "client_id": kept["client_id"],
        "response_type": "code",
        "scope": "openid email profile",
        "redirect_uri": f"{demo_url()}callback",
    }
    return {
        "base_url": settings.BASE_URL,
        "tls_base_url": f"https://{host}:{settings.TLS_PORT}",
        "ca_file": str(Path(settings.DATA_DIR) / "ca.pem"),
        "console_url": f"{settings.CONSOLE_URL}/console/",
        "region": settings.REGION,
        "account_id": settings.ACCOUNT_ID,
        "issuer": issuer,
        "hosted_login_url": f"{issuer}/login?{urlencode(login)}",
        "domain": f"{prefix}.auth.{own.netloc}",
        "tls_domain": f"{prefix}.auth.{host}:{settings.TLS_PORT}",
        "mailbox_url": f"{settings.BASE_URL}/dev/mailbox" if mailbox.is_open() else "",
    }


def storage(place: embedded_aws.Place | None) -> dict[str, Any]:
    """Return where credentials and photos are of this start; nobody vouches for the rules of what is not ours."""
    return {
        "aws_endpoint_url": place.endpoint_url if place else settings.STS_PUBLIC_URL,
        "aws_enforces": bool(place and place.enforces),
        "aws_is_demo": bool(place),
        "dynamodb_endpoint_url": place.dynamodb_endpoint_url if place else "",
        "bucket": BUCKET,
        "table": TABLE,
    }
