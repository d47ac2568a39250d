"""``make bench``: the main jobs next to their floors, as a table and in var/bench.json."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from time import perf_counter, sleep, time
from typing import Any
from urllib.parse import urlencode

from identity.embedded.parts import Part
from tests.bench import house
from tests.bench.figures import (
    Bare,
    Job,
    bare,
    memory,
    percentile,
    plain,
    processes,
    processor_seconds,
    rank_test,
    table,
)
from tests.servers import ROOT, free_port

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
AT_ONCE = 4
CALLS = 300
RETRY_AFTER = 1.0
"""Seconds after which a client that was turned away comes back, as the answer tells it."""


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
        print("starting PostgreSQL, Redis, the house and the floor …", flush=True)
        self.ports = house.start()
        import django

        django.setup()
        self.world = house.make()
        self.bare = self.arithmetic()
        sts = (sys.executable, "-m", "tests.bench.sts", str(self.ports["sts"]))
        house.keep(Part("sts", sts, directory=ROOT, ready=lambda: True))
        began = perf_counter()
        application = "identity.wsgi:application"
        self.house = house.keep(house.web("house", self.ports["house"], application, "/health/ready"))
        self.first_answer = perf_counter() - began
        from pools.models import User

        os.environ["FLOOR_SUBJECT"] = str(User.objects.filter(pool_id=self.world.pool.pk).values_list("id")[0][0])
        self.floor = house.keep(house.web("floor", self.ports["floor"], "tests.bench.floor:application", "/empty"))
        self.jobs: list[Job] = []
        self.floors: dict[str, Job] = {}

    def arithmetic(self) -> dict[str, Bare]:
        """Measure hash, signature and its check by themselves, in this process."""
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.hashes import SHA256

        from pools.services.passwords import HASHER

        key, text = rsa.generate_private_key(65537, 2048), b"x" * 600
        kind, hashed = padding.PKCS1v15(), HASHER.hash(house.PASSWORD)
        signature, public = key.sign(text, kind, SHA256()), key.public_key()
        return {
            "argon2": bare("bare Argon2id 7 MiB t=5 p=1", lambda: HASHER.verify(hashed, house.PASSWORD), 2),
            "sign": bare("bare RS256 signature", lambda: key.sign(text, kind, SHA256())),
            "verify": bare("bare RS256 check", lambda: public.verify(signature, text, kind, SHA256())),
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

    def measure(self, name: str, requests: list[list[Any]], server: str = "house", **more: Any) -> Job:
        """Measure one job, after a warm-up."""
        notes = more.pop("notes", {})
        if not more.get("once"):
            self.load(server, requests, seconds=0.5)
        pids = processes(self.house if server == "house" else self.floor)
        before = processor_seconds(pids)
        found = self.load(server, requests, **more)
        spent = processor_seconds(pids) - before
        count = len(found["times"])
        job = Job(
            name,
            count,
            found["seconds"],
            count / found["seconds"],
            count / spent if spent else 0.0,
            1000 * percentile(found["times"], 0.5),
            1000 * percentile(found["times"], 0.99),
            found["failures"],
            notes=notes if set(found["statuses"]) <= {"200"} else {**notes, "statuses": found["statuses"]},
        )
        print(f"  {name}: {job.per_second:.0f}/s, {job.per_core:.0f}/s per core", flush=True)
        return job

    def job(
        self, name: str, requests: list[list[Any]], *, argon2: int = 0, sign: int = 0, verify: int = 0, **more: Any
    ) -> Job:
        """Measure a job of the house, with its queries and its share of arithmetic."""
        counted = more.pop("counted", requests)
        queries = self.queries(counted)
        job = self.measure(name, requests, **more)
        job.queries = queries
        cost = {"argon2": argon2, "sign": sign, "verify": verify}
        milliseconds = sum(times * self.bare[kind].milliseconds for kind, times in cost.items())
        job.arithmetic = milliseconds * job.per_core / 1000
        self.jobs.append(job)
        return job

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
                answer = visitor.generic(method, path, body, content_type=kind, headers=headers)
            if answer.status_code >= 400:
                raise RuntimeError(f"{path} {head.get('X-Amz-Target')}: {answer.status_code} {answer.content[:300]!r}")
            statements = [query["sql"] or "" for query in captured.captured_queries]
            spent = sum(not text.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")) for text in statements)
        return spent

    def ask(self, request: list[Any]) -> dict[str, Any]:
        """Ask the house once."""
        from tests.bench.load import Connection
        from tests.bench.load import wire as written

        status, body = Connection(self.ports["house"]).ask(written(self.ports["house"], request))
        found: dict[str, Any] = json.loads(body)
        if status != 200:
            raise RuntimeError(f"{request[2].get('X-Amz-Target', request[1])}: {status} {found}")
        return found

    def sign_in(self, name: str, password: str = house.PASSWORD) -> list[Any]:
        """Return a sign-in."""
        given = {"USERNAME": name, "PASSWORD": password}
        client = self.world.client.client_id
        return wire("InitiateAuth", {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given})

    def run(self) -> None:
        """Measure everything."""
        for name in ("empty", "select", "one-signature", "two-signatures", "verify"):
            request: list[Any] = ["POST" if "signature" in name else "GET", f"/{name}", {}, ""]
            self.floors[name] = self.measure(f"floor: {name.replace('-', ' ')}", [request], server="floor")
        self.people()
        self.machines()
        self.vending()
        storm = self.storm()
        rank = self.rank()
        starts = self.cold_start()
        self.report(storm, rank, starts)

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
        codes = house.mint(world, int(SECONDS * 300) + 2)
        exchange = [self.exchange(code) for code in codes]
        self.job("code exchange", exchange[2:], counted=exchange[:2], sign=2, once=True)
        self.get_user = [wire("GetUser", {"AccessToken": token["AccessToken"]}) for token in tokens]
        self.job("GetUser", self.get_user, verify=1)
        access = [self.ask(self.exchange(code))["access_token"] for code in house.mint(world, 4)]
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
                "redirect_uri": house.CALLBACK,
            },
        )

    def machines(self) -> None:
        """Measure what machines do."""
        secret = f"{self.world.machine.client_id}:{self.world.machine_secret}"
        grant = {"grant_type": "client_credentials", "scope": "photos/read"}
        self.job("client credentials", [form(f"{self.world.prefix}/oauth2/token", grant, secret)] * 2, sign=1)

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
        job.notes["sts_ms"] = round(1000 * (after[0] - before[0]) / calls, 1) if calls else None

    def outside(self) -> tuple[float, float]:
        """Return seconds and count of outbound calls, as the house's metrics tell."""
        from tests.bench.load import Connection
        from tests.bench.load import wire as written

        _, body = Connection(self.ports["house"]).ask(written(self.ports["house"], ["GET", "/metrics", {}, ""]))
        lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
        return float(lines.get("cognate_outbound_seconds_sum", 0)), float(
            lines.get("cognate_outbound_seconds_count", 0)
        )

    def storm(self) -> Job:
        """Measure GetUser while everyone signs in."""
        found: dict[str, Any] = {}

        def everyone() -> None:
            requests = [self.sign_in(name) for name in self.world.names]
            found.update(self.load("house", requests, connections=24, seconds=SECONDS + 2, pause=RETRY_AFTER))

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

    def rank(self) -> dict[str, Any]:
        """Time 300 wrong passwords of people and of strangers in turn: they should not be told apart."""
        from tests.bench.load import Connection
        from tests.bench.load import wire as written

        port, connection = self.ports["house"], Connection(self.ports["house"])
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        answers: dict[str, set[bytes]] = {"known": set(), "unknown": set()}
        for number in range(CALLS):
            # Each name three times: fewer than lock anyone out.
            person = self.world.names[number % len(self.world.names)]
            turn = [("known", person), ("unknown", f"nobody{number % len(self.world.names)}")]
            for side, name in turn if number % 2 else turn[::-1]:
                request = written(port, self.sign_in(name, "Wrong-horse-1"))
                began = perf_counter()
                _, body = connection.ask(request)
                times[side].append(perf_counter() - began)
                answers[side].add(body)
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
            while not house.answers(port, "/health/ready"):
                if process.poll() is not None or perf_counter() > began + 90:
                    break
                sleep(0.05)
            else:
                found[name] = round(perf_counter() - began, 1)
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        shutil.rmtree(home, ignore_errors=True)
        return found

    def report(self, storm: Job, rank: dict[str, Any], starts: dict[str, float]) -> None:
        """Print the table, the verdicts, and keep the figures."""
        by_name = {job.name: job for job in self.jobs}
        argon2 = self.bare["argon2"].per_second
        reach = {
            "sign-in of bare Argon2": (by_name["password sign-in"].per_core / argon2, 0.75),
            **{
                f"{name} of a hand-cut view": (by_name[name].per_core / self.floors[floor].per_core, 0.7)
                for name, floor in {
                    "client credentials": "one-signature",
                    "refresh": "two-signatures",
                    "code exchange": "two-signatures",
                    "GetUser": "verify",
                    "userInfo": "verify",
                }.items()
            },
        }
        size = memory(processes(self.house))
        print("\n" + table([*self.floors.values(), *self.jobs]) + "\n")
        for cost in self.bare.values():
            print(f"{cost.name:<34}{cost.per_second:>8.0f}/s {cost.milliseconds:>9.2f} ms")
        print()
        for name, (ratio, wanted) in reach.items():
            print(f"{name:<44}{ratio:>6.2f}  (reach {wanted:.2f}){'' if ratio >= wanted else '  MISSED'}")
        late = "" if storm.p99 <= 50 else "  MISSED"
        print(f"{'GetUser p99 in a storm of sign-ins':<44}{storm.p99:>6.0f} ms (reach 50){late}")
        print(f"{'memory of the web process':<44}{size:>6.0f} MiB; first answer after {self.first_answer:.1f} s")
        print(f"{'make run, ready after':<44}{starts.get('first')} s at first, {starts.get('warm')} s warm")
        print(
            f"{'known against unknown name':<44}{rank['known_ms']} / {rank['unknown_ms']} ms, known slower in "
            f"{rank['known_slower']:.1%} of pairs, chance {rank['by_chance']}, same bytes: {rank['same_bytes']}"
        )
        for job in self.jobs:
            if job.notes:
                print(f"{job.name}: {job.notes}")
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.strip()
        house.where().write_text(
            json.dumps(
                {
                    "commit": head,
                    "at": int(time()),
                    "cores": os.cpu_count(),
                    "python": sys.version.split()[0],
                    "bare": {name: plain(cost) for name, cost in self.bare.items()},
                    "floors": [plain(job) for job in self.floors.values()],
                    "jobs": [plain(job) for job in self.jobs],
                    "reach": {name: {"ratio": ratio, "wanted": wanted} for name, (ratio, wanted) in reach.items()},
                    "rank": rank,
                    "memory_mib": size,
                    "first_answer_seconds": self.first_answer,
                    "make_run_seconds": starts,
                },
                indent=1,
            )
            + "\n"
        )
        print(f"\nkept in {house.where().relative_to(ROOT)}")


if __name__ == "__main__":
    Bench().run()
