"""A tenant: a user pool with clients, people and identities, all of whose names hold one word, and what it holds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import secrets
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from time import time
from typing import Any, NamedTuple
from urllib.parse import unquote

import psycopg
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from psycopg import sql

from pools.cognito import operations
from pools.cognito.contract import SERVICES, Operation
from tests import factories
from tests.live import Live

assert operations
CALLBACK = "https://app.example/callback"
BYE = "https://app.example/bye"
PASSWORD = factories.PASSWORD
FAMILY = "Walker"  # of both tenants' people alike, and of no namesake that a crossing makes
OTHER_PASSWORD = "Battery-staple-8"
OAUTH = {
    "allowed_oauth_flows_user_pool_client": True,
    "allowed_oauth_flows": ["code"],
    "allowed_oauth_scopes": ["openid", "email", "aws.cognito.signin.user.admin"],
    "callback_urls": [CALLBACK],
    "logout_urls": [BYE],
    "supported_identity_providers": ["COGNITO"],
}
# A refusal may be noted where it happened; nothing else may be.
ONLY = {
    "audit_event": "outcome <> 'refused'",
    "audit_personal": "id NOT IN (SELECT id FROM audit_event WHERE outcome = 'refused')",
    "auth_event": "passed",
}
_numbers = itertools.count(1)


class App(NamedTuple):
    """An app client as its owner knows it."""

    id: str
    secret: str

    def proves(self, name: str, *, of: str = "") -> str:
        """Return SECRET_HASH over a name and this client's id, or another's."""
        digest = hmac.digest(self.secret.encode(), (name + (of or self.id)).encode(), "sha256")
        return base64.b64encode(digest).decode()


class Person(NamedTuple):
    """A confirmed user with a password."""

    name: str
    sub: str
    email: str


@dataclass(frozen=True)
class Answer:
    """What was asked and what came back, as text."""

    asked: str
    status: int
    told: str
    body: str

    @property
    def json(self) -> dict[str, Any]:
        """Return the body."""
        return dict(json.loads(self.body or "{}"))

    @property
    def code(self) -> str:
        """Return the exception of the wire API, empty where there is none."""
        return str(self.json.get("__type", ""))


def answered(response: requests.Response) -> Answer:
    """Return an answer with its request, headers included; what is inside tokens and URLs made readable."""
    sent = response.request
    body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body or ""
    asked = readable(f"{sent.url}\n{sent.headers}\n{body}")
    told = readable(f"{response.headers}\n{response.text}")
    return Answer(asked, response.status_code, told, response.text)


def readable(text: str) -> str:
    """Return a text with its URL-encoding undone, followed by what its JWTs say."""
    plain = unquote(text)
    parts = [part for word in plain.replace('"', " ").split() for part in word.split(".") if part.startswith("eyJ")]
    return plain + "".join(base64.urlsafe_b64decode(part + "===").decode(errors="replace") for part in parts)


class Wire:
    """The wire API, spoken to by an operator's key, or by nobody."""

    def __init__(self, live: Live) -> None:
        """Know where it is."""
        self.live = live

    def send(self, operation: Operation, members: dict[str, Any], **more: Any) -> Answer:
        """Send a request, signed where the model asks for it; ``key`` signs in place of the operator's."""
        key = None if operation.is_public else self.live.access_key
        return self.raw(operation, json.dumps(members).encode(), key=more.pop("key", key), **more)

    def raw(
        self, operation: Operation, body: bytes, *, key: tuple[str, str] | None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send these bytes."""
        service, url = operation.service, self.live.base_url + "/"
        given = {"X-Amz-Target": f"{service.target}.{operation.name}", "Content-Type": "application/x-amz-json-1.1"}
        request = AWSRequest("POST", url, data=body, headers={**given, **(headers or {})})
        if key is not None:
            SigV4Auth(Credentials(*key), service.name, self.live.region).add_auth(request)
        return answered(requests.post(url, data=body, headers=dict(request.headers.items()), timeout=30))

    def ask(self, name: str, **members: Any) -> dict[str, Any]:
        """Send what must succeed."""
        operation = next(each.operations[name] for each in SERVICES.values() if name in each.operations)
        answer = self.send(operation, members)
        assert answer.status == 200, answer
        return answer.json


@dataclass
class Tenant:
    """One pool and all that hangs on it."""

    live: Live
    word: str = field(default_factory=lambda: f"w{secrets.token_hex(6)}")
    steps: dict[str, str] = field(default_factory=dict)
    """Cookies of sign-ins that wait, by what they wait for."""

    def __post_init__(self) -> None:
        """Make the pool, four clients, a resource server, a group, an identity pool, a person who is in all of it."""
        from pools.services import access
        from pools.services.identity_pools import identity_pools
        from pools.services.people import groups
        from pools.services.pools import pool_domains, resource_servers, user_pools

        self.wire, by, word = Wire(self.live), factories.BY, self.word
        with self.live.orm():
            pool = user_pools.create(f"Pool {word}", settings={"auto_verified_attributes": ["email"]}, by=by)
            totp = {"mfa_configuration": "OPTIONAL", "software_token_mfa_configuration": {"enabled": True}}
            user_pools.set_mfa(pool, settings=totp, by=by)
            pool_domains.set_prefix(pool, f"d-{word}", by=by)
            scopes = [{"name": "read", "description": f"Read {word}"}]
            resource_servers.create(pool, identifier=f"api-{word}", name=f"API {word}", scopes=scopes, by=by)
            registration = {"authenticated_grant_types": ["client_credentials"], "allowed_scopes": [self.scope]}
            user_pools.update(pool, {"dcr_configuration": registration}, by=by)
            self.row = pool = access.pool(pool.public_id)
            self.pool_id = pool.public_id
            self.public = self._app("public", **OAUTH)
            self.confidential = self._app("confidential", generate_secret=True, **OAUTH)
            machine = {"allowed_oauth_flows": ["client_credentials"], "allowed_oauth_scopes": [self.scope]}
            self.machine = self._app(
                "machine", generate_secret=True, **{**OAUTH, **machine, "callback_urls": [], "logout_urls": []}
            )
            registrar = {**machine, "allowed_oauth_scopes": ["aws.cognito/dcr/register"]}
            self.registrar = self._app(
                "registrar", generate_secret=True, **{**OAUTH, **registrar, "callback_urls": [], "logout_urls": []}
            )
            self.group = f"group-{word}"
            groups.create(pool, self.group, role_arn=f"arn:aws:iam::000000000000:role/{word}", precedence=1, by=by)
            apps = (self.public, self.confidential)
            lines = [{"provider_name": self.provider, "client_id": app.id} for app in apps]
            settings = {"allow_unauthenticated_identities": True, "allow_classic_flow": True}
            made = identity_pools.create(
                f"Identities {word}", settings={**settings, "cognito_identity_providers": lines}, by=by
            )
            self.identity_provider_id = str(factories.make_provider(pool, name=f"p-{word}").id)
            client = access.client_in(pool, self.public.id)
            self.application_id = str(factories.make_saml_application(client).id)
            self.identity_pool_id, self.identity_pk = made.public_id, made.pk
        self.ann = self.person()
        with self.live.orm():
            groups.add(pool, access.user(pool, self.ann.name), self.group, by=by)

    def _app(self, kind: str, **settings: Any) -> App:
        from pools.services.pools import app_clients, client_secrets

        wanted = {"explicit_auth_flows": factories.FLOWS, "prevent_user_existence_errors": "ENABLED", **settings}
        made = app_clients.create(self.row, f"{kind} {self.word}", settings=wanted, by=factories.BY)
        return App(made.client_id, next(iter(client_secrets.values(made)), ""))

    # -- names

    @property
    def scope(self) -> str:
        """Return the resource server's scope."""
        return f"api-{self.word}/read"

    @property
    def provider(self) -> str:
        """Return the pool's name among providers of logins."""
        return f"{self.live.base_url.partition('://')[2]}/{self.pool_id}"

    @property
    def host(self) -> str:
        """Return the pool's own host."""
        return f"d-{self.word}.auth.localhost:{self.live.port}"

    @property
    def cookie(self) -> str:
        """Return the name of the pool's session cookie on http."""
        return f"cg-{self.pool_id.rpartition('_')[2]}"

    @cached_property
    def marks(self) -> frozenset[str]:
        """Return what nobody else's answer may hold: ids, secrets, and the word that is in every name."""
        apps = (self.public, self.confidential, self.machine, self.registrar)
        ids = {self.pool_id, self.identity_pool_id, self.ann.sub, *(app.id for app in apps)}
        return frozenset({self.word, *ids, *(app.secret for app in apps if app.secret)})

    # -- what it holds

    def person(self) -> Person:
        """Make a confirmed person."""
        name = f"p{next(_numbers)}-{self.word}"
        email = f"{name}@example.org"
        with self.live.orm():
            given = {
                "email": email,
                "email_verified": "true",
                "given_name": f"Given {self.word}",
                "family_name": FAMILY,
            }
            return Person(name, str(factories.make_user(self.row, name, **given).sub), email)

    def invited(self) -> Person:
        """Make a person who has an operator's temporary password."""
        with self.live.orm():
            made = factories.make_invited(self.row, f"p{next(_numbers)}-{self.word}")
        return Person(made.username, str(made.sub), "")

    def signing_up(self) -> Person:
        """Make somebody who has not confirmed yet; their code is in the mail."""
        name = f"p{next(_numbers)}-{self.word}"
        email = f"{name}@example.org"
        attributes = [{"Name": "email", "Value": email}]
        made = self.wire.ask(
            "SignUp", ClientId=self.public.id, Username=name, Password=PASSWORD, UserAttributes=attributes
        )
        return Person(name, made["UserSub"], email)

    def mailed(self, person: Person) -> str:
        """Return the code that somebody was mailed."""
        words = str(self.live.message(person.email)["body"]).replace(".", " ").split()
        return next(word for word in words if len(word) == 6 and word.isdigit())

    def recovering(self) -> tuple[Person, str]:
        """Return somebody who forgot their password, and the code they were mailed."""
        person = self.person()
        self.wire.ask("ForgotPassword", ClientId=self.public.id, Username=person.name)
        return person, self.mailed(person)

    def tokens(self, person: Person | None = None, app: App | None = None) -> dict[str, str]:
        """Sign somebody in by password."""
        person, app = person or self.ann, app or self.public
        return dict(self.begin(person, app)["AuthenticationResult"])

    def begin(self, person: Person, app: App) -> dict[str, Any]:
        """Begin a sign-in by password."""
        given = {"USERNAME": person.name, "PASSWORD": PASSWORD}
        if app.secret:
            given["SECRET_HASH"] = app.proves(person.name)
        return self.wire.ask("InitiateAuth", ClientId=app.id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)

    def challenged(self) -> tuple[Person, str, str]:
        """Return somebody whose password was right, the session that waits for a code, and the code."""
        from pools.services import access

        person = self.person()
        with self.live.orm():
            totp = factories.give_totp(self.row, access.user(self.row, person.name))
        # Enrolling spent the present code; a clock that runs half a minute ahead is believed.
        return person, self.begin(person, self.public)["Session"], totp.at(int(time()) + 30)

    def member(self) -> tuple[str, dict[str, str]]:
        """Return an identity and the logins that it is known by."""
        logins = {self.provider: self.tokens(self.person())["IdToken"]}
        return self.wire.ask("GetId", IdentityPoolId=self.identity_pool_id, Logins=logins)["IdentityId"], logins

    def guest(self) -> str:
        """Return an identity without logins."""
        return str(self.wire.ask("GetId", IdentityPoolId=self.identity_pool_id)["IdentityId"])

    def registrar_token(self) -> str:
        """Return an access token by which apps register themselves."""
        from pools.services import access
        from pools.services.tokens import issue

        with self.live.orm():
            return issue.client_credentials(access.client(self.registrar.id), ["aws.cognito/dcr/register"]).access

    def forged(self, claims: dict[str, Any]) -> str:
        """Return an access token that says this and is signed by this pool's key."""
        from pools.services.pools import signing_keys

        with self.live.orm():
            return signing_keys.sign(self.row, signing_keys.Use.ACCESS, claims)

    def session(self) -> str:
        """Return the cookie of a browser in which the person is signed in."""
        from pools.services.tokens import sessions

        with self.live.orm():
            found = factories.person_of(self.row, self.ann.name)
            return sessions.prepare(self.row, found, event_id=uuid.uuid4(), methods=["pwd"]).save().cookie

    # -- what nobody else may change

    def digest(self, looks: psycopg.Connection) -> dict[str, str]:
        """Return a digest of every row of the tenant, by table, read by a connection that is no part of the product."""
        return dict(looks.execute(self._statement).fetchall())

    def is_waited_for(self, looks: psycopg.Connection) -> bool:
        """Say whether the worker has still to send something, or to import somebody."""
        waiting = (
            "SELECT EXISTS (SELECT FROM outbox WHERE pool_id = %(pool)s AND state IN ('pending', 'handing')) OR EXISTS "
            "(SELECT FROM user_import_job WHERE pool_id = %(pool)s AND status IN ('Pending', 'InProgress', 'Stopping'))"
        )
        return bool(looks.execute(waiting, {"pool": self.row.pk}).fetchone()[0])  # type: ignore[index]

    @cached_property
    def _statement(self) -> sql.Composed:
        from django.apps import apps

        from pools.models import IdentityPool

        found = []
        for model in apps.get_app_config("pools").get_models():
            name = model._meta.db_table
            columns = {each.column: each.related_model for each in model._meta.concrete_fields}
            if "pool_id" not in columns and name not in {"user_pool", "identity_pool"}:
                continue
            of_identities = columns.get("pool_id") is IdentityPool or name == "identity_pool"
            statement = sql.SQL(
                "SELECT {}, md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM {} t WHERE {} = {} AND {}"
            ).format(
                name,
                sql.Identifier(name),
                sql.Identifier("pool_id" if "pool_id" in columns else "id"),
                self.identity_pk if of_identities else self.row.pk,
                sql.SQL(ONLY.get(name, "true")),
            )
            found.append(statement)
        return sql.SQL(" UNION ALL ").join(found)


def challenge(verifier: str) -> dict[str, str]:
    """Return what an authorization request says of a PKCE verifier."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return {"code_challenge": digest, "code_challenge_method": "S256"}
