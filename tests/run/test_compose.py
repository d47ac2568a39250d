"""The production shape holds what it promises: the compose file, by its specification's own schema, and the proxy."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pytest_django import Settings

from identity import checks, serve
from pools.services.user_imports import uploads
from tests import servers
from tests.run import caddy, production

SCHEMA = Path(__file__).with_name("compose_spec") / "compose-spec.json"
FILE = servers.ROOT / "docker-compose.yml"
OURS = ("migrate", "web", "worker", "beat")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def test_the_file_is_valid(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text())

    jsonschema.validators.validator_for(schema)(schema).validate(compose)


def test_the_schema_notices_a_misspelt_key(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text())
    broken = compose | {"services": compose["services"] | {"web": {"image": "cognate", "healthchek": {}}}}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validators.validator_for(schema)(schema).validate(broken)


def test_docker_agrees() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")

    checked = subprocess.run(
        [docker, "compose", "--file", str(FILE), "config", "--quiet"],
        env={**os.environ, "COGNATE_HOST": "id.example.com", "CONSOLE_HOST": "console.example.com"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


def test_everything_is_watched_and_unprivileged(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "privileged" not in service, name
        assert "healthcheck" in service or service["restart"] == "no", name
        assert service["user"].split(":")[0] not in {"", "root", "0"}, name


def test_the_proxy_may_write_where_it_keeps_certificates(compose: dict[str, Any]) -> None:
    proxy = compose["services"]["proxy"]
    stage = production.IMAGE.partition(f" AS {proxy['build']['target']}\n")[2].partition("\nFROM ")[0]
    places = [pair.partition("=")[2] for each in production.instructions("ENV", stage) for pair in each.split()]
    [volume] = [mount.partition(":")[2] for mount in proxy["volumes"] if mount.partition(":")[0] in compose["volumes"]]

    assert production.instructions("USER", stage) == [proxy["user"]]
    assert f"mkdir {volume} && chown {proxy['user']} {volume}" in production.instructions("RUN", stage)
    assert [Path(place).parent for place in places] == [Path(volume)] * 2
    assert proxy["sysctls"] == {"net.ipv4.ip_unprivileged_port_start": 0}  # 80 and 443 are its own to bind


def test_only_the_proxy_is_reachable_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]
    assert compose["networks"]["inside"]["internal"]
    assert "outside" not in compose["services"]["postgres"]["networks"]


def test_no_secret_is_in_the_environment(compose: dict[str, Any]) -> None:
    for name in OURS:
        told = compose["services"][name]["environment"]
        assert told["MODE"] == "production"
        assert told["DATABASE_URL_FILE"].startswith("/run/secrets/")
        assert "DATABASE_URL" not in told


def test_the_believed_proxies_are_the_proxy_network(compose: dict[str, Any]) -> None:
    subnet = compose["networks"]["front"]["ipam"]["config"][0]["subnet"]

    assert compose["services"]["web"]["environment"]["TRUSTED_PROXIES"] == subnet
    # Whoever shares it could name any client address.
    assert [name for name, it in compose["services"].items() if "front" in it["networks"]] == ["proxy", "web"]


def test_the_proxy_reaches_web_by_the_believed_network_only(compose: dict[str, Any]) -> None:
    proxy, web = (set(compose["services"][name]["networks"]) for name in ("proxy", "web"))

    assert proxy & web == {"front"}
    # Its own way out: `front` has none.
    assert [name for name, it in compose["services"].items() if "edge" in it["networks"]] == ["proxy"]
    assert not (compose["networks"]["edge"] or {}).get("internal")


def number(text: str) -> int:
    """Return the default of `${NAME:-number}`."""
    found = re.fullmatch(r"\$\{\w+:-(\d+)\}", text)
    assert found, text
    return int(found[1])


def test_the_database_has_a_connection_for_every_thread_on_any_machine(
    compose: dict[str, Any], settings: Settings
) -> None:
    told = compose["services"]["web"]["environment"]
    settings.WEB_WORKERS, settings.WEB_THREADS = number(told["WEB_WORKERS"]), number(told["WEB_THREADS"])
    limits = [part for part in compose["services"]["postgres"]["command"] if part.startswith("max_connections=")]
    allowed = int(limits[0].partition("=")[2])

    assert settings.WEB_WORKERS > 0, "0 is one for each core"
    assert checks.connections_wanted() <= allowed - serve.RESERVED


def test_the_database_is_asked_where_it_answers_only_when_it_is_made(compose: dict[str, Any]) -> None:
    assert "--host=127.0.0.1" in compose["services"]["postgres"]["healthcheck"]["test"]


def blocks(text: str) -> dict[str, Any]:
    """Read a Caddyfile: lines' words by the first word, a block's lines below its head."""
    root: dict[str, Any] = {}
    inside = [root]
    for line in filter(None, (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())):
        if line == "}":
            inside.pop()
        elif line.endswith("{"):
            inside.append(inside[-1].setdefault(line[:-1].strip(), {}))
        else:
            name, _, rest = line.partition(" ")
            inside[-1][name] = "\n".join(filter(None, (inside[-1].get(name), rest)))
    assert inside == [root]
    return root


@pytest.fixture(scope="module")
def proxy() -> dict[str, Any]:
    """Return the proxy's configuration."""
    return blocks(caddy.FILE.read_text())


@pytest.fixture(scope="module")
def site(proxy: dict[str, Any]) -> dict[str, Any]:
    """Return what the proxy does for our names."""
    found: dict[str, Any] = proxy["{$COGNATE_HOST}, {$CONSOLE_HOST}"]
    return found


def test_the_proxy_waits_for_slow_visitors_itself_and_not_for_long(proxy: dict[str, Any], site: dict[str, Any]) -> None:
    assert proxy[""]["servers"]["timeouts"] == {"read_header": "5s", "read_body": "60s"}
    # All that may come is buffered, but for files of users to import.
    assert site["reverse_proxy web:8000"]["request_buffers"] == site["request_body @most"]["max_size"] == "4MB"
    assert site["@most"] == "not path /user-imports/*"
    assert site["request_body /user-imports/*"]["max_size"] == "101MB"
    assert uploads.LARGEST < 101_000_000


def test_the_proxy_alone_says_who_the_visitor_is(site: dict[str, Any]) -> None:
    assert "-*_*" in site["request_header"].split("\n")
    # Caddy's own are what we want: it believes nobody before it, and tells the address it sees.
    assert not {"header_up", "trusted_proxies"} & set(site["reverse_proxy web:8000"])


def test_caddy_agrees(tmp_path: Path) -> None:
    names = {"COGNATE_HOST": "id.example.com", "CONSOLE_HOST": "console.example.com"}

    checked = caddy.adapt(caddy.configuration(), names, tmp_path)

    assert checked.returncode == 0, checked.stderr
