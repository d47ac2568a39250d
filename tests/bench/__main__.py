"""``make bench``: the main jobs next to their floors, as a table and in var/bench.json.

``python -m tests.bench NAME…`` measures the jobs whose names hold one of these words, and keeps nothing.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from time import perf_counter, sleep, time
from typing import Any
from urllib.parse import urlencode

from identity.embedded.parts import Part
from tests.bench import imports, installation, listings, many_pools, outbox, providers, saml
from tests.bench.figures import (
    Bare,
    Job,
    Rounds,
    bare,
    memory,
    percentile,
    plain,
    processes,
    processor_seconds,
    rank_test,
    table,
    together,
)
from tests.servers import ROOT, free_port

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
ROUNDS = 5
"""A job and its floor take turns: a shared machine changes its pace from second to second."""
AT_ONCE = 4
CALLS = 300
MASKED = re.compile(r"[^\"\s]\*{3}@[^\"\s]\*{3}")
MADE_UP = re.compile(r'"(?:[\w+/=-]{28,}|(?:person|nobody)\d+)"')
"""What is another in each answer of an exchange by SRP: numbers, sealed text, and the name that was sent."""
CONFIGURATION = 2.5
"""Seconds after which every process knows what was configured meanwhile."""
RETRY_AFTER = 1.0
"""Seconds after which a client that was turned away comes back, as the answer tells it."""
# What of its floor a job should reach: bare hashing, or a view with as many signatures and one SELECT.
ARGON2 = "argon2"
LIST = "ListUsers, a page of 60"
MAIL = "codes by SMTP"
CSV = "users from a CSV file"
AMONG = f"statements differ at {many_pools.FEW} and {many_pools.MANY:,} pools"
IMPORTED = 10_000
"""Users a second."""
LARGEST = 130
"""MiB of the web process once the load is over: some ten seconds after its last hash (``spare_memory``)."""
REACH = {
    "password sign-in": (ARGON2, 0.78),
    "client credentials": ("one-signature", 0.7),
    "refresh": ("two-signatures", 0.7),
    "code exchange": ("two-signatures", 0.7),
    "GetUser": ("verify", 0.7),
    "userInfo": ("verify", 0.7),
}
# Microseconds a request that a web process should need at most beside the cryptography, and PostgreSQL in all.
MOST = {
    "refresh": (450, None),
    "client credentials": (200, None),
    "GetUser": (300, 140),
    "userInfo": (300, 140),
    "AdminCreateUser": (4000, None),
    "AdminSetUserPassword": (4000, None),
    LIST: (2000, None),
    **{
        listings.name_of(what, size): (listings.MOST, listings.MOST)
        for what in listings.ASKED
        for size in listings.SIZES
    },
}


def wire(operation: str, body: dict[str, Any], service: str = "AWSCognitoIdentityProviderService") -> list[Any]:
    """Return a wire request."""
    head = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{service}.{operation}"}
    return ["POST", "/", head, json.dumps(body)]


def form(path: str, fields: dict[str, str], secret: str = "") -> list[Any]:
    """Return an OAuth request."""
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    if secret:
        head["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    return ["POST", path, head, urlencode(fields)]


class Bench:
    """One run."""

    def __init__(self) -> None:
        """Start everything, and make people."""
        print("starting PostgreSQL, Redis, the installation and the floor …", flush=True)
        self.ports, self.postgres = installation.start()
        import django

        django.setup()
        self.world = installation.make()
        self.imported = 0.0
        self.mailed = outbox.Mailed(0.0, 0.0)
        self.among = 0
        self.differing: dict[str, tuple[int, int]] = {}
        self.pieces = self.arithmetic()
        self.bare = {kind: measured() for kind, measured in self.pieces.items()}
        sts = (sys.executable, "-m", "tests.bench.sts", str(self.ports["sts"]))
        installation.keep(Part("sts", sts, directory=ROOT, ready=lambda: True))
        began = perf_counter()
        self.installation = installation.keep(installation.installation(self.ports["installation"]))
        self.first_answer = perf_counter() - began
        from pools.models import User

        os.environ["FLOOR_SUBJECT"] = str(User.objects.filter(pool_id=self.world.pool.pk).values_list("id")[0][0])
        self.floor = installation.keep(installation.floor(self.ports["floor"]))
        self.jobs: list[Job] = []
        self.floors: list[Job] = []
        self.reached: dict[str, float] = {}
        self.chosen = sys.argv[1:]

    def arithmetic(self) -> dict[str, Callable[[], Bare]]:
        """Return what measures hash, signature and its check by themselves, in this process."""
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.hashes import SHA256

        from pools.services.people import srp
        from pools.services.people.passwords import HASHER

        key, text = rsa.generate_private_key(65537, 2048), b"x" * 600
        kind, hashed = padding.PKCS1v15(), HASHER.hash(installation.PASSWORD)
        signature, public = key.sign(text, kind, SHA256()), key.public_key()
        return {
            ARGON2: lambda: bare("bare Argon2id 7 MiB t=5 p=1", lambda: HASHER.verify(hashed, installation.PASSWORD)),
            "srp": lambda: bare(
                "bare SRP verifier", lambda: srp.verifier("us-east-1_bench", "ada", installation.PASSWORD, 1 << 120)
            ),
            "sign": lambda: bare("bare RS256 signature", lambda: key.sign(text, kind, SHA256())),
            "verify": lambda: bare("bare RS256 check", lambda: public.verify(signature, text, kind, SHA256())),
        }

    def load(self, server: str, requests: list[list[Any]], **more: Any) -> dict[str, Any]:
        """Let the load's own process play requests."""
        order = {"port": self.ports[server], "seconds": SECONDS, "connections": AT_ONCE, "requests": requests, **more}
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            cwd=ROOT,
            input=json.dumps(order),
            capture_output=True,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def play(self, rounds: Rounds, server: str, requests: list[list[Any]], **more: Any) -> None:
        """Play one round."""
        pids = processes(self.installation if server == "installation" else self.floor)
        database = processes(self.postgres)
        before = processor_seconds(pids), processor_seconds(database)
        found = self.load(server, requests, **more)
        rounds.add(found, processor_seconds(pids) - before[0], processor_seconds(database) - before[1])

    def measure(self, name: str, requests: list[list[Any]], *, once: bool = False, **more: Any) -> Job:
        """Measure one job, after a warm-up, in turns with the floor that it is compared with."""
        floor, _ = REACH.get(name, ("", 0))
        turns = ROUNDS if floor else 1
        own, view, hashes = Rounds(), Rounds(), []
        if not once:
            self.load("installation", requests, seconds=0.5)
        for turn in range(turns):
            if floor == ARGON2:
                hashes.append(self.pieces[ARGON2]())
            elif floor:
                self.play(view, "floor", [self.view(floor)], seconds=SECONDS / turns)
            share = requests[turn::turns] if once else requests
            self.play(own, "installation", share, **{"once": once, "seconds": SECONDS / turns, **more})
        if hashes:
            self.bare[ARGON2] = together(hashes)
            self.reached[name] = own.per_core / self.bare[ARGON2].per_second
        elif floor:
            self.floors.append(view.job(f"floor: {floor} ({name})"))
            self.reached[name] = own.per_core / view.per_core
        job = own.job(name)
        print(f"  {name}: {job.per_second:.0f}/s, {job.per_core:.0f}/s per core", flush=True)
        return job

    def view(self, name: str) -> list[Any]:
        """Return a request of the floor."""
        return ["POST" if "signature" in name else "GET", f"/{name}", {}, ""]

    def job(
        self,
        name: str,
        requests: list[list[Any]],
        *,
        argon2: int = 0,
        srp: int = 0,
        sign: int = 0,
        verify: int = 0,
        **more: Any,
    ) -> Job | None:
        """Measure a job of the installation that was chosen, with its queries and its share of arithmetic."""
        if self.chosen and not self.is_chosen(name):
            return None
        counted = more.pop("counted", requests)
        queries = self.queries(counted)
        job = self.measure(name, requests, **more)
        job.queries = queries
        cost = {"argon2": argon2, "srp": srp, "sign": sign, "verify": verify}
        milliseconds = sum(times * self.bare[kind].milliseconds for kind, times in cost.items())
        job.arithmetic = milliseconds * job.per_core / 1000
        job.above = 1e6 / job.per_core - 1000 * milliseconds
        self.jobs.append(job)
        return job

    def is_chosen(self, name: str) -> bool:
        """Say whether a name holds one of the words that were given."""
        return any(word.lower() in name.lower() for word in self.chosen)

    def queries(self, requests: list[list[Any]]) -> int:
        """Count a request's statements, in this process: the second of its kind, when configuration is held."""
        from django.conf import settings
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext

        visitor = Client(headers={"host": settings.BASE_URL.split("://")[1]})
        spent = 0
        for method, path, head, body in requests[:2]:
            headers = {name: value for name, value in head.items() if name != "Content-Type"}
            kind = head.get("Content-Type", "application/octet-stream")
            with CaptureQueriesContext(connection) as captured:
                # From an address of its own: the other jobs may have used up what is theirs in a minute.
                answer = visitor.generic(
                    method, path, body, content_type=kind, headers=headers, REMOTE_ADDR="127.0.0.2"
                )
            if answer.status_code >= 400:
                raise RuntimeError(f"{path} {head.get('X-Amz-Target')}: {answer.status_code} {answer.content[:300]!r}")
            statements = [query["sql"] or "" for query in captured.captured_queries]
            spent = sum(not text.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")) for text in statements)
        return spent

    def ask(self, request: list[Any]) -> dict[str, Any]:
        """Ask the installation once."""
        from tests.bench.load import Connection
        from tests.bench.load import wire as written

        status, body = Connection(self.ports["installation"]).ask(written(self.ports["installation"], request))
        found: dict[str, Any] = json.loads(body)
        if status != 200:
            raise RuntimeError(f"{request[2].get('X-Amz-Target', request[1])}: {status} {found}")
        return found

    def sign_in(self, name: str, password: str = installation.PASSWORD) -> list[Any]:
        """Return a sign-in."""
        given = {"USERNAME": name, "PASSWORD": password}
        client = self.world.client.client_id
        return wire("InitiateAuth", {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given})

    def run(self) -> None:
        """Measure everything."""
        for name in ("empty", "select", "one-signature", "two-signatures", "verify"):
            self.load("floor", [self.view(name)], seconds=0.5)
        for name in ("empty", "select"):
            rounds = Rounds()
            self.play(rounds, "floor", [self.view(name)])
            self.floors.append(rounds.job(f"floor: {name}"))
        self.people()
        self.machines()
        self.operators()
        self.providers()
        self.lists()
        if self.chosen:
            print("\n" + table([*self.floors, *self.jobs]) + "\n")
            for name, ratio in self.reached.items():
                print(f"{name:<44}{ratio:>6.2f}  (reach {REACH[name][1]:.2f})")
            self.tell_microseconds()
            self.tell_providers()
            if self.is_chosen(MAIL):
                self.mailed = self.mail()
            if self.is_chosen(CSV):
                self.import_users()
            if self.is_chosen(AMONG):
                self.differing = self.among_pools()
            self.tell_installation()
            return
        self.vending()
        storm = self.storm()
        ranks = self.ranks()
        self.import_users()
        self.differing = self.among_pools()
        self.mailed = self.mail()
        starts = self.cold_start()
        self.report(storm, ranks, starts)

    def people(self) -> None:
        """Measure what people's apps do."""
        world = self.world
        self.job("password sign-in", [self.sign_in(name) for name in world.names], argon2=1, sign=2)
        tokens = [self.ask(self.sign_in(name))["AuthenticationResult"] for name in world.names[:8]]
        self.tokens = tokens
        refresh = [
            wire(
                "InitiateAuth",
                {
                    "ClientId": world.client.client_id,
                    "AuthFlow": "REFRESH_TOKEN_AUTH",
                    "AuthParameters": {"REFRESH_TOKEN": token["RefreshToken"]},
                },
            )
            for token in tokens
        ]
        self.job("refresh", refresh, sign=2)
        codes = installation.issue_code(world, int(SECONDS * 300) + 2)
        exchange = [self.exchange(code) for code in codes]
        self.job("code exchange", exchange[2:], counted=exchange[:2], sign=2, once=True)
        self.get_user = [wire("GetUser", {"AccessToken": token["AccessToken"]}) for token in tokens]
        self.job("GetUser", self.get_user, verify=1)
        access = [self.ask(self.exchange(code))["access_token"] for code in installation.issue_code(world, 4)]
        path = f"{world.prefix}/oauth2/userInfo"
        self.job("userInfo", [["GET", path, {"Authorization": f"Bearer {token}"}, ""] for token in access], verify=1)
        self.job("JWKS", [["GET", f"{world.prefix}/.well-known/jwks.json", {}, ""]] * 2)

    def exchange(self, code: str) -> list[Any]:
        """Return a code's exchange."""
        return form(
            f"{self.world.prefix}/oauth2/token",
            {
                "grant_type": "authorization_code",
                "code": code,
                "client_id": self.world.client.client_id,
                "redirect_uri": installation.CALLBACK,
            },
        )

    def machines(self) -> None:
        """Measure what machines do."""
        secret = f"{self.world.machine.client_id}:{self.world.machine_secret}"
        grant = {"grant_type": "client_credentials", "scope": "photos/read"}
        self.job("client credentials", [form(f"{self.world.prefix}/oauth2/token", grant, secret)] * 2, sign=1)

    def operators(self) -> None:
        """Measure what an operator's programs do, by signed calls."""
        pool, names = self.world.pool.public_id, self.world.names
        count = int(SECONDS * 60) + 2
        password = {"Password": installation.PASSWORD, "Permanent": True}
        people = [
            {"UserPoolId": pool, "Username": f"made{n}", "TemporaryPassword": installation.PASSWORD}
            for n in range(count)
        ]
        created = [self.signed("AdminCreateUser", {**each, "MessageAction": "SUPPRESS"}) for each in people]
        self.job("AdminCreateUser", created[2:], counted=created[:2], argon2=1, srp=1, once=True)
        given = [{"UserPoolId": pool, "Username": name, **password} for name in names]
        self.job("AdminSetUserPassword", [self.signed("AdminSetUserPassword", each) for each in given], argon2=1, srp=1)
        self.job(LIST, [self.signed("ListUsers", {"UserPoolId": pool, "Limit": 60})] * 2)

    def providers(self) -> None:
        """Measure what is left to do when people come back from an identity provider, who come first and again."""
        if self.chosen and not self.is_chosen(providers.FIRST):
            return
        port = self.ports["upstream"]
        server = (sys.executable, "-m", "tests.bench.providers", "serve", str(port))
        installation.keep(Part("upstream", server, directory=ROOT, ready=lambda: installation.listens(port)))
        app = providers.make(self.world, port)
        sleep(CONFIGURATION)
        for name in (providers.FIRST, providers.AGAIN):
            counted = [providers.statements(one) for one in providers.trips(app, range(1, 3))]
            self.come_back(Rounds(), providers.trips(app, range(1_000_000, 1_000_020)))
            rounds = Rounds()
            self.come_back(rounds, providers.trips(app, range(100, 100 + providers.SIGN_INS)))
            job = rounds.job(name)
            job.queries = counted[-1]
            milliseconds = self.bare["verify"].milliseconds
            job.arithmetic = milliseconds * job.per_core / 1000
            job.above = 1e6 / job.per_core - 1000 * milliseconds
            self.jobs.append(job)
            print(f"  {name}: {1000 / job.per_core:.1f} ms of the web process", flush=True)

    def come_back(self, rounds: Rounds, browsers: list[list[str]]) -> None:
        """Play one round of people who come back."""
        own, database = processes(self.installation), processes(self.postgres)
        before = processor_seconds(own), processor_seconds(database)
        found = providers.come_back(self.ports["installation"], browsers)
        rounds.add(found, processor_seconds(own) - before[0], processor_seconds(database) - before[1])

    def lists(self) -> None:
        """Measure lists of small and large pools, which should not differ."""
        made = []
        for size in listings.wanted(self.chosen):
            print(f"making {size:,} users …", flush=True)
            made.append(listings.make(size))
            for what, more in listings.ASKED.items():
                asked = {"UserPoolId": made[-1].public_id, "Limit": 60, **more}
                self.job(listings.name_of(what, size), [self.signed("ListUsers", asked)] * 2)
        if made:
            listings.empty(made)

    def mail(self) -> outbox.Mailed:
        """Return how fast codes leave for a mail server beside us."""
        port = self.ports["smtp"]
        server = (sys.executable, "-m", "tests.bench.outbox", str(port))
        installation.keep(Part("smtp", server, directory=ROOT, ready=lambda: installation.listens(port)))
        return outbox.send(self.world.pool, port)

    def import_users(self) -> None:
        """Measure how fast a file becomes users, and tell it at once."""
        self.imported = imports.users_per_second(self.world.pool)
        slow = "" if self.imported >= IMPORTED else "  MISSED"
        print(f"{CSV:<44}{self.imported:>6.0f}/s (reach {IMPORTED}){slow}")

    def among_pools(self) -> dict[str, tuple[int, int]]:
        """Return the operations whose statements are not as many among ten thousand pools as among ten."""
        from identity.foundation import names

        world, pool = self.world, {"UserPoolId": self.world.pool.public_id}
        person, client = {**pool, "Username": world.names[0]}, {**pool, "ClientId": world.client.client_id}
        arn = names.pool_arn(world.pool.public_id)
        token = self.tokens[0]
        refresh = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": token["RefreshToken"]}}
        found: dict[str, dict[str, Any]] = {
            "DescribeUserPool": pool,
            "ListUserPools": {"MaxResults": 60},
            "UpdateUserPool": pool,
            "GetUserPoolMfaConfig": pool,
            "ListTagsForResource": {"ResourceArn": arn},
            "ListUserPoolClients": {**pool, "MaxResults": 60},
            "DescribeUserPoolClient": client,
            "ListResourceServers": {**pool, "MaxResults": 50},
            "DescribeResourceServer": {**pool, "Identifier": "photos"},
            "ListGroups": pool,
            "ListUsers": pool,
            "AdminGetUser": person,
            "AdminSetUserPassword": {**person, "Password": installation.PASSWORD, "Permanent": True},
        }
        asked = {name: [self.signed(name, body)] * 4 for name, body in found.items()}
        for operation, key in (("CreateGroup", "GroupName"), ("AdminCreateUser", "Username")):
            more = {"MessageAction": "SUPPRESS"} if key == "Username" else {}
            asked[operation] = [self.signed(operation, {**pool, key: f"among{n}", **more}) for n in range(4)]
        asked["CreateUserPoolClient"] = [self.signed("CreateUserPoolClient", {**pool, "ClientName": "a"})] * 4
        asked["GetUser"] = [wire("GetUser", {"AccessToken": token["AccessToken"]})] * 4
        asked["InitiateAuth, refresh"] = [wire("InitiateAuth", {"ClientId": world.client.client_id, **refresh})] * 4
        asked["InitiateAuth, password"] = [self.sign_in(world.names[1])] * 4
        # Others than the rest of the bench writes to, and each once: codes to one address are few.
        asked["ForgotPassword"] = [self.forgot(name) for name in world.names[-4:]]
        asked["JWKS"] = [["GET", f"{world.prefix}/.well-known/jwks.json", {}, ""]] * 4
        self.among = len(asked)
        return many_pools.differing(asked, self.queries)

    def signed(self, operation: str, body: dict[str, Any]) -> list[Any]:
        """Return a wire request with the operator's signature, which holds for a quarter of an hour."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        from django.conf import settings

        method, path, head, text = wire(operation, body)
        asked = AWSRequest(method, settings.BASE_URL + path, data=text, headers=head)
        SigV4Auth(Credentials(*self.world.access_key), "cognito-idp", settings.REGION).add_auth(asked)
        return [method, path, dict(asked.headers), text]

    def vending(self) -> None:
        """Measure credentials, with the STS's time apart."""
        from identity.foundation import names

        provider = names.without_scheme(names.issuer(self.world.pool.public_id))
        service = "AWSCognitoIdentityService"
        requests = []
        for token in self.tokens:
            logins = {provider: token["IdToken"]}
            identity = self.ask(wire("GetId", {"IdentityPoolId": self.world.identity_pool, "Logins": logins}, service))
            given = {"IdentityId": identity["IdentityId"], "Logins": logins}
            requests.append(wire("GetCredentialsForIdentity", given, service))
        before = self.outside()
        job = self.job("GetCredentialsForIdentity", requests, sign=1, verify=1)
        after = self.outside()
        calls = after[1] - before[1]
        if job is not None:
            job.notes["sts_ms"] = round(1000 * (after[0] - before[0]) / calls, 1) if calls else None

    def outside(self) -> tuple[float, float]:
        """Return seconds and count of outbound calls, as the installation's metrics tell."""
        from tests.bench.load import Connection
        from tests.bench.load import wire as written

        _, body = Connection(self.ports["installation"]).ask(
            written(self.ports["installation"], ["GET", "/metrics", {}, ""])
        )
        lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
        return float(lines.get("cognate_outbound_seconds_sum", 0)), float(
            lines.get("cognate_outbound_seconds_count", 0)
        )

    def storm(self) -> Job:
        """Measure GetUser while everyone signs in."""
        found: dict[str, Any] = {}

        def everyone() -> None:
            requests = [self.sign_in(name) for name in self.world.names]
            found.update(self.load("installation", requests, connections=24, seconds=SECONDS + 2, pause=RETRY_AFTER))

        crowd = threading.Thread(target=everyone)
        crowd.start()
        sleep(1)
        job = self.measure("GetUser in a storm of sign-ins", self.get_user, connections=2)
        crowd.join()
        job.notes |= {
            "sign_ins_per_second": round(len(found["times"]) / found["seconds"], 1),
            "sign_ins_refused": found["failures"],
        }
        self.jobs.append(job)
        return job

    def forgot(self, name: str) -> list[Any]:
        """Return the request of somebody who forgot the password."""
        return wire("ForgotPassword", {"ClientId": self.world.client.client_id, "Username": name})

    def srp(self, name: str) -> list[Any]:
        """Return the request of somebody who begins to sign in by SRP."""
        given = {"USERNAME": name, "SRP_A": f"{(1 << 3000) + 12345:x}"}
        client = self.world.client.client_id
        return wire("InitiateAuth", {"ClientId": client, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": given})

    def ranks(self) -> dict[str, dict[str, Any]]:
        """Time what known and unknown users are answered in turn: they should not be told apart."""
        wrong = partial(self.sign_in, password="Wrong-horse-1")
        return {
            "wrong password": self.rank(wrong),
            "SRP": self.rank(self.srp),
            "forgotten password": self.rank(self.forgot),
        }

    def rank(self, asked: Callable[[str], list[Any]]) -> dict[str, Any]:
        """Ask 300 times for known users and 300 times for unknown ones."""
        from tests.bench.load import Connection
        from tests.bench.load import wire as written

        port, connection = self.ports["installation"], Connection(self.ports["installation"])
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        answers: dict[str, set[tuple[int, str]]] = {"known": set(), "unknown": set()}
        for number in range(CALLS):
            # Each name three times: fewer than lock anyone out.
            person = self.world.names[number % len(self.world.names)]
            turn = [("known", person), ("unknown", f"nobody{number % len(self.world.names)}")]
            for side, name in turn if number % 2 else turn[::-1]:
                request = written(port, asked(name))
                began = perf_counter()
                status, body = connection.ask(request)
                times[side].append(perf_counter() - began)
                # Where a code goes is told of known users and made up for unknown ones: masked alike.
                answers[side].add((status, MADE_UP.sub('"…"', MASKED.sub("…@…", body.decode()))))
        share, chance = rank_test(times["known"], times["unknown"])
        return {
            "calls": CALLS,
            "known_ms": round(1000 * percentile(times["known"], 0.5), 2),
            "unknown_ms": round(1000 * percentile(times["unknown"], 0.5), 2),
            "known_slower": round(share, 3),
            "by_chance": round(chance, 3),
            "same_bytes": answers["known"] == answers["unknown"],
        }

    def cold_start(self) -> dict[str, float]:
        """Start all of ``make run`` on a fresh folder, and again."""
        home = ROOT / "var" / "bench-run"
        shutil.rmtree(home, ignore_errors=True)
        dropped = {"DATABASE_URL", "REDIS_URL", "SECRET_KEYS_FILE", "BASE_URL", "STS_ENDPOINT_URL", "METRICS_BIND"}
        told = {name: value for name, value in os.environ.items() if name not in dropped}
        port, tls_port = free_port(), free_port()
        told |= {"DATA_DIR": str(home), "PORT": str(port), "TLS_PORT": str(tls_port)}
        found = {}
        for name in ("first", "warm"):
            began = perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "identity.embedded"],
                cwd=ROOT,
                env=told,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while not installation.answers(port, "/health/ready"):
                if process.poll() is not None or perf_counter() > began + 90:
                    break
                sleep(0.05)
            else:
                found[name] = round(perf_counter() - began, 1)
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        shutil.rmtree(home, ignore_errors=True)
        return found

    def tell_providers(self) -> None:
        """Say what a sign-in by a provider costs the web process, and whether that is too much."""
        for job in self.jobs:
            if job.name in {providers.FIRST, providers.AGAIN}:
                needs = 1000 / job.per_core
                missed = "  MISSED" if needs > providers.REACH else ""
                print(f"{job.name:<44}{needs:>6.1f} ms of a core (reach {providers.REACH:.0f} ms){missed}")

    def tell_microseconds(self) -> None:
        """Say what each job needs beside its cryptography, whether that is too much, and what no job can do without.

        An empty view's share is the server's, its threads' and Django's: a job by the fast path does without the last.
        """
        for floor in self.floors[:1]:
            print(f"{f'{floor.name}, whose is the least of any job':<60}{1e6 / floor.per_core:>6.0f} us")
        for job in self.jobs:
            above, database = MOST.get(job.name, (None, None))
            for needs, most, whose in (
                (job.above, above, "beside its cryptography"),
                (job.database, database, "of PostgreSQL"),
            ):
                if needs is not None and most is not None:
                    missed = "  MISSED" if needs > most else ""
                    print(f"{f'{job.name}, {whose}':<60}{needs:>6.0f} us (reach {most}){missed}")

    def tell_installation(self) -> None:
        """Say how fast mail leaves, and what a number of pools changes."""
        if self.mailed.per_second:
            print(f"{MAIL:<44}{self.mailed.per_second:>6.0f}/s, {self.mailed.milliseconds:.1f} ms of a core each")
        if self.among:
            print(f"{AMONG}: {len(self.differing)} of {self.among} operations {self.differing or ''}")

    def report(self, storm: Job, ranks: dict[str, dict[str, Any]], starts: dict[str, float]) -> None:
        """Print the table, the verdicts, and keep the figures."""
        reach = {
            f"{name} of {'bare Argon2' if floor == ARGON2 else 'a hand-cut view'}": (self.reached[name], wanted)
            for name, (floor, wanted) in REACH.items()
        }
        size = memory(processes(self.installation))
        print("\n" + table([*self.floors, *self.jobs]) + "\n")
        for cost in self.bare.values():
            print(f"{cost.name:<44}{cost.per_second:>8.0f}/s {cost.milliseconds:>9.2f} ms")
        print()
        for name, (ratio, wanted) in reach.items():
            print(f"{name:<44}{ratio:>6.2f}  (reach {wanted:.2f}){'' if ratio >= wanted else '  MISSED'}")
        self.tell_microseconds()
        self.tell_providers()
        of_saml = list(saml.rows())
        for row in of_saml:
            print(saml.tell(row))
        late = "" if storm.p99 <= 50 else "  MISSED"
        print(f"{'GetUser p99 in a storm of sign-ins':<44}{storm.p99:>6.0f} ms (reach 50){late}")
        large = "" if size <= LARGEST else "  MISSED"
        print(f"{'memory of the web process':<44}{size:>6.0f} MiB (reach {LARGEST}){large}")
        print(f"{'first answer after':<44}{self.first_answer:>6.1f} s")
        self.tell_installation()
        print(f"{'make run, ready after':<44}{starts.get('first')} s at first, {starts.get('warm')} s warm")
        for name, rank in ranks.items():
            print(
                f"{f'{name}: known against unknown':<44}{rank['known_ms']} / {rank['unknown_ms']} ms, known slower in "
                f"{rank['known_slower']:.1%} of pairs, chance {rank['by_chance']}, same bytes: {rank['same_bytes']}"
            )
        for job in self.jobs:
            if job.notes:
                print(f"{job.name}: {job.notes}")
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.strip()
        installation.where().write_text(
            json.dumps(
                {
                    "commit": head,
                    "at": int(time()),
                    "cores": os.cpu_count(),
                    "python": sys.version.split()[0],
                    "bare": {name: plain(cost) for name, cost in self.bare.items()},
                    "floors": [plain(job) for job in self.floors],
                    "jobs": [plain(job) for job in self.jobs],
                    "reach": {name: {"ratio": ratio, "wanted": wanted} for name, (ratio, wanted) in reach.items()},
                    "saml": [plain(row.measured) for row in of_saml],
                    "ranks": ranks,
                    "memory_mib": size,
                    "first_answer_seconds": self.first_answer,
                    "make_run_seconds": starts,
                    "imported_users_per_second": self.imported,
                    "mailed_codes_per_second": self.mailed.per_second,
                    "mailed_code_milliseconds": self.mailed.milliseconds,
                    "statements_differ_among_pools": self.differing,
                },
                indent=1,
            )
            + "\n"
        )
        print(f"\nkept in {installation.where().relative_to(ROOT)}")


if __name__ == "__main__":
    Bench().run()
