"""The production shape holds what it promises, by the compose specification's own schema."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests import servers

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


def test_docker_agrees(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")

    checked = subprocess.run(
        [docker, "compose", "--file", str(FILE), "config", "--quiet"],
        env={"COGNATE_HOST": "id.example.com", "CONSOLE_HOST": "console.example.com", "HOME": str(tmp_path)},
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
        assert service.get("user", "").split(":")[0] not in {"root", "0"}, name


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
